import type { Command } from 'commander';
import { stackName } from '../core/contract/environment.ts';
import { CliError, type ExitCode } from './cli-error.ts';
import type { GrantOptions } from './grant.ts';
import { clusterOption, isLocal, stackOption, type Common } from './options.ts';
import { print } from './report.ts';
import type { RestoreOptions } from './restore.ts';

/** Verbs for whoever keeps an installation: let it into a cluster, send given-up work back, bring records back. */
export function addUpkeepVerbs(
  verb: (name: string, description: string) => Command,
  done: (code: ExitCode) => void,
): void {
  verb(
    'grant',
    'what lets an installation into a cluster, with the least rights: RBAC for kubectl apply -f -',
  )
    .addOption(stackOption())
    .addOption(clusterOption().makeOptionMandatory())
    .option('--entries', 'EKS: make the access entries too, or correct them, with your own credentials')
    .action(async (options: Common & GrantOptions) => {
      const { grant } = await import('./grant.ts');
      // The kubeconfig leads to the cluster here, and the records are those of the installation.
      done(await print(await grant(options.stack ?? stackName('default'), options), options.output));
    });
  verb('redrive', 'send back what lies in a dead-letter queue; without a queue, say how much lies where')
    .argument('[queue]', 'as the alarm names it: pushes, runs, later, sweeps, intake; NETWORK-runs')
    .addOption(stackOption())
    .action(async (queue: string | undefined, options: Common) => {
      const stack = stackOf('redrive', options);
      const [{ redrive }, { networksOf }] = await Promise.all([
        import('./redrive.ts'),
        import('./session.ts'),
      ]);
      done(await print(await redrive(stack, await networksOf(stack), queue), options.output));
    });
  verb('notify', 'what people were told that is not over yet; with --test, whether a channel works')
    .addOption(stackOption())
    .option('--test <channel>', 'send a message to it, and say what came of that')
    .action(async (options: Common & { readonly test?: string }) => {
      const stack = stackOf('notify', options);
      const [{ notices, testChannel }, { openSession }] = await Promise.all([
        import('./notify.ts'),
        import('./session.ts'),
      ]);
      const session = await openSession(stack);
      const report =
        options.test === undefined ? notices(session) : testChannel(stack, options.test, session);
      done(await print(await report, options.output));
    });
  verb('restore', 'bring records back as they were at a time: deleted ones, overwritten ones')
    .argument('<prefix>', 'folder of the bucket or the beginning of a key, such as inventory/production/')
    .addOption(stackOption())
    .requiredOption('--at <time>', 'ISO 8601')
    .option('--yes', 'do it, instead of telling what would be done')
    .action(async (prefix: string, options: Common & RestoreOptions) => {
      const stack = stackOf('restore', options);
      const [{ restore }, { ObjectVersions }, { openOutputs, s3Client }] = await Promise.all([
        import('./restore.ts'),
        import('../adapters/object-versions.ts'),
        import('./session.ts'),
      ]);
      const versions = new ObjectVersions((await openOutputs(stack))('bucket'), await s3Client());
      done(await print(await restore(versions, prefix, options), options.output));
    });
}

function stackOf(verb: string, options: Common): string {
  if (isLocal(options)) throw new CliError(`${verb} is about an installation: name it with --stack.`);
  return options.stack ?? stackName('default');
}
