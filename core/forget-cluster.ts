import { keys } from './contract/keys.ts';
import { updateDocument } from './documents.ts';
import { Stop } from './errors.ts';
import { clusterRegistrySchema, type ClusterRegistry } from './model/cluster-registry.ts';
import type { Store } from './ports.ts';

const forgottenKept = 100;

/** Who has a cluster forgotten, and why. */
export interface Forgetting {
  /** ISO 8601. */
  readonly at: string;
  readonly by: string;
  readonly reason: string;
}

/** The registry without a cluster, and with a line that it was forgotten. */
export function withForgotten(registry: ClusterRegistry, arn: string, why: Forgetting): ClusterRegistry {
  const { [arn]: found, ...clusters } = registry.clusters;
  if (found === undefined) return registry;
  const forgotten = [...registry.forgotten, { name: found.name, arn, ...why }].slice(-forgottenKept);
  return { ...registry, clusters, forgotten };
}

/**
 * Forgets a cluster that is missing: applications that it was chosen for by label give it up with their next render, and
 * nothing of it is touched. Throws Stop for one that is there or was never found.
 */
export async function forgetCluster(store: Store, name: string, why: Forgetting): Promise<void> {
  await updateDocument(store, keys.clusterRegistry, clusterRegistrySchema, (registry) => {
    const found = Object.values(registry?.clusters ?? {}).find((one) => one.name === name);
    const subject = `cluster ${name}`;
    if (registry === undefined || found === undefined) {
      throw new Stop({ subject, message: 'was not found by a discovery: there is nothing to forget' });
    }
    if (found.missing === undefined) {
      const message = `is still there, and would be found again: take its tags away first (${found.arn})`;
      throw new Stop({ subject, message });
    }
    return { ...withForgotten(registry, found.arn, why), seq: registry.seq + 1 };
  });
}
