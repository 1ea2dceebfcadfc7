import { metrics } from '../contract/metrics.ts';
import type { HealthStatus } from '../model/health.ts';
import type { RunRecord, RunRequest } from '../model/run.ts';
import { secondsBetween } from '../model/time.ts';
import type { Trace } from '../model/trace.ts';
import type { MetricDatum, Metrics } from '../ports.ts';
import type { Goal } from './choose-goal.ts';

/** What a run came of: whatever asked for it, else the push that gave the revision. */
export function traceOfRun({ trace }: RunRequest, { pointer }: Pick<Goal, 'pointer'>): Trace | undefined {
  return trace ?? pointer.trace;
}

/** Which of the two lead times a moment ends. */
interface Reached {
  readonly applied: boolean;
  readonly health: HealthStatus;
}

/** From the push to the objects that are applied, and to those that are healthy; of what a push began, and nothing else. */
export async function sendLeadTimes(
  port: Metrics,
  { trace, reason }: Pick<RunRecord, 'trace' | 'reason'>,
  at: string,
  { applied, health }: Reached,
): Promise<void> {
  if (trace?.by !== 'push' || reason === 'heal') return;
  const value = secondsBetween(trace.at, at);
  const data: MetricDatum[] = [];
  if (applied) data.push({ name: metrics.leadTimeApplied, value, unit: 'Seconds' });
  if (health === 'Healthy') data.push({ name: metrics.leadTimeHealthy, value, unit: 'Seconds' });
  if (data.length > 0) await port.put(data);
}
