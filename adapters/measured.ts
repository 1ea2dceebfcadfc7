import { metrics as names } from '../core/contract/metrics.ts';
import type { Metrics } from '../core/ports.ts';
import type { Traffic } from './request-gate.ts';

interface MeasuredDeps {
  readonly clusters: { traffic(cluster: string): Traffic };
  readonly metrics: Metrics;
}

/**
 * Does work on a cluster, and tells what it asked of the API server, for the log: a metric for each cluster and sweep would
 * cost more than all the rest. Only requests that were put off are sent as one, since these are rare.
 */
export async function measured<T>(
  { clusters, metrics }: MeasuredDeps,
  cluster: string,
  work: () => Promise<T>,
): Promise<readonly [T, Traffic]> {
  const before = clusters.traffic(cluster);
  const result = await work();
  const after = clusters.traffic(cluster);
  const traffic = {
    requests: after.requests - before.requests,
    throttled: after.throttled - before.throttled,
  };
  if (traffic.throttled > 0) {
    await metrics.put([{ name: names.throttledRequests, value: traffic.throttled, unit: 'Count', cluster }]);
  }
  return [result, traffic];
}
