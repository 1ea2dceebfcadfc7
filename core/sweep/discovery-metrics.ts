import { metrics } from '../contract/metrics.ts';
import type { ClusterRegistry } from '../model/cluster-registry.ts';
import { millisecondsOf } from '../model/time.ts';
import type { Metrics } from '../ports.ts';

type Discoveries = ClusterRegistry['discoveries'];

/** The third look in a row that failed is told of: one that AWS throttled is no news. */
const sweepsBefore = 2;
/** Sweeps are some seconds early or late. */
const slackMs = 30_000;

/**
 * Sends how many discoveries have failed for three sweeps, while there are any, and once as 0. A cluster that a failing
 * one would have found is served by nobody, and nothing else would say so.
 */
export async function sendFailedDiscoveries(
  port: Metrics,
  { before, now }: { readonly before: Discoveries; readonly now: Discoveries },
  { at, sweepMinutes }: { readonly at: number; readonly sweepMinutes: number },
): Promise<void> {
  const sweepMs = sweepMinutes * 60_000;
  const lasting = (discoveries: Discoveries, seenAt: number): number =>
    Object.values(discoveries).filter(
      ({ failing }) =>
        failing !== undefined && seenAt - millisecondsOf(failing.since) >= sweepsBefore * sweepMs - slackMs,
    ).length;
  const value = lasting(now, at);
  if (value > 0 || lasting(before, at - sweepMs) > 0) {
    await port.put([{ name: metrics.failedDiscoveries, value, unit: 'Count' }]);
  }
}
