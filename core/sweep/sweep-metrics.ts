import { keys } from '../contract/keys.ts';
import { metrics } from '../contract/metrics.ts';
import { readDocument } from '../documents.ts';
import { clusterCheckSchema, type ClusterCheck } from '../model/check.ts';
import { millisecondsOf } from '../model/time.ts';
import { lastKnown } from './health-changes.ts';
import type { Clock, MetricDatum, Metrics, Store } from '../ports.ts';

export interface MetricsDeps {
  readonly store: Store;
  readonly metrics: Metrics;
  readonly clock: Clock;
}

/** Least time between checks that an application asked for, in seconds, by application. */
export type Intervals = ReadonlyMap<string, number>;

/**
 * Seconds since the target that was checked longest ago, what its application allows above the usual taken off: the
 * alarm on it is about checks that stopped, not about an application that wants fewer.
 */
function oldestCheckSeconds(check: ClusterCheck, intervals: Intervals, now: number): number {
  const ages = Object.entries(check.targets).map(([application, { at }]) => {
    const age = (now - millisecondsOf(at)) / 1000;
    return Math.max(0, age - (intervals.get(application) ?? 0));
  });
  return Math.max(0, ...ages);
}

/** The age always, since missing data is an alarm; Degraded only while there is any, and once as 0. */
export async function sendCheckMetrics(
  deps: MetricsDeps,
  check: ClusterCheck,
  previous: ClusterCheck | undefined,
  { intervals, clusters }: { readonly intervals: Intervals; readonly clusters: readonly string[] },
): Promise<void> {
  const { cluster } = check;
  const value = oldestCheckSeconds(check, intervals, deps.clock.now());
  const data: MetricDatum[] = [{ name: metrics.oldestCheck, value, unit: 'Seconds', cluster }];
  const degraded = degradedIn(check);
  if (degraded > 0 || degradedIn(previous) > 0) {
    const others = await Promise.all(
      clusters
        .filter((name) => name !== cluster)
        .map(async (name) => readDocument(deps.store, keys.check(name), clusterCheckSchema)),
    );
    const fleet = others.reduce((sum, other) => sum + degradedIn(other?.value), degraded);
    data.push({ name: metrics.degradedTargets, value: degraded, unit: 'Count', cluster });
    data.push({ name: metrics.degradedTargets, value: fleet, unit: 'Count' });
  }
  await deps.metrics.put(data);
}

/** Both are rare, and each calls for a person: sent when they happen and at no other time. */
export async function sendMemoryMetrics(
  { metrics: port }: Pick<MetricsDeps, 'metrics'>,
  { isRestored, missed }: { readonly isRestored: boolean; readonly missed: readonly string[] },
): Promise<void> {
  const data: MetricDatum[] = [];
  if (isRestored) data.push({ name: metrics.restoredServers, value: 1, unit: 'Count' });
  if (missed.length > 0) data.push({ name: metrics.missedDrift, value: missed.length, unit: 'Count' });
  if (data.length > 0) await port.put(data);
}

function degradedIn(check: ClusterCheck | undefined): number {
  return Object.values(check?.targets ?? {}).filter((target) => lastKnown(target) === 'Degraded').length;
}
