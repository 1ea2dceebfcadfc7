import { keys } from '../contract/keys.ts';
import type { Document } from '../documents.ts';
import { Retry } from '../errors.ts';
import { clusterCheckSchema, type ClusterCheck, type TargetCheck } from '../model/check.ts';
import { isoTime } from '../model/time.ts';
import type { WriteCondition } from '../ports.ts';
import { appliedRevision, unjudged, type CheckDeps } from './check-target.ts';
import { healthChanges, withSince } from './health-changes.ts';
import { newer } from './look-around.ts';
import { oldestCheckAt } from './oldest-check.ts';
import type { SweepStart } from './sweep-start.ts';
import { hasFailed } from './judge-target.ts';
import type { SweptTarget } from './swept-cluster.ts';

/** What a sweep saw. */
export interface Seen {
  /** Of the targets that were looked at, by application. */
  readonly checks: ReadonlyMap<string, TargetCheck>;
  /** Applications of the targets whose look had begun when the time was over. */
  readonly late: ReadonlySet<string>;
  /** Why the cluster does not answer any more. */
  readonly lost: string | undefined;
  readonly version?: string | undefined;
  readonly isRestored: boolean;
  readonly missed: readonly string[];
}

export interface Results {
  readonly start: SweepStart;
  readonly targets: readonly SweptTarget[];
  readonly done: Seen;
}

/** Objects by name in the check document; the figure counts all of them. */
const mostNamed = 50;
/** Sweeps of one cluster that end at the same time; more than that is a bug. */
const writeTries = 12;

/** Writes the one document of a sweep. What another sweep wrote meanwhile stands for all that this one did not look at. */
export async function writeCheck(
  deps: CheckDeps,
  { cluster, requestedBy }: { readonly cluster: string; readonly requestedBy: string },
  results: Results,
): Promise<ClusterCheck> {
  const { start, done } = results;
  const key = keys.check(cluster);
  const at = isoTime(deps.clock.now());
  let current = start.previous;
  const intervals = intervalsOf(results.targets);
  for (let attempt = 0; attempt < writeTries; attempt += 1) {
    const all = allChecks(deps, results, current);
    const check: ClusterCheck = {
      version: 1,
      seq: (current?.value.seq ?? 0) + 1,
      cluster,
      at,
      requestedBy,
      ...(done.lost !== undefined && { unreachable: done.lost }),
      ...signsOfTrouble(done, current?.value, start.previous?.value.resourceVersion, at),
      oldestAt: oldestCheckAt({ at, targets: all }, intervals),
      targets: all,
    };
    // Before the document: one that dies in between tells twice, and not never.
    const changes = healthChanges(check, current?.value.targets);
    if (changes.length > 0) await deps.bus.publish(changes);
    const condition: WriteCondition = current === undefined ? 'absent' : { etag: current.etag };
    const writing = { schema: clusterCheckSchema, value: check, condition };
    if ((await start.documents.write(deps.store, key, writing)).kind === 'written') return check;
    current = await start.documents.read(deps.store, key, clusterCheckSchema);
  }
  throw new Retry({ subject: key, message: `changed under us ${writeTries} times in a row; try again` });
}

/** An entry for every target: what was not reached keeps the one it has, and its age tells; Unknown once all is lost. */
function allChecks(
  deps: CheckDeps,
  { start, targets, done }: Results,
  current: Document<ClusterCheck> | undefined,
): ClusterCheck['targets'] {
  const at = isoTime(deps.clock.now());
  const entries = targets.map((one): [string, TargetCheck] => {
    const { application } = one.target;
    const last = current?.value.targets[application];
    const unknown = (reason: string): TargetCheck => {
      const check = unjudged(deps, revisionOf(one), last, { sync: 'Unknown', reason });
      // Nobody looked at it: its turn comes no later for that.
      return { ...check, triedAt: last?.triedAt ?? check.at };
    };
    const check =
      done.checks.get(application) ??
      (done.lost === undefined ? (last ?? unknown('the sweep had no time left for it')) : unknown(done.lost));
    const tried = done.late.has(application) ? { triedAt: at } : {};
    const preview = isPreview(one, last) && { preview: true as const };
    // Records that are as they were when the target was last found in order tell of no failure.
    const failed = hasFailed(one.state, check, last) && { failed: true as const };
    const { failed: _before, ...rest } = check;
    return [application, withSince({ ...rest, ...tried, ...preview, ...failed }, last, at)];
  });
  // Targets that came while this sweep was at work are known to the other one alone.
  const isNew = (application: string): boolean =>
    !start.versions.has(application) && start.previous?.value.targets[application] === undefined;
  const others = Object.entries(current?.value.targets ?? {}).filter(([application]) => isNew(application));
  return Object.fromEntries([...others, ...entries]);
}

/** What is to go calls somebody when it stays, whatever it was. */
function isPreview({ state }: SweptTarget, last: TargetCheck | undefined): boolean {
  if (state === undefined) return last?.preview === true;
  return state.pointer.state === 'present' && state.pointer.settings.environment !== undefined;
}

/** What is told of the server and of the memory until it happens again. */
function signsOfTrouble(
  { isRestored, version, missed }: Seen,
  current: ClusterCheck | undefined,
  from: string | undefined,
  at: string,
): Pick<ClusterCheck, 'resourceVersion' | 'restored' | 'missed'> {
  const highest = isRestored ? version : newer(current?.resourceVersion, version);
  return {
    ...(highest !== undefined && { resourceVersion: highest }),
    ...(current?.restored !== undefined && { restored: current.restored }),
    ...(current?.missed !== undefined && { missed: current.missed }),
    ...(isRestored && { restored: { at, from: from ?? '', to: version ?? '' } }),
    ...(missed.length > 0 && { missed: { at, objects: missed.slice(0, mostNamed) } }),
  };
}

/** Of the desired pointer that was applied, as far as anything says. */
export function revisionOf({ state, memory, previous }: SweptTarget): number {
  if (state !== undefined) return appliedRevision(state);
  return memory?.settled?.revision ?? previous?.revision ?? 0;
}

/** Least seconds between two checks, where its application asks for that. */
export function intervalOf({ state, memory }: SweptTarget): number | undefined {
  return (state?.pointer.settings ?? memory)?.intervalSeconds;
}

function intervalsOf(targets: readonly SweptTarget[]): ReadonlyMap<string, number> {
  return new Map(
    targets.flatMap((one) => {
      const intervalSeconds = intervalOf(one);
      return intervalSeconds === undefined ? [] : [[one.target.application, intervalSeconds] as const];
    }),
  );
}
