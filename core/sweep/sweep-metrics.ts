import { keys } from '../contract/keys.ts';
import { metrics } from '../contract/metrics.ts';
import { readDocument } from '../documents.ts';
import { clusterCheckSchema, type ClusterCheck } from '../model/check.ts';
import { lastKnown } from './health-changes.ts';
import type { MetricDatum, Metrics, Store } from '../ports.ts';

interface MetricsDeps {
  readonly store: Store;
  readonly metrics: Metrics;
}

/** Of the cluster and of the fleet: only while anything is Degraded, and once as 0. What nobody has merged yet does not count. */
export async function sendDegraded(
  deps: MetricsDeps,
  check: ClusterCheck,
  previous: ClusterCheck | undefined,
  clusters: readonly string[],
): Promise<void> {
  const { cluster } = check;
  const degraded = degradedIn(check);
  if (degraded === 0 && degradedIn(previous) === 0) return;
  const others = await Promise.all(
    clusters
      .filter((name) => name !== cluster)
      .map(async (name) => readDocument(deps.store, keys.check(name), clusterCheckSchema)),
  );
  const fleet = others.reduce((sum, other) => sum + degradedIn(other?.value), degraded);
  await deps.metrics.put([
    { name: metrics.degradedTargets, value: degraded, unit: 'Count', cluster },
    { name: metrics.degradedTargets, value: fleet, unit: 'Count' },
  ]);
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
  const ours = Object.values(check?.targets ?? {}).filter(({ preview = false }) => !preview);
  return ours.filter((target) => lastKnown(target) === 'Degraded').length;
}
