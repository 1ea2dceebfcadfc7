import type { StackConfig } from './contract/config.ts';
import { keys } from './contract/keys.ts';
import { requestSeconds } from './contract/kubernetes.ts';
import { replaceDocument } from './documents.ts';
import { sendDriftMetrics } from './drift-metrics.ts';
import { Blocked, Retry, messageOf } from './errors.ts';
import { inBatches } from './in-batches.ts';
import { clusterCheckSchema, type ClusterCheck, type TargetCheck } from './model/check.ts';
import { isoTime, millisecondsOf } from './model/time.ts';
import type { Cluster, Clusters } from './ports.ts';
import {
  appliedRevision,
  beginCheck,
  concludeCheck,
  unjudged,
  type Checked,
  type CheckDeps,
  type Looked,
} from './sweep/check-target.ts';
import { isFullCheckDue } from './sweep/full-check-clock.ts';
import { healthChanges, withSince } from './sweep/health-changes.ts';
import { lookAround, newer, openCluster, type Connection, type Surroundings } from './sweep/look-around.ts';
import { sameVersions } from './sweep/records.ts';
import { checkSettled } from './sweep/settled-target.ts';
import { openState, openTargets, startSweep, type SweepStart } from './sweep/sweep-start.ts';
import { sendCheckMetrics, sendMemoryMetrics } from './sweep/sweep-metrics.ts';
import type { SweptCluster, SweptTarget } from './sweep/swept-cluster.ts';

export interface SweepDeps extends CheckDeps {
  readonly clusters: Clusters;
  readonly config: StackConfig;
  /** Time by which the sweep must have ended, in milliseconds since the epoch. */
  readonly deadline: number;
}

/** Of one cluster; `full`: compare everything exactly, whatever earlier checks say of it. */
export interface ClusterSweep {
  readonly cluster: string;
  readonly requestedBy: string;
  readonly full?: boolean | undefined;
}

const targetsAtOnce = 32;
const targetsInGroup = 64;
/** What a sweep keeps back: for the last target that it began, and for the records at its end. */
const reserveMs = 25_000;
const endReserveMs = 5_000;
/** Objects by name in the check document; the figure counts all of them. */
const mostNamed = 50;

/** Asks for a sweep of each configured cluster: one that does not answer must not hold up the others. */
export async function sweepFleet(
  { config, queues }: Pick<SweepDeps, 'config' | 'queues'>,
  requestedBy: string,
): Promise<void> {
  await Promise.all(
    config.clusters.map(async ({ name }) =>
      queues.sweep({ version: 1, scope: 'cluster', cluster: name, requestedBy }),
    ),
  );
}

/**
 * Checks every target of one cluster that is due, those that wait longest first, and writes one document about all of
 * them. Of what did not change since it was last found in order nothing is read but versions and metadata. A cluster that
 * cannot be read makes its targets Unknown, with the reason; that is an outcome, not an error.
 */
export async function sweepCluster(request: ClusterSweep, deps: SweepDeps): Promise<ClusterCheck> {
  const { cluster } = request;
  const until = () => deps.deadline - endReserveMs;
  const [connection, start] = await Promise.all([
    openCluster(deps.clusters, cluster, until).catch(unreachable),
    startSweep(deps, cluster),
  ]);
  const server = typeof connection === 'string' ? undefined : connection.server;
  const targets = await openTargets(deps, start, { cluster, server });
  const done =
    typeof connection === 'string'
      ? nothingDone(connection)
      : await sweepTargets(request, deps, { start, connection, targets });
  const check = await writeCheck(deps, request, { start, targets, done });
  if (server !== undefined && done.kinds !== undefined) {
    const kept = start.versions.keys();
    const worth = done.missed.length > 0 ? 'nothing' : done.isRestored ? 'news' : 'all';
    await start.memory.save({ server, kinds: done.kinds, kept, worth });
  }
  await sendMetrics(deps, check, { start, targets, done });
  return check;
}

/** What a sweep saw. */
interface Done {
  /** Of the targets that were looked at, by application. */
  readonly checks: ReadonlyMap<string, TargetCheck>;
  /** Why the cluster does not answer any more. */
  readonly lost: string | undefined;
  readonly version?: string | undefined;
  readonly isRestored: boolean;
  readonly missed: readonly string[];
  /** Absent where nothing was listed. */
  readonly kinds?: Parameters<SweepStart['memory']['save']>[0]['kinds'];
}

