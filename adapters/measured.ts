import { metrics as names } from '../core/contract/metrics.ts';
import type { Metrics } from '../core/ports.ts';
import type { StoreRequests } from './counted-store.ts';
import type { Traffic } from './request-gate.ts';

interface MeasuredDeps {
  readonly clusters: { traffic(cluster: string): Traffic };
  readonly metrics: Metrics;
  readonly store: { readonly requests: StoreRequests };
}

/**
 * Does work on a cluster, and tells what it asked of the API server and of S3, for the log: a metric for each cluster and sweep would
 * cost more than all the rest. Only requests that were put off are sent as one, since these are rare.
 */
export async function measured<T>(
  { clusters, metrics, store }: MeasuredDeps,
  cluster: string,
  work: () => Promise<T>,
): Promise<readonly [T, Traffic & StoreRequests]> {
  const before = { ...clusters.traffic(cluster), ...store.requests };
  const result = await work();
  const after = { ...clusters.traffic(cluster), ...store.requests };
  const traffic = {
    requests: after.requests - before.requests,
    throttled: after.throttled - before.throttled,
    s3Reads: after.s3Reads - before.s3Reads,
    s3Writes: after.s3Writes - before.s3Writes,
  };
  if (traffic.throttled > 0) {
    await metrics.put([{ name: names.throttledRequests, value: traffic.throttled, unit: 'Count', cluster }]);
  }
  return [result, traffic];
}
