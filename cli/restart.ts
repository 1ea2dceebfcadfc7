import { askForRun } from '../core/ask-for-run.ts';
import { refKey } from '../core/model/object.ts';
import { targetKey } from '../core/model/target.ts';
import { isoTime } from '../core/model/time.ts';
import { isRestartable } from '../core/model/workload.ts';
import { awaitRuns } from './await-runs.ts';
import { CliError, exitCodes } from './cli-error.ts';
import { meantBy } from './object-name.ts';
import { tell } from './progress.ts';
import type { Report } from './report.ts';
import type { Session } from './session.ts';
import { freeTargets } from './sync.ts';
import { readTargets, type Selection } from './targets.ts';
import { wait as waitFor } from './wait.ts';

export interface RestartOptions extends Selection {
  readonly app: string;
  readonly wait?: boolean;
  /** Seconds that `wait` may take. */
  readonly timeout?: number;
  /** Workloads that alone are meant, as a person names them. */
  readonly resource?: readonly string[];
}

const defaultSeconds = 600;

/** Asks for a rolling restart of an application's workloads; with `wait`, until the new pods are well. */
export async function restart(
  session: Session,
  { wait = false, timeout = defaultSeconds, resource, ...selection }: RestartOptions,
): Promise<Report> {
  const workloads = await workloadsOf(session, selection, resource);
  const all = [...workloads.values()].map(({ target }) => target);
  const { targets, held } = await freeTargets(session, all);
  const requestedBy = `${await session.whoAmI()} ${session.ids.next()}`;
  const restartedAt = isoTime(session.clock.now());
  for (const target of targets) {
    const only = workloads.get(targetKey(target))?.keys ?? [];
    await askForRun(target, requestedBy, session, { reason: 'restart', restartedAt, only: [...only] });
  }
  if (!wait) {
    const told = targets.map((target) => `${targetKey(target)}: asked for a restart`);
    return {
      data: { requestedBy, targets },
      text: [...told, ...held].join('\n'),
      names: targets.map(targetKey),
    };
  }
  const { runs, lines, exitCode } = await awaitRuns(session, targets, requestedBy);
  const data = { requestedBy, runs };
  const text = [...lines, ...held].join('\n');
  if (exitCode !== exitCodes.ok) return { data, text, exitCode };
  const awaited = await waitFor(session, { ...selection, for: 'healthy', timeout }, tell);
  return { ...awaited, data, text: `${text}\n${awaited.text}` };
}

interface Workloads {
  readonly target: { readonly cluster: string; readonly application: string };
  readonly keys: readonly string[];
}

async function workloadsOf(
  { store }: Session,
  selection: Selection,
  resource: readonly string[] | undefined,
): Promise<ReadonlyMap<string, Workloads>> {
  const named = resource?.map((name) => ({ name, isMeant: meantBy(name) }));
  const met = new Set<string>();
  const found = (await readTargets(store, selection)).flatMap(({ target, inventory }) => {
    const applied = Object.values(inventory?.entries ?? {})
      .filter(({ ref, state }) => state === 'applied' && isRestartable(ref))
      .map(({ ref }) => ref);
    const names = applied.map((ref) => (named ?? []).filter(({ isMeant }) => isMeant(ref)));
    for (const { name } of names.flat()) met.add(name);
    const keys = applied.filter((_, at) => named === undefined || names[at]?.length !== 0).map(refKey);
    return keys.length === 0 ? [] : [[targetKey(target), { target, keys }] as const];
  });
  const unknown = resource?.filter((name) => !met.has(name));
  if (found.length > 0 && (unknown ?? []).length === 0) return new Map(found);
  const what = unknown === undefined ? 'no Deployment, StatefulSet or DaemonSet' : `no ${unknown.join(', ')}`;
  throw new CliError(
    `There is ${what} applied that could be restarted: nothing was asked for. \`trueup get --app ${selection.app ?? 'NAME'}\` says what there is.`,
  );
}
