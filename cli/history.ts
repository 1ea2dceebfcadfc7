import type { RunRecord } from '../core/model/run.ts';
import { rotationsBetween } from '../core/model/secret-reference.ts';
import {
  describeSuspension,
  isInScope,
  type Suspensions,
  type SuspensionScope,
} from '../core/model/suspension.ts';
import { targetKey, type Target } from '../core/model/target.ts';
import { newestRuns, type KeyedRun } from '../core/run-history.ts';
import { readSuspensions } from '../core/suspend.ts';
import { age, clipped, coloured, duration, short, table, type Report } from './report.ts';
import type { Session } from './session.ts';
import { selectTargets, type Selection } from './targets.ts';

const historyDays = 30;
/** A screenful; the rest is in the bucket, where Athena reads it. */
const mostRuns = 20;

/** The last runs of an application, newest first. */
export async function history(
  { store, clock }: Pick<Session, 'store' | 'clock'>,
  selection: Selection & { readonly app: string },
): Promise<Report> {
  const targets = await selectTargets(store, selection);
  const runs = await newestRuns(store, targets, { now: clock.now(), days: historyDays, most: mostRuns });
  const rows = runs.map((run) => rowOf(run, clock.now()));
  const head = [
    'STARTED',
    'CLUSTER',
    'REASON',
    'BY',
    'REVISION',
    'COMMIT',
    'OUTCOME',
    'TOOK',
    'CHANGES',
    'HEALTH',
  ];
  const messages = runs.flatMap(({ id, outcome, rollback }) => [
    ...(rollback === undefined ? [] : [`run ${id}: rolled back by ${rollback.by}: ${rollback.reason}`]),
    ...(outcome === undefined || outcome.kind === 'applied' ? [] : [`run ${id}: ${outcome.message}`]),
  ]);
  const versions = newVersions(runs);
  const held = suspensionsOf(await readSuspensions(store), targets);
  const notes = [messages, versions, held].filter((each) => each.length > 0).flatMap((each) => ['', ...each]);
  const none = `no runs in the last ${historyDays} days`;
  const text = [runs.length === 0 ? none : table(head, rows), ...notes].join('\n');
  return { data: runs, text, names: runs.map(({ id }) => id) };
}

/** Who suspended what of it, now and lately, newest first. */
function suspensionsOf(suspensions: Suspensions | undefined, targets: readonly Target[]): readonly string[] {
  const isOfThese = (one: SuspensionScope): boolean => targets.some((target) => isInScope(one, target));
  const { active = [], ended = [] } = suspensions ?? {};
  return [
    ...active.filter(isOfThese).toReversed().map(describeSuspension),
    ...ended.filter(isOfThese).map((one) => {
      const how = one.endedBy === undefined ? 'its time was over' : `resumed by ${one.endedBy}`;
      return `${describeSuspension(one)}; ended at ${one.endedAt}, ${how}`;
    }),
  ];
}

/** Which run was the first of those shown to apply another version of a value that Secrets refer to. */
function newVersions(runs: readonly KeyedRun[]): readonly string[] {
  return runs.flatMap(({ id, target, plan, outcome }, index) => {
    if (outcome?.kind !== 'applied') return [];
    const before = runs
      .slice(index + 1)
      .find((run) => run.outcome?.kind === 'applied' && targetKey(run.target) === targetKey(target));
    return rotationsBetween(before?.plan.secretVersions, plan.secretVersions).map(
      ({ place, current }) => `run ${id}: ${place} with version ${current}`,
    );
  });
}

function rowOf(run: KeyedRun, now: number): string[] {
  const { outcome, health, commit } = run;
  const took =
    outcome === undefined ? '-' : duration((Date.parse(outcome.at) - Date.parse(run.startedAt)) / 1000);
  return [
    `${age(run.startedAt, now)} ago`,
    run.target.cluster,
    run.reason,
    clipped(nameOfPerson(run.requestedBy), 24),
    short(commit.sha),
    clipped(`${commit.subject} (${commit.author.name})`, 40),
    coloured(outcome?.kind ?? 'unfinished'),
    took,
    outcome === undefined ? '-' : changes(outcome.counts),
    coloured(health?.status ?? '-'),
  ];
}

/** `arn:aws:sts::123456789012:assumed-role/Admin/alice 0193…` is alice; the id is `trueup sync`'s own. */
function nameOfPerson(requestedBy: string): string {
  return requestedBy.replace(/^arn:.*\//, '').replace(/ [0-9a-f-]{36}$/, '');
}

/** `3 created, 1 pruned`; what did not happen is left out. */
function changes(counts: NonNullable<RunRecord['outcome']>['counts']): string {
  const told = Object.entries(counts).filter(([name, count]) => count > 0 && name !== 'unchanged');
  return told.length === 0 ? 'none' : told.map(([name, count]) => `${count} ${name}`).join(', ');
}
