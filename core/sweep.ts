import type { StackConfig } from './contract/config.ts';
import { keys } from './contract/keys.ts';
import { requestSeconds } from './contract/kubernetes.ts';
import { readDocument, updateDocument } from './documents.ts';
import { sendDriftMetrics } from './drift-metrics.ts';
import { closeAllEpisodes, driftingApplications } from './episodes.ts';
import { Blocked, Retry, messageOf } from './errors.ts';
import { inBatches } from './in-batches.ts';
import { clusterCheckSchema, type ClusterCheck, type TargetCheck } from './model/check.ts';
import { keyedDigest } from './model/digest.ts';
import { isoTime, millisecondsOf } from './model/time.ts';
import type { Cluster, Clusters } from './ports.ts';
import { checkTarget, unjudged, type CheckDeps, type SweptCluster } from './sweep/check-target.ts';
import { askForExpiredPins } from './sweep/expired-pins.ts';
import { listLabelled } from './sweep/extra-objects.ts';
import { limitRequests } from './sweep/limit-requests.ts';
import { sendCheckMetrics } from './sweep/sweep-metrics.ts';
import { isFinished, readTargetState, type TargetState } from './sweep/target-state.ts';

export interface SweepDeps extends CheckDeps {
  readonly clusters: Clusters;
  readonly config: StackConfig;
  /** Time by which the sweep must have ended, in milliseconds since the epoch. */
  readonly deadline: number;
}

const targetsAtOnce = 8;
const requestsAtOnce = 10;
/** What a sweep keeps back: for the last target that it began, and for the records at its end. */
const reserveMs = 25_000;
const endReserveMs = 5_000;

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
 * them. A cluster that cannot be read makes its targets Unknown, with the reason; that is an outcome, not an error.
 */
export async function sweepCluster(
  { cluster, requestedBy }: { readonly cluster: string; readonly requestedBy: string },
  deps: SweepDeps,
): Promise<ClusterCheck> {
  const previous = (await readDocument(deps.store, keys.check(cluster), clusterCheckSchema))?.value;
  const all = await readStates(cluster, deps);
  const drifting = await driftingApplications(deps.store, cluster);
  await closeFinished(deps, all, drifting);
  await askForExpiredPins(
    all.map(({ pointer }) => pointer),
    deps,
  );
  const states = all.filter((state) => !isFinished(state));
  const digestKey = await deps.sealer.digestKey();
  const mask = (secret: string) => keyedDigest(digestKey, secret);
  const seen = await lookAround(cluster, states, { drifting, mask }, deps).catch(unreachable);
  const { checks, lost } =
    typeof seen === 'string'
      ? { checks: new Map<string, TargetCheck>(), lost: seen }
      : await checkDue(deps, seen, states, previous);
  const targets = allChecks(deps, states, { previous, checks, lost });
  const check = await writeCheck(deps, {
    cluster,
    requestedBy,
    targets,
    ...(lost === undefined ? {} : { unreachable: lost }),
  });
  await sendMetrics(deps, check, previous, states, drifting.size > 0);
  return check;
}

/** What came of the targets that were looked at, by application; `lost` is why the cluster does not answer any more. */
interface Checks {
  readonly checks: ReadonlyMap<string, TargetCheck | undefined>;
  readonly lost: string | undefined;
}

async function checkDue(
  deps: SweepDeps,
  seen: SweptCluster,
  states: readonly TargetState[],
  previous: ClusterCheck | undefined,
): Promise<Checks> {
  const checks = new Map<string, TargetCheck | undefined>();
  let lost: string | undefined;
  await inBatches(dueFirst(states, previous, deps), targetsAtOnce, async (state) => {
    if (lost !== undefined || deps.clock.now() > deps.deadline - reserveMs) return;
    const { target } = state.pointer;
    const before = previous?.targets[target.application];
    try {
      checks.set(target.application, await checkTarget(deps, seen, target, before));
    } catch (error) {
      if (!(error instanceof Retry)) throw error;
      const why = await whyLost(seen.cluster);
      // Late requests are not even sent: that says nothing about the cluster, and the entry stays as it is.
      if (!hasTimeToAsk(deps)) return;
      lost ??= why;
      const verdict = { sync: 'Unknown', reason: error.message } as const;
      checks.set(target.application, unjudged(deps, state, before, verdict));
    }
  });
  return { checks, lost };
}

