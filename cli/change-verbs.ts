import { Option, type Command } from 'commander';
import type { ExitCode } from './cli-error.ts';
import type { DiffOptions } from './diff.ts';
import { formats, print, type Format } from './report.ts';

/** Verbs about a change that is proposed; they ask neither a cluster nor AWS. */
export function addChangeVerbs(trueup: Command, done: (code: ExitCode) => void): void {
  trueup
    .command('diff')
    .description('what a change would do to every application on every cluster, with what to look at twice')
    .requiredOption(
      '--base <revision>',
      'branch, tag or commit that it is compared with, such as origin/main',
    )
    .option('--head <revision>', 'what is proposed; default: the files as they are in the checkout')
    .option('--dir <folder>', 'checkout of the configuration repository', '.')
    .option('--config <file>', 'stack configuration, JSON or YAML: which clusters there are')
    .option('--repository <name>', 'which of the configured repositories this is, where there are several')
    .option(
      '--kubernetes-version <version>',
      'of the clusters, such as 1.34; default: the newest that is known',
    )
    .addOption(
      new Option('-o, --output <format>', 'how to print').choices([...formats, 'markdown']).default('table'),
    )
    .action(async (options: DiffOptions & { readonly output: Format | 'markdown' }) => {
      done(await print(await (await import('./diff.ts')).diff(options), options.output));
    });
}
