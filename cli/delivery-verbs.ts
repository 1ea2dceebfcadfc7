import type { Command } from 'commander';
import { stackName } from '../core/contract/environment.ts';
import { CliError, type ExitCode } from './cli-error.ts';
import type { EventOptions } from './event.ts';
import type { ImageOptions } from './image.ts';
import { isLocal, stackOption, watched, type Common } from './options.ts';
import { print } from './report.ts';
import { onStack } from './run-verb.ts';

type DeliveriesOptions = Common & { readonly replay?: string };

/** Verbs about what Git hosts and registries tell: what one would become, and what came of those that came. */
export function addDeliveryVerbs(
  verb: (name: string, description: string) => Command,
  done: (code: ExitCode) => void,
): void {
  verb('event', 'what a webhook request would become, or why it would be refused; asks no AWS')
    .requiredOption('--provider <name>', 'whose webhook it is, as in its route')
    .option('--hook <id>', 'id of the hook, where the provider has several')
    .requiredOption(
      '--headers <file>',
      'lines of HTTP, the request line too if you have it, or a JSON object',
    )
    .requiredOption('--body <file>', 'the raw body')
    .option('--secret-file <file>', 'secret of the hook; without it the proof is not checked')
    .option('--config <file>', 'stack configuration, JSON or YAML: which repositories, which hooks')
    .action(async (options: Common & EventOptions) => {
      done(await print(await (await import('./event.ts')).event(options), options.output));
    });
  verb('image', 'writes an image that was pushed into a checkout, as its policies ask for; asks no AWS')
    .argument('<reference>', 'REPOSITORY:TAG, with @sha256:DIGEST where it is pinned')
    .requiredOption('--dir <folder>', 'checkout of the configuration repository')
    .option('--dry-run', 'tell the edits and write nothing')
    .action(async (reference: string, options: Common & ImageOptions) => {
      done(await print(await (await import('./image.ts')).image(reference, options), options.output));
    });
  watched(verb('deliveries', 'what Git hosts and registries told, newest first, and what came of it'))
    .addOption(stackOption())
    .option('--replay <id>', 'read this one again, with the configuration of today')
    .action(async (options: DeliveriesOptions) => {
      done(await onDeliveries(options));
    });
}

async function onDeliveries(options: DeliveriesOptions): Promise<ExitCode> {
  if (isLocal(options)) throw new CliError('deliveries are those of an installation: name it with --stack.');
  const { stack = stackName('default'), replay, watch } = options;
  if (replay !== undefined && watch === true) {
    throw new CliError('Give either --replay or --watch: a delivery is read again once.');
  }
  return onStack(options, async (session) => {
    const { deliveries, replayDelivery } = await import('./deliveries.ts');
    if (replay === undefined) return deliveries(session);
    const [{ openOutputs, s3Client }, { EventBridgeBus }, { stackConfigAt }] = await Promise.all([
      import('./session.ts'),
      import('../adapters/eventbridge-bus.ts'),
      import('../adapters/stack-config.ts'),
    ]);
    const output = await openOutputs(stack);
    const config = await stackConfigAt(output('config'), await s3Client())();
    return replayDelivery(session, replay, { ...session, bus: new EventBridgeBus(output('bus')), config });
  });
}
