import { hasHealth, healthOf } from '../health.ts';
import type { ObjectHealth } from '../model/health.ts';
import type { Inventory } from '../model/inventory.ts';
import { addressOf } from '../plan.ts';
import type { Clock, Cluster } from '../ports.ts';
import { fetchObjects } from './fetch-objects.ts';

/** Health of every object of the inventory whose kind has any, as the cluster has it now. */
export async function readHealth(
  cluster: Cluster,
  { target, entries }: Pick<Inventory, 'target' | 'entries'>,
  clock: Clock,
): Promise<readonly ObjectHealth[]> {
  const served = await cluster.resources();
  const sought = Object.entries(entries)
    .filter(([, { ref, state }]) => state === 'applied' && hasHealth(ref))
    .map(([key, entry]) => ({ key, ref: entry.ref, address: addressOf(entry, served), ours: true }));
  const found = await fetchObjects(cluster, target.application, sought, { metadataOnly: false });
  return sought.map(({ key, ref }) => {
    const live = found.get(key);
    if (live !== undefined) return { ref, ...healthOf(live, clock.now()) };
    return { ref, status: 'Missing', reason: 'Missing', message: 'is not on the cluster' };
  });
}
