import { canaryApplication } from './contract/canary.ts';
import { keys, prefixes } from './contract/keys.ts';
import { metrics } from './contract/metrics.ts';
import { readDocument } from './documents.ts';
import { Stop } from './errors.ts';
import { inBatches } from './in-batches.ts';
import { openDriftSchema, type OpenDrift } from './model/drift.ts';
import type { Target } from './model/target.ts';
import { millisecondsOf } from './model/time.ts';
import type { Clock, MetricDatum, Metrics, Store } from './ports.ts';
import { totalsOf, type Episode } from './record.ts';

interface MetricsDeps {
  readonly store: Store;
  readonly metrics: Metrics;
  readonly clock: Pick<Clock, 'now'>;
}

const readsAtOnce = 32;

/**
 * Sends DriftedObjects, OldestDriftSeconds and ForeignFields of one cluster while it drifts, and once as 0 when `closed`
 * says that the last may just have ended. Nothing of other clusters is read: the figures of the fleet are those of its
 * worst cluster, which CloudWatch finds by itself. An index that cannot be read counts for nothing, and its key is in the
 * answer: the figures of all other targets still stand.
 */
export async function sendDriftMetrics(
  deps: MetricsDeps,
  cluster: string,
  { closed }: { readonly closed: boolean },
): Promise<readonly string[]> {
  const unreadable: string[] = [];
  const drifting = await Array.fromAsync(deps.store.list(`${prefixes.openDrift}${cluster}/`));
  // Drift of the canary is made on purpose, and has a metric of its own.
  const canary = keys.openDrift({ cluster, application: canaryApplication });
  const counted = drifting.filter((key) => key !== canary);
  const read = await inBatches(counted, readsAtOnce, async (key) => {
    const index = await readIndex(deps.store, key);
    if (index === 'unreadable') unreadable.push(key);
    return index === undefined || index === 'unreadable' ? [] : Object.values(index.episodes);
  });
  const episodes = read.flat();
  if (episodes.length > 0 || closed) await send(deps, cluster, episodes);
  return unreadable;
}

/**
 * Between two sweeps, of one target that was looked at or put right: what it has open, which is the least that its cluster
 * has; all zeros where nothing drifts on the cluster any more. However many others drift, nothing of them is read.
 */
export async function sendDriftOf(
  deps: MetricsDeps,
  { cluster, application }: Target,
  open: OpenDrift['episodes'],
): Promise<void> {
  const episodes = application === canaryApplication ? [] : Object.values(open);
  if (episodes.length > 0 || !(await isDrifting(deps.store, cluster))) await send(deps, cluster, episodes);
}

async function isDrifting(store: Store, cluster: string): Promise<boolean> {
  const canary = keys.openDrift({ cluster, application: canaryApplication });
  const first = await Array.fromAsync(store.list(`${prefixes.openDrift}${cluster}/`, { limit: 2 }));
  return first.some((key) => key !== canary);
}

/** Of one target: a document that a person must restore says nothing of the others. */
async function readIndex(store: Store, key: string): Promise<OpenDrift | 'unreadable' | undefined> {
  try {
    return (await readDocument(store, key, openDriftSchema))?.value;
  } catch (error) {
    if (error instanceof Stop) return 'unreadable';
    throw error;
  }
}

/** The same for the cluster and for the fleet: an alarm asks for the highest of a period, whichever cluster sent it. */
async function send(
  { metrics: port, clock }: MetricsDeps,
  cluster: string,
  episodes: readonly Episode[],
): Promise<void> {
  const data = driftData(episodes, clock.now());
  await port.put([...data.map((datum) => ({ ...datum, cluster })), ...data, ...loopData(episodes)]);
}

/** Of the fleet alone, and only while there are any: rare enough to cost nothing, and its alarm takes silence for OK. */
function loopData(episodes: readonly Episode[]): MetricDatum[] {
  const { loops } = totalsOf(episodes);
  return loops === 0 ? [] : [{ name: metrics.healLoops, value: loops, unit: 'Count' }];
}

function driftData(episodes: readonly Episode[], now: number): MetricDatum[] {
  const { objects, foreignFields, oldest } = totalsOf(episodes);
  const age = oldest === undefined ? 0 : Math.max(0, (now - millisecondsOf(oldest)) / 1000);
  return [
    { name: metrics.driftedObjects, value: objects, unit: 'Count' },
    { name: metrics.oldestDrift, value: age, unit: 'Seconds' },
    { name: metrics.foreignFields, value: foreignFields, unit: 'Count' },
  ];
}
