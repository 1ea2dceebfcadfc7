import type { TargetCheck } from '../core/model/check.ts';
import { targetKey, type Target } from '../core/model/target.ts';
import { sweepCluster } from '../core/sweep.ts';
import { exitCodes } from './cli-error.ts';
import { drift } from './drift.ts';
import type { LocalSession } from './local-session.ts';
import type { Report } from './report.ts';
import { runLocally } from './run-locally.ts';
import { readChecks, selectTargets } from './targets.ts';

export interface LocalDriftOptions {
  readonly app?: string;
  readonly heal?: boolean;
  readonly full?: boolean;
}

/** Checks the cluster now, records what it finds, and heals it when asked to. */
export async function localDrift(
  session: LocalSession,
  { app, heal = false }: LocalDriftOptions,
): Promise<Report> {
  const { cluster, store, ports } = session;
  const selection = { cluster, ...(app !== undefined && { app }) };
  const targets = await selectTargets(store, selection);
  const requestedBy = await session.whoAmI();
  const sweep = async () => sweepCluster({ cluster, requestedBy }, ports);
  await sweep();
  const told: string[] = [];
  if (heal) {
    for (const target of await drifting(session, targets)) told.push(...(await healTarget(session, target)));
    await sweep();
  }
  const busy = await unfinished(session, targets);
  const report = await drift({ ...session, queues: ports.queues }, selection);
  const isFound = report.exitCode === exitCodes.found;
  return {
    ...report,
    notes: [...told, ...(report.notes ?? []), ...busy],
    ...(busy.length > 0 && !isFound && { exitCode: exitCodes.unjudged }),
  };
}

async function drifting(session: LocalSession, targets: readonly Target[]): Promise<readonly Target[]> {
  const checks = await checksOf(session, targets);
  return targets.filter((target) => checks.get(targetKey(target))?.sync === 'Drifted');
}

async function healTarget(session: LocalSession, target: Target): Promise<readonly string[]> {
  const requestedBy = await session.whoAmI();
  const { record, interrupted } = await runLocally(
    session,
    { version: 1, target, reason: 'heal', requestedBy, keepUndesired: true },
    { wait: false, patienceMs: 0, tell: () => undefined },
  );
  if (interrupted) return [`${targetKey(target)}: interrupted`];
  if (record === undefined) return [`${targetKey(target)}: nothing to heal`];
  return [`${targetKey(target)}: healed: ${record.outcome?.message ?? 'not finished'}`];
}

/** Targets of which nothing new is known: a run was at work. */
async function unfinished(session: LocalSession, targets: readonly Target[]): Promise<readonly string[]> {
  const checks = await checksOf(session, targets);
  return targets.flatMap((target) => {
    const check = checks.get(targetKey(target));
    return check?.sync === 'Reconciling'
      ? [`${targetKey(target)} could not be checked: ${check.reason}`]
      : [];
  });
}

async function checksOf(
  { store, cluster }: LocalSession,
  targets: readonly Target[],
): Promise<ReadonlyMap<string, TargetCheck>> {
  const check = (await readChecks(store, [cluster])).get(cluster);
  return new Map(
    targets.flatMap((target) => {
      const one = check?.targets[target.application];
      return one === undefined ? [] : [[targetKey(target), one] as const];
    }),
  );
}
