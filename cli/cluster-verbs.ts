import type { Command } from 'commander';
import { stackName } from '../core/contract/environment.ts';
import { CliError, type ExitCode } from './cli-error.ts';
import { isLocal, stackOption, type Common } from './options.ts';
import { print, type Report } from './report.ts';

interface ClustersOptions extends Common {
  readonly forget?: string;
  readonly reason?: string;
}

/** Verbs about the clusters themselves. */
export function addClusterVerbs(
  verb: (name: string, description: string) => Command,
  done: (code: ExitCode) => void,
): void {
  verb('clusters', 'clusters: where they are, whether they answer, what was found and what is missing')
    .addOption(stackOption())
    .option('--forget <cluster>', 'give up one that is missing, so that nothing waits for it any more')
    .option('--reason <text>', 'with --forget: why, for those who read it later')
    .action(async (options: ClustersOptions) => {
      done(await print(await onStack(options), options.output));
    });
}

async function onStack(options: ClustersOptions): Promise<Report> {
  if (isLocal(options)) throw new CliError('clusters are those of an installation: name it with --stack.');
  const { stack = stackName('default'), forget: name, reason } = options;
  if (name !== undefined && reason === undefined) throw new CliError('Say why with --reason.');
  if (name === undefined && reason !== undefined) throw new CliError('--reason says why to --forget.');
  const [{ openOutputs, openSession, s3Client }, { clusters, forget }] = await Promise.all([
    import('./session.ts'),
    import('./clusters.ts'),
  ]);
  const session = await openSession(stack);
  if (name !== undefined) return forget(session, name, reason ?? '');
  const { stackConfigAt } = await import('../adapters/stack-config.ts');
  const output = await openOutputs(stack);
  return clusters(session, await stackConfigAt(output('config'), await s3Client())());
}
