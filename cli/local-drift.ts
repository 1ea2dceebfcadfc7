import type { TargetCheck } from '../core/model/check.ts';
import { targetKey, type Target } from '../core/model/target.ts';
import { isoTime } from '../core/model/time.ts';
import { sweepCluster } from '../core/sweep.ts';
import { exitCodes } from './cli-error.ts';
import { driftData, driftingNames, episodeTexts, unjudgedNotes, viewDrift, type DriftView } from './drift.ts';
import type { LocalSession } from './local-session.ts';
import { coloured, type Report } from './report.ts';
import { runLocally } from './run-locally.ts';
import { readChecks, selectTargets } from './targets.ts';

export interface LocalDriftOptions {
  readonly app?: string;
  readonly heal?: boolean;
  readonly full?: boolean;
  readonly auditLog?: string;
}

/** Checks the cluster now, records what it finds, and heals it when asked to. */
export async function localDrift(
  session: LocalSession,
  { app, heal = false, full = false }: LocalDriftOptions,
): Promise<Report> {
  const { cluster, store, ports } = session;
  const selection = { cluster, ...(app !== undefined && { app }) };
  const targets = await selectTargets(store, selection);
  const requestedBy = await session.whoAmI();
  const closedSince = isoTime(session.clock.now());
  const sweep = async () => sweepCluster({ cluster, requestedBy, full, all: true }, ports);
  await sweep();
  const told: string[] = [];
  if (heal) {
    for (const target of await drifting(session, targets)) told.push(...(await healTarget(session, target)));
    await sweep();
  }
  const checks = await checksOf(session, targets);
  const { records, unjudged, isDrifting } = await viewDrift(session, targets);
  const missed = [...unjudged, ...unfinished(targets, checks)];
  const shown = records.filter(({ closedAt }) => closedAt === undefined || closedAt >= closedSince);
  const lines = targets.map((target) => lineOf(target, checks.get(targetKey(target))));
  const found = isDrifting ? exitCodes.found : exitCodes.ok;
  return {
    data: {
      ...driftData({ records, unjudged: missed }),
      targets: targets.map((target) => ({ ...target, ...checks.get(targetKey(target)) })),
    },
    names: driftingNames(shown),
    text: [...lines, ...(shown.length === 0 ? [] : ['', episodeTexts(session, shown)])].join('\n'),
    notes: [...told, ...unjudgedNotes(missed)],
    exitCode: missed.length > 0 && !isDrifting ? exitCodes.unjudged : found,
  };
}

async function drifting(session: LocalSession, targets: readonly Target[]): Promise<readonly Target[]> {
  const checks = await checksOf(session, targets);
  return targets.filter((target) => checks.get(targetKey(target))?.sync === 'Drifted');
}

async function healTarget(session: LocalSession, target: Target): Promise<readonly string[]> {
  const requestedBy = await session.whoAmI();
  const { record, rested, interrupted } = await runLocally(
    session,
    { version: 1, target, reason: 'heal', requestedBy, keepUndesired: true },
    { wait: false, patienceMs: 0, tell: () => undefined },
  );
  if (interrupted) return [`${targetKey(target)}: interrupted`];
  if (record === undefined)
    return [`${targetKey(target)}: not healed: ${rested ?? 'another run is at work'}`];
  return [`${targetKey(target)}: healed: ${record.outcome?.message ?? 'not finished'}`];
}

type Checks = ReadonlyMap<string, TargetCheck>;

function lineOf(target: Target, check: TargetCheck | undefined): string {
  if (check === undefined) return `${targetKey(target)}: gone`;
  const { sync, reason, drifted, health } = check;
  const count = drifted === 0 ? '' : `, ${drifted} objects with drift`;
  const why = sync === 'Pending' ? `; ${reason}` : '';
  return `${targetKey(target)}: ${coloured(sync)}${count}; ${coloured(health)}${why}`;
}

/** Targets of which nothing new is known: a run was at work. */
function unfinished(targets: readonly Target[], checks: Checks): DriftView['unjudged'] {
  return targets.flatMap((target) => {
    const check = checks.get(targetKey(target));
    return check?.sync === 'Reconciling' ? [{ target, reason: check.reason }] : [];
  });
}

async function checksOf({ store, cluster }: LocalSession, targets: readonly Target[]): Promise<Checks> {
  const check = (await readChecks(store, [cluster])).get(cluster);
  return new Map(
    targets.flatMap((target) => {
      const one = check?.targets[target.application];
      return one === undefined ? [] : [[targetKey(target), one] as const];
    }),
  );
}