function nothingDone(lost: string): Done {
  return { checks: new Map(), lost, isRestored: false, missed: [] };
}

interface Given {
  readonly start: SweepStart;
  readonly connection: Connection;
  readonly targets: readonly SweptTarget[];
}

async function sweepTargets(
  { full = false }: ClusterSweep,
  deps: SweepDeps,
  { start, connection, targets }: Given,
): Promise<Done> {
  const { mask, drifting, records, memory } = start;
  const clock = { now: deps.clock.now(), hours: deps.config.fullCheckHours };
  const fulls = targets.filter(
    ({ target, previous: last }) => full || isFullCheckDue(target.application, last?.fullAt, clock),
  );
  const compared = new Set(fulls);
  const isFull = (one: SweptTarget): boolean => compared.has(one);
  const seen = start.previous?.value.resourceVersion;
  const around = await lookAround(connection, targets, memory, { mask, seen, isFull }).catch(unreachable);
  if (typeof around === 'string') return nothingDone(around);
  const due = dueFirst(targets, deps, full || around.isRestored);
  const swept: SweptCluster = { ...connection, ...around.swept, records, drifting, mask, missed: [] };
  const { checks, lost } = await checkDue(deps, swept, due, { start, around, isFull });
  const kinds = [...around.swept.labelled.kinds].flatMap(([kind, { remembered }]) =>
    remembered === undefined ? [] : [[kind, remembered] as const],
  );
  const { version, isRestored } = around;
  return { checks, lost, version, isRestored, missed: swept.missed, kinds: Object.fromEntries(kinds) };
}

async function checkDue(
  deps: SweepDeps,
  swept: SweptCluster,
  due: readonly SweptTarget[],
  { start, around, isFull }: Looking,
): Promise<Pick<Done, 'checks' | 'lost'>> {
  const checks = new Map<string, TargetCheck>();
  const note = ({ target }: SweptTarget, { check, memory }: Checked): void => {
    checks.set(target.application, check);
    if (memory !== undefined) start.memory.remember(target.application, memory);
  };
  const recalledOf = ({ target }: SweptTarget) => around.recalled.get(target.application) ?? new Map();
  const after = await swept.records.now();
  const left = due.filter((one) => {
    const isSame = sameVersions(one.versions, after.get(one.target.application));
    const settled =
      isFull(one) || !isSame ? undefined : checkSettled(deps.clock.now(), swept, one, recalledOf(one));
    if (settled !== undefined) note(one, settled);
    return settled === undefined;
  });
  let lost: string | undefined;
  let asking: Promise<string | undefined> | undefined;
  const begin = async (one: SweptTarget): Promise<Looked | undefined> => {
    if (lost !== undefined || deps.clock.now() > deps.deadline - reserveMs) return undefined;
    try {
      const state = one.state ?? (await openState(deps, one));
      if (state === undefined) return undefined;
      const known = { recalled: recalledOf(one), full: isFull(one) };
      const begun = await beginCheck(deps, swept, one, state, known);
      if ('look' in begun) return begun;
      note(one, begun);
    } catch (error) {
      if (!(error instanceof Retry)) throw error;
      // Those under way at the same time fail together: asking once is enough for them.
      asking ??= whyLost(swept.cluster).finally(() => (asking = undefined));
      const why = await asking;
      // Late requests are not even sent: that says nothing about the cluster, and the entry stays as it is.
      if (!hasTimeToAsk(deps)) return undefined;
      lost ??= why;
      const verdict = { sync: 'Unknown', reason: error.message } as const;
      note(one, { check: unjudged(deps, revisionOf(one), one.previous, verdict) });
    }
    return undefined;
  };
  // In groups: one look at the versions of all records serves a whole group.
  for (const group of groupsOf(left, targetsInGroup)) {
    const begun = await inBatches(group, targetsAtOnce, begin);
    const looked = begun.filter((each) => each !== undefined);
    if (looked.length === 0) continue;
    const now = await swept.records.now();
    await inBatches(looked, targetsAtOnce, async (each) =>
      note(each.one, await concludeCheck(deps, swept, each, now)),
    );
  }
  return { checks, lost };
}

function groupsOf<T>(items: readonly T[], size: number): readonly (readonly T[])[] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, group) =>
    items.slice(group * size, (group + 1) * size),
  );
}

interface Looking {
  readonly start: SweepStart;
  readonly around: Surroundings;
  readonly isFull: (target: SweptTarget) => boolean;
}

