import type { StackConfig } from './contract/config.ts';
import { requestSeconds } from './contract/kubernetes.ts';
import { sendDriftMetrics } from './drift-metrics.ts';
import { Retry, Stop } from './errors.ts';
import { readFleet, type Fleet } from './fleet.ts';
import { holdsOnDemand } from './holds.ts';
import { inBatches } from './in-batches.ts';
import { askAnew } from './lost-snapshot.ts';
import type { ClusterCheck, TargetCheck } from './model/check.ts';
import { isoTime, millisecondsOf } from './model/time.ts';
import { traceOf } from './model/trace.ts';
import type { Clusters } from './ports.ts';
import { SharedValues } from './resolve-references.ts';
import {
  beginCheck,
  concludeCheck,
  unjudged,
  type Checked,
  type CheckDeps,
  type Looked,
} from './sweep/check-target.ts';
import { sendFailedDiscoveries } from './sweep/discovery-metrics.ts';
import { followClusters, type FollowClustersDeps } from './sweep/follow-clusters.ts';
import { followFacts } from './sweep/follow-facts.ts';
import { isFullCheckDue } from './sweep/full-check-clock.ts';
import { KnownDocuments } from './sweep/known-documents.ts';
import { rememberedKinds } from './sweep/listed-kinds.ts';
import { lookAround, openCluster, type Connection, type Surroundings } from './sweep/look-around.ts';
import { sendOldestCheck } from './sweep/oldest-check.ts';
import { sameVersions, type AllVersions } from './sweep/records.ts';
import { checkSettled } from './sweep/settled-target.ts';
import { openState, openTargets, startSweep, type SweepStart } from './sweep/sweep-start.ts';
import { sendMemoryMetrics, sendTargetMetrics } from './sweep/sweep-metrics.ts';
import type { SweptCluster, SweptTarget } from './sweep/swept-cluster.ts';
import type { TargetState } from './sweep/target-state.ts';
import { lossOf, unreachable } from './sweep/why-lost.ts';
import { intervalOf, revisionOf, writeCheck, type Results, type Seen } from './sweep/write-check.ts';

export interface SweepDeps extends CheckDeps {
  readonly clusters: Clusters;
  readonly config: StackConfig;
  /** Of this store, kept by a process from sweep to sweep; left out: everything is read anew. */
  readonly documents?: KnownDocuments;
  /** Time by which the sweep must have ended, in milliseconds since the epoch. */
  readonly deadline: number;
}

/** What the schedule's request takes. */
export type FleetSweepDeps = FollowClustersDeps & Pick<SweepDeps, 'queues' | 'metrics'>;

/** Of one cluster; `full`: compare everything exactly, whatever earlier checks say of it. */
export interface ClusterSweep {
  readonly cluster: string;
  readonly requestedBy: string;
  readonly full?: boolean | undefined;
  /** Every target, due or not by its own interval: a person waits for the answer. */
  readonly all?: boolean | undefined;
}

/** What a sweep wrote, and what it could not count. */
export interface SweepResult extends ClusterCheck {
  /** Keys of indexes of open drift that a person must restore; the drift metrics are without them. */
  readonly unreadable: readonly string[];
  /** Why what renders asked of the cluster was not followed; the next sweep does that. Drift was looked for all the same. */
  readonly unfollowed?: string | undefined;
}

const targetsAtOnce = 32;
const targetsInGroup = 64;
/** What a sweep keeps back: for the last target that it began, and for the records at its end. */
const reserveMs = 25_000;
const endReserveMs = 5_000;
/**
 * Asks for a sweep of each cluster: one that does not answer must not hold up the others. Looks for clusters besides, and
 * returns what could not be looked at.
 */
export async function sweepFleet(deps: FleetSweepDeps, requestedBy: string): Promise<readonly string[]> {
  const asked = new Set<string>();
  const at = isoTime(deps.clock.now());
  const ask = async ({ clusters }: Pick<Fleet, 'clusters'>): Promise<void> => {
    const others = clusters.map(({ name }) => name).filter((name) => !asked.has(name));
    for (const name of others) asked.add(name);
    await Promise.all(
      others.map(async (cluster) =>
        deps.queues.sweep({
          version: 1,
          scope: 'cluster',
          cluster,
          requestedBy,
          trace: traceOf('schedule', at, cluster, at),
        }),
      ),
    );
  };
  // Those that are known wait for no account; those of the configuration for no record either.
  await ask(deps.config);
  const known = await readFleet(deps);
  await ask(known);
  await sendOldestCheck(
    deps,
    known.clusters.map(({ name }) => name),
  );
  // One that was just found is swept from the next time on: of one that was known before, Git is looked at first.
  const { failures, discoveries } = await followClusters(deps);
  const { sweepMinutes } = deps.config;
  await sendFailedDiscoveries(deps.metrics, discoveries, { at: deps.clock.now(), sweepMinutes });
  return failures;
}

