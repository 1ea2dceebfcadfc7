import { stackName } from '../core/contract/environment.ts';
import { CliError, exitCodes, type ExitCode } from './cli-error.ts';
import type { LocalSession, RecordsSession } from './local-session.ts';
import { isLocal, type Common } from './options.ts';
import { withProgress } from './progress.ts';
import { print, type Report } from './report.ts';
import type { Session } from './session.ts';

/** Options of a verb about targets. */
export type Selecting = Common & { readonly app?: string; readonly cluster?: string };

/** On an installation. */
export async function onStack(
  options: Common,
  work: (session: Session) => Promise<Report>,
): Promise<ExitCode> {
  // Else what somebody means for their store would be done to the installation of the environment.
  if (isLocal(options)) {
    throw new CliError(
      'This is done on an installation, and a store is named (--store, TRUEUP_STORE or a profile): name the installation with --stack. On a store, `trueup apply` does what is done to a cluster.',
    );
  }
  return show(options, async () => {
    const { openSession } = await import('./session.ts');
    const session = await openSession(options.stack ?? stackName('default'));
    return async () => work(session);
  });
}

/** Records of an installation, or of a store; a kubeconfig chooses the cluster of its context. */
export async function onRecords<O extends Selecting>(
  options: O,
  work: (session: RecordsSession, options: O) => Promise<Report>,
): Promise<ExitCode> {
  if (!isLocal(options)) return onStack(options, async (session) => work(session, options));
  return show(options, async () => {
    const { clusterOf, openRecords } = await import('./local-session.ts');
    const session = await openRecords(options);
    const cluster = options.cluster ?? (await clusterOf(options));
    const chosen = cluster === undefined ? options : { ...options, cluster };
    return async () => work(session, chosen);
  });
}

/** Work on a cluster. The first Ctrl-C ends it in good order, a second one at once. */
export async function locally(
  options: Common,
  work: (session: LocalSession) => Promise<Report>,
  { progress = true }: { readonly progress?: boolean } = {},
): Promise<ExitCode> {
  const { openLocal } = await import('./local-session.ts');
  const { interruption } = await import('./interruption.ts');
  const { assertSameCluster } = await import('./cluster-identity.ts');
  const session = await openLocal(options, interruption());
  const all = async (): Promise<Report> => {
    await assertSameCluster(session);
    return work(session);
  };
  if (options.watch === true) {
    const { watch } = await import('./watch.ts');
    await watch(all, options.output, { until: session.interrupted });
    return exitCodes.ok;
  }
  const report = progress ? await withProgress(waitText, all, { handlesSignals: false }) : await all();
  return print(report, options.output);
}

const waitText = 'working';

/** Opens once and shows what is found; with `--watch` again and again, until Ctrl-C. */
export async function show(
  { watch, output }: Pick<Common, 'watch' | 'output'>,
  open: () => Promise<() => Promise<Report>>,
): Promise<ExitCode> {
  if (watch !== true) return print(await withProgress(waitText, async () => (await open())()), output);
  const look = await open();
  const { watch: watchReport } = await import('./watch.ts');
  await watchReport(look, output);
  return exitCodes.ok;
}
