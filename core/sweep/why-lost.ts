import { Blocked, Retry, messageOf } from '../errors.ts';
import type { Cluster } from '../ports.ts';

/**
 * Asks why a cluster is lost, after a request that failed: that may be one slow answer, but one that does not even list
 * its kinds is lost. Undefined when it answers. Requests under way at the same time fail together and ask once.
 */
export function lossOf(cluster: Pick<Cluster, 'resources'>): () => Promise<string | undefined> {
  let asking: Promise<string | undefined> | undefined;
  return async () => {
    asking ??= cluster
      .resources({ refresh: true })
      .then(() => undefined, unreachable)
      .finally(() => (asking = undefined));
    return asking;
  };
}

/** Why the cluster could not be looked at, for its targets; anything else is a fault of ours and passes on. */
export function unreachable(error: unknown): string {
  if (error instanceof Retry || error instanceof Blocked) return messageOf(error);
  throw error;
}