/** An entry for every target: what was not reached keeps the one it has, and its age tells; Unknown once all is lost. */
function allChecks(
  deps: SweepDeps,
  states: readonly TargetState[],
  { checks, lost, previous }: Checks & { readonly previous: ClusterCheck | undefined },
): ClusterCheck['targets'] {
  const entries = states.flatMap((state): [string, TargetCheck][] => {
    const { application } = state.pointer.target;
    const before = previous?.targets[application];
    const unknown = (reason: string) => unjudged(deps, state, before, { sync: 'Unknown', reason });
    if (checks.has(application)) {
      const check = checks.get(application);
      return check === undefined ? [] : [[application, check]];
    }
    if (lost !== undefined) return [[application, unknown(lost)]];
    return [[application, before ?? unknown('the sweep had no time left for it')]];
  });
  return Object.fromEntries(entries);
}

/** Every target of the cluster, with what its records say. */
async function readStates(cluster: string, deps: SweepDeps): Promise<readonly TargetState[]> {
  const prefix = keys.desiredOfCluster(cluster);
  const applications = await Array.fromAsync(deps.store.list(prefix), (key) =>
    key.slice(prefix.length, -'.json'.length),
  );
  const states = await inBatches(applications, targetsAtOnce, async (application) =>
    readTargetState(deps, { cluster, application }),
  );
  return states.filter((state) => state !== undefined);
}

/** Nobody looks at a finished target again; what its last run left open is closed here, or it would alarm for ever. */
async function closeFinished(
  deps: SweepDeps,
  states: readonly TargetState[],
  drifting: ReadonlySet<string>,
): Promise<void> {
  for (const state of states) {
    const { target } = state.pointer;
    if (state.busy || !isFinished(state) || !drifting.has(target.application)) continue;
    await closeAllEpisodes(deps, { target, state: 'overwritten' });
  }
}

/** Connects once, and reads what is the same for all targets. */
async function lookAround(
  name: string,
  states: readonly TargetState[],
  given: Pick<SweptCluster, 'drifting' | 'mask'>,
  deps: SweepDeps,
): Promise<SweptCluster> {
  const connection = await deps.clusters.connect(name, () => deps.deadline - endReserveMs);
  const served = await connection.resources();
  const cluster = limitRequests(connection, requestsAtOnce);
  const inventories = states.flatMap(({ inventory }) => inventory ?? []);
  const entries = inventories.flatMap((inventory) => Object.entries(inventory.entries));
  return {
    ...given,
    cluster,
    served,
    labelled: await listLabelled(cluster, inventories, served),
    known: new Set(entries.map(([key]) => key)),
    uids: new Set(entries.flatMap(([, { uid }]) => uid ?? [])),
  };
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

/** Those due by their application's interval, or never completely checked, longest wait first. */
function dueFirst(
  states: readonly TargetState[],
  previous: ClusterCheck | undefined,
  { clock }: SweepDeps,
): readonly TargetState[] {
  const lastOf = ({ pointer }: TargetState) => previous?.targets[pointer.target.application];
  const isDue = (state: TargetState): boolean => {
    const last = lastOf(state);
    const { intervalSeconds } = state.pointer.settings;
    if (last === undefined || intervalSeconds === undefined) return true;
    if (last.sync !== 'Synced' && last.sync !== 'Drifted') return true;
    // A schedule that comes a moment early must not skip a whole round.
    const slackMs = 30_000;
    return clock.now() + slackMs >= millisecondsOf(last.at) + intervalSeconds * 1000;
  };
  const atOf = (state: TargetState) => lastOf(state)?.at ?? '';
  return states.filter(isDue).sort((a, b) => (atOf(a) < atOf(b) ? -1 : 1));
}

async function writeCheck(
  { store, clock }: SweepDeps,
  content: Omit<ClusterCheck, 'version' | 'seq' | 'at'>,
): Promise<ClusterCheck> {
  const key = keys.check(content.cluster);
  const written = await updateDocument(store, key, clusterCheckSchema, (current) => ({
    ...content,
    version: 1 as const,
    seq: (current?.seq ?? 0) + 1,
    at: isoTime(clock.now()),
  }));
  if (written === undefined) throw new Error('an update that always gives a document gave none');
  return written;
}

async function sendMetrics(
  deps: SweepDeps,
  check: ClusterCheck,
  previous: ClusterCheck | undefined,
  states: readonly TargetState[],
  hadDrift: boolean,
): Promise<void> {
  const intervals = new Map(
    states.flatMap(({ pointer: { target, settings } }) =>
      settings.intervalSeconds === undefined ? [] : [[target.application, settings.intervalSeconds] as const],
    ),
  );
  const clusters = deps.config.clusters.map(({ name }) => name);
  await sendCheckMetrics(deps, check, previous, { intervals, clusters });
  await sendDriftMetrics(deps, check.cluster, { closed: hadDrift });
}