/**
 * Checks every target of one cluster that is due, those that wait longest first, and writes one document about all of
 * them. Of what did not change since it was last found in order nothing is read but versions and metadata. A cluster that
 * cannot be read makes its targets Unknown, with the reason; that is an outcome, not an error.
 */
export async function sweepCluster(request: ClusterSweep, deps: SweepDeps): Promise<SweepResult> {
  const { cluster } = request;
  const until = () => deps.deadline - endReserveMs;
  const [connection, start] = await Promise.all([
    openCluster(deps.clusters, cluster, until).catch(unreachable),
    startSweep({ documents: new KnownDocuments(), ...deps }, cluster),
  ]);
  const server = typeof connection === 'string' ? undefined : connection.server;
  const targets = await openTargets(deps, start, { cluster, server });
  const lookAt = async (open: Connection): Promise<Done> => {
    const [seen, unfollowed] = await Promise.all([
      sweepTargets(request, deps, { start, connection: open, targets }),
      // A convenience of rendering: without it there is no less to check.
      followFacts({ ...deps, documents: start.documents }, cluster, open).then(() => undefined, unreachable),
    ]);
    return { ...seen, unfollowed };
  };
  const done = typeof connection === 'string' ? nothingDone(connection) : await lookAt(connection);
  const worth = done.missed.length > 0 ? 'nothing' : done.isRestored ? 'news' : 'all';
  const remember = async (): Promise<void> => {
    if (server === undefined || done.kinds === undefined) return;
    const { kinds, listed = new Map() } = done;
    await start.memory.save({ server, kinds, listed, kept: start.versions.keys(), worth });
  };
  // After the check document nothing would tell any more that the memory is wrong.
  if (worth !== 'all') await remember();
  const check = await writeCheck(deps, request, { start, targets, done });
  if (worth === 'all') await remember();
  const unreadable = await sendMetrics(deps, check, { start, done });
  return { ...check, unreadable, unfollowed: done.unfollowed };
}

interface Done extends Seen {
  readonly unfollowed?: string | undefined;
  /** Every target was as its last clean check left it, or none was looked at: no episode can have opened. */
  readonly isQuiet: boolean;
  /** Absent where nothing was listed. */
  readonly kinds?: Parameters<SweepStart['memory']['save']>[0]['kinds'];
  readonly listed?: Parameters<SweepStart['memory']['save']>[0]['listed'];
}

function nothingDone(lost: string): Done {
  return { checks: new Map(), late: new Set(), lost, isQuiet: true, isRestored: false, missed: [] };
}

interface Given {
  readonly start: SweepStart;
  readonly connection: Connection;
  readonly targets: readonly SweptTarget[];
}

async function sweepTargets(
  { cluster, full = false, all = false }: ClusterSweep,
  deps: SweepDeps,
  { start, connection, targets }: Given,
): Promise<Done> {
  const { digestKey, mask, drifting, openExtras, records, memory } = start;
  const clock = { now: deps.clock.now(), hours: deps.config.fullCheckHours };
  const fulls = targets.filter(
    ({ target, previous: last }) => full || isFullCheckDue(target.application, last?.fullAt, clock),
  );
  const compared = new Set(fulls);
  const isFull = (one: SweptTarget): boolean => compared.has(one);
  const seen = start.previous?.value.resourceVersion;
  const given = { digestKey, mask, seen, isFull, openExtras };
  const around = await lookAround(connection, targets, memory, given).catch(unreachable);
  if (typeof around === 'string') return nothingDone(around);
  const due = dueFirst(targets, deps, full || all || around.isRestored);
  const swept: SweptCluster = {
    ...connection,
    ...around.swept,
    records,
    drifting,
    openExtras,
    mask,
    references: new SharedValues(deps.references),
    missed: [],
    holds: holdsOnDemand(deps, cluster),
  };
  const checked = await checkDue(deps, swept, due, { start, around, isFull });
  const kinds = rememberedKinds(around.swept.labelled, memory.kinds);
  const { version, isRestored } = around;
  const listed = around.swept.labelled.kinds;
  return { ...checked, version, isRestored, missed: swept.missed, kinds, listed };
}