function revisionOf({ state, memory, previous }: SweptTarget): number {
  if (state !== undefined) return appliedRevision(state);
  return memory?.settled?.revision ?? previous?.revision ?? 0;
}

/** Why the cluster could not be looked at, for its targets; anything else is a fault of ours and passes on. */
function unreachable(error: unknown): string {
  if (error instanceof Retry || error instanceof Blocked) return messageOf(error);
  throw error;
}

/** Whether one more request to the cluster could surely end before what is kept back for the records. */
function hasTimeToAsk({ clock, deadline }: SweepDeps): boolean {
  return clock.now() + requestSeconds * 1000 <= deadline - endReserveMs;
}

/** A request that failed may be one slow answer; a cluster that does not even list its kinds is lost. */
async function whyLost(cluster: Cluster): Promise<string | undefined> {
  return cluster.resources({ refresh: true }).then(() => undefined, unreachable);
}

/** Those due by their application's interval, or never completely checked, or `all`; longest wait first. */
function dueFirst(
  targets: readonly SweptTarget[],
  { clock }: SweepDeps,
  all: boolean,
): readonly SweptTarget[] {
  const isDue = (one: SweptTarget): boolean => {
    const last = one.previous;
    const intervalSeconds = intervalOf(one);
    if (all || last === undefined || intervalSeconds === undefined) return true;
    if (last.sync !== 'Synced' && last.sync !== 'Drifted') return true;
    // A schedule that comes a moment early must not skip a whole round.
    const slackMs = 30_000;
    return clock.now() + slackMs >= millisecondsOf(last.at) + intervalSeconds * 1000;
  };
  const atOf = ({ previous }: SweptTarget) => previous?.at ?? '';
  return targets.filter(isDue).sort((a, b) => (atOf(a) < atOf(b) ? -1 : 1));
}

function intervalOf({ state, memory }: SweptTarget): number | undefined {
  return (state?.pointer.settings ?? memory)?.intervalSeconds;
}

interface Results {
  readonly start: SweepStart;
  readonly targets: readonly SweptTarget[];
  readonly done: Done;
}

/** An entry for every target: what was not reached keeps the one it has, and its age tells; Unknown once all is lost. */
function allChecks(deps: SweepDeps, { targets, done }: Results): ClusterCheck['targets'] {
  const at = isoTime(deps.clock.now());
  const entries = targets.map((one): [string, TargetCheck] => {
    const { application } = one.target;
    const { previous } = one;
    const unknown = (reason: string) =>
      unjudged(deps, revisionOf(one), previous, { sync: 'Unknown', reason });
    const check =
      done.checks.get(application) ??
      (done.lost === undefined
        ? (previous ?? unknown('the sweep had no time left for it'))
        : unknown(done.lost));
    return [application, withSince(check, previous, at)];
  });
  return Object.fromEntries(entries);
}

async function writeCheck(
  deps: SweepDeps,
  { cluster, requestedBy }: ClusterSweep,
  results: Results,
): Promise<ClusterCheck> {
  const { start, done } = results;
  const at = isoTime(deps.clock.now());
  const targets = allChecks(deps, results);
  const changes = healthChanges({ cluster, at, targets }, start.previous?.value.targets);
  if (changes.length > 0) await deps.bus.publish(changes);
  const next = (current: ClusterCheck | undefined): ClusterCheck => ({
    version: 1,
    seq: (current?.seq ?? 0) + 1,
    cluster,
    at,
    requestedBy,
    ...(done.lost !== undefined && { unreachable: done.lost }),
    ...signsOfTrouble(done, current, start.previous?.value.resourceVersion, at),
    targets,
  });
  return replaceDocument(deps.store, keys.check(cluster), clusterCheckSchema, start.previous, next);
}

/** What is told of the server and of the memory until it happens again. */
function signsOfTrouble(
  { isRestored, version, missed }: Done,
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

async function sendMetrics(
  deps: SweepDeps,
  check: ClusterCheck,
  { start, targets, done }: Results,
): Promise<void> {
  const intervals = new Map(
    targets.flatMap((one) => {
      const intervalSeconds = intervalOf(one);
      return intervalSeconds === undefined ? [] : [[one.target.application, intervalSeconds] as const];
    }),
  );
  const clusters = deps.config.clusters.map(({ name }) => name);
  await sendCheckMetrics(deps, check, start.previous?.value, { intervals, clusters });
  await sendMemoryMetrics(deps, done);
  await sendDriftMetrics(deps, check.cluster, { closed: start.drifting.size > 0 });
}
