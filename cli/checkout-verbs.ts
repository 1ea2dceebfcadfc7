import type { Command } from 'commander';
import type { ExitCode } from './cli-error.ts';
import type { InitOptions } from './init-answers.ts';
import type { Common } from './options.ts';
import { print } from './report.ts';
import type { ValidateOptions } from './validate.ts';

/** Verbs about a checkout of a configuration repository that need neither a cluster nor AWS. */
export function addCheckoutVerbs(
  verb: (name: string, description: string) => Command,
  done: (code: ExitCode) => void,
): void {
  verb('validate', 'whether a checkout could be pushed: schema, references, render, cycles; asks no AWS')
    .option('--dir <folder>', 'checkout of the configuration repository', '.')
    .option('--config <file>', 'stack configuration, JSON or YAML: which clusters and repositories there are')
    .option('--repository <name>', 'its name in the stack configuration, where that has several')
    .action(async (options: Common & ValidateOptions) => {
      done(await print(await (await import('./validate.ts')).validate(options), options.output));
    });
  verb('init', 'begin a configuration repository: two applications to change, and the CDK app that serves it')
    .argument('<folder>', 'made where it is not there; must be empty, but for a clone of an empty repository')
    .option('--repository <url>', 'where it is going to be fetched from; asked for at a terminal')
    .option('--cluster <name>', 'EKS cluster that it is for; asked for at a terminal')
    .action(async (folder: string, options: Common & InitOptions) => {
      done(await print(await (await import('./init.ts')).init(folder, options), options.output));
    });
}
