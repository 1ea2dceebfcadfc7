import { metrics } from '../contract/metrics.ts';
import { lastKnown } from './health-changes.ts';
import type { ClusterCheck, TargetCheck } from '../model/check.ts';
import type { MetricDatum, Metrics } from '../ports.ts';

const counted = [
  [metrics.degradedTargets, (target: TargetCheck) => lastKnown(target) === 'Degraded'],
  [metrics.failedRuns, ({ failed }: TargetCheck) => failed === true],
] as const;

/**
 * How many targets of the cluster are in trouble: only while any are, and once as 0. The fleet is given the same figure,
 * since its alarms ask for the highest: no other cluster need be read. What nobody has merged yet does not count.
 */
export async function sendTargetMetrics(
  port: Metrics,
  check: ClusterCheck,
  previous: ClusterCheck | undefined,
): Promise<void> {
  const data: MetricDatum[] = [];
  for (const [name, isCounted] of counted) {
    const value = ours(check).filter(isCounted).length;
    if (value === 0 && !ours(previous).some(isCounted)) continue;
    const datum = { name, value, unit: 'Count' } as const;
    data.push({ ...datum, cluster: check.cluster }, datum);
  }
  if (data.length > 0) await port.put(data);
}

/** Both are rare, and each calls for a person: sent when they happen and at no other time. */
export async function sendMemoryMetrics(
  { metrics: port }: { readonly metrics: Metrics },
  { isRestored, missed }: { readonly isRestored: boolean; readonly missed: readonly string[] },
): Promise<void> {
  const data: MetricDatum[] = [];
  if (isRestored) data.push({ name: metrics.restoredServers, value: 1, unit: 'Count' });
  if (missed.length > 0) data.push({ name: metrics.missedDrift, value: missed.length, unit: 'Count' });
  if (data.length > 0) await port.put(data);
}

function ours(check: ClusterCheck | undefined): readonly TargetCheck[] {
  return Object.values(check?.targets ?? {}).filter(({ preview = false }) => !preview);
}