async function checkDue(
  deps: SweepDeps,
  swept: SweptCluster,
  due: readonly SweptTarget[],
  { start, around, isFull }: Looking,
): Promise<Pick<Done, 'checks' | 'late' | 'lost' | 'isQuiet'>> {
  const checks = new Map<string, TargetCheck>();
  const late = new Set<string>();
  const unreadable: Parameters<typeof askAnew>[0][number][] = [];
  const note = ({ target }: SweptTarget, { check, memory }: Checked): void => {
    checks.set(target.application, check);
    if (memory !== undefined) start.memory.remember(target.application, memory);
  };
  const { recalledOf } = around;
  const at = isoTime(deps.clock.now());
  const settled = new Map(
    due
      .filter((one) => !isFull(one) && one.unreadable === undefined)
      .map((one) => [one, checkSettled(at, swept, one, () => recalledOf(one))]),
  );
  // Where every object is as it was, nobody was at work on any when it was listed: the records need no second look.
  const isQuiet = due.every((one) => settled.get(one) !== undefined);
  const after = isQuiet ? start.versions : await swept.records.now();
  const left = due.filter((one) => {
    const isSame = sameVersions(one.versions, after.get(one.target.application));
    const checked = isSame ? settled.get(one) : undefined;
    if (checked !== undefined) note(one, checked);
    return checked === undefined;
  });
  const whyLost = lossOf(swept.cluster);
  let lost: string | undefined;
  const noteFault = (one: SweptTarget, reason: string): undefined => {
    note(one, { check: unjudged(deps, revisionOf(one), one.previous, { sync: 'Unknown', reason }) });
  };
  const begin = async (one: SweptTarget): Promise<Looked | undefined> => {
    if (lost !== undefined || deps.clock.now() > deps.deadline - reserveMs) return undefined;
    let state: TargetState | undefined;
    try {
      if (one.unreadable !== undefined) return noteFault(one, one.unreadable);
      state = one.state ?? (await openState(deps, one));
      if (state === undefined) return undefined;
      const known = { recalled: recalledOf(one), full: isFull(one) };
      const begun = await beginCheck(deps, swept, one, state, known);
      if ('look' in begun) return begun;
      note(one, begun);
    } catch (error) {
      unreadable.push({ error, pointer: state?.pointer });
      if (error instanceof Stop) return noteFault(one, error.message);
      if (!(error instanceof Retry)) throw error;
      const why = await whyLost();
      // Late requests are not even sent: that says nothing about the cluster, and the entry stays as it is.
      if (!hasTimeToAsk(deps)) {
        late.add(one.target.application);
        return undefined;
      }
      lost ??= why;
      noteFault(one, error.message);
    }
    return undefined;
  };
  const conclude = async (each: Looked, now: AllVersions): Promise<void> => {
    try {
      note(each.one, await concludeCheck(deps, swept, each, now));
    } catch (error) {
      // Its open episodes cannot be read, or others write to them without end.
      if (!(error instanceof Stop || error instanceof Retry)) throw error;
      noteFault(each.one, error.message);
    }
  };
  // In groups: one look at the versions of all records serves a whole group.
  for (const group of groupsOf(left, targetsInGroup)) {
    const begun = await inBatches(group, targetsAtOnce, begin);
    const looked = begun.filter((each) => each !== undefined);
    if (looked.length === 0) continue;
    const now = await swept.records.now();
    await inBatches(looked, targetsAtOnce, async (each) => conclude(each, now));
  }
  await askAnew(unreadable, deps);
  return { checks, late, lost, isQuiet };
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

/** Whether one more request to the cluster could surely end before what is kept back for the records. */
function hasTimeToAsk({ clock, deadline }: SweepDeps): boolean {
  return clock.now() + requestSeconds * 1000 <= deadline - endReserveMs;
}

/**
 * Those due by their application's interval, or never completely checked, or `all`; longest wait first. Looks in vain
 * count too: targets that stay Unknown, and may be slow to say so, must not keep the others from their turn.
 */
function dueFirst(
  targets: readonly SweptTarget[],
  { clock }: SweepDeps,
  all: boolean,
): readonly SweptTarget[] {
  const isDue = (one: SweptTarget): boolean => {
    const last = one.previous;
    const intervalSeconds = intervalOf(one);
    if (all || last === undefined || intervalSeconds === undefined || one.unreadable !== undefined)
      return true;
    if (last.sync !== 'Synced' && last.sync !== 'Drifted') return true;
    // A schedule that comes a moment early must not skip a whole round.
    const slackMs = 30_000;
    return clock.now() + slackMs >= millisecondsOf(last.at) + intervalSeconds * 1000;
  };
  const atOf = ({ previous }: SweptTarget) => previous?.triedAt ?? previous?.at ?? '';
  return targets.filter(isDue).sort((a, b) => (atOf(a) < atOf(b) ? -1 : 1));
}

async function sendMetrics(
  deps: SweepDeps,
  check: ClusterCheck,
  { start, done }: Pick<Results, 'start'> & { readonly done: Done },
): Promise<readonly string[]> {
  await sendTargetMetrics(deps.metrics, check, start.previous?.value);
  await sendMemoryMetrics(deps, done);
  if (done.isQuiet && start.drifting.size === 0) return [];
  return sendDriftMetrics(deps, check.cluster, { closed: start.drifting.size > 0 });
}
