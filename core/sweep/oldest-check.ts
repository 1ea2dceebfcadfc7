import { keys } from '../contract/keys.ts';
import { metrics } from '../contract/metrics.ts';
import { readDocument } from '../documents.ts';
import { Stop } from '../errors.ts';
import { inBatches } from '../in-batches.ts';
import { clusterCheckSchema, type ClusterCheck } from '../model/check.ts';
import { isoTime, millisecondsOf } from '../model/time.ts';
import type { Clock, MetricDatum, Metrics, Store } from '../ports.ts';

export interface OldestCheckDeps {
  readonly store: Store;
  readonly metrics: Metrics;
  readonly clock: Pick<Clock, 'now'>;
  readonly config: { readonly sweepMinutes: number };
}

const readsAtOnce = 32;
/** So many sweeps may be missed before a cluster counts as unchecked; the alarm says the same. */
const sweepsMissed = 3;

/**
 * Since when the target that waits longest has waited for a check, what its application allows taken off: an application
 * that wants fewer checks is not one whose checks stopped. `intervals` in seconds, by application.
 */
export function oldestCheckAt(
  { at, targets }: Pick<ClusterCheck, 'at' | 'targets'>,
  intervals: ReadonlyMap<string, number>,
): string {
  const times = Object.entries(targets).map(
    ([application, check]) => millisecondsOf(check.at) + (intervals.get(application) ?? 0) * 1000,
  );
  return isoTime(Math.min(millisecondsOf(at), ...times));
}

/**
 * Sends how long ago the longest unchecked target of the fleet was checked: always, since silence is an alarm. Of a single
 * cluster only while it is unchecked, since a metric of each would cost more than its checks.
 */
export async function sendOldestCheck(deps: OldestCheckDeps, clusters: readonly string[]): Promise<void> {
  const now = deps.clock.now();
  const tooOld = sweepsMissed * 60 * deps.config.sweepMinutes;
  const ages = await inBatches(clusters, readsAtOnce, async (cluster) => {
    const since = await checkedAt(deps.store, cluster, now);
    const age = since === 'unreadable' ? tooOld + 1 : (now - millisecondsOf(since)) / 1000;
    return { cluster, value: Math.max(0, age) };
  });
  const datum = { name: metrics.oldestCheck, unit: 'Seconds' } as const;
  const data: MetricDatum[] = ages.filter(({ value }) => value > tooOld).map((age) => ({ ...datum, ...age }));
  data.push({ ...datum, value: Math.max(0, ...ages.map(({ value }) => value)) });
  await deps.metrics.put(data);
}

/** The clock of a cluster that was never checked starts now: sweeps of it that always die must be told of, too. */
async function checkedAt(store: Store, cluster: string, now: number): Promise<string> {
  const key = keys.check(cluster);
  const known = await readCheck(store, key);
  if (known === 'unreadable') return known;
  if (known !== undefined) return known.oldestAt ?? known.at;
  const at = isoTime(now);
  const unreachable = 'it has not been checked yet';
  const first: ClusterCheck = { version: 1, seq: 0, cluster, at, oldestAt: at, unreachable, targets: {} };
  await store.put(key, JSON.stringify(first), 'absent');
  return at;
}

/** A document that a person must restore says nothing of the other clusters. */
async function readCheck(store: Store, key: string): Promise<ClusterCheck | 'unreadable' | undefined> {
  try {
    return (await readDocument(store, key, clusterCheckSchema))?.value;
  } catch (error) {
    if (error instanceof Stop) return 'unreadable';
    throw error;
  }
}
