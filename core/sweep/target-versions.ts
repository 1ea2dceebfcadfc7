import { keys } from '../contract/keys.ts';
import type { RecordVersions } from '../model/memory.ts';
import type { Target } from '../model/target.ts';
import type { Store } from '../ports.ts';

/** Which versions the records of one target have; undefined without a desired pointer. Of many targets `Records` tells. */
export async function versionsOf(store: Store, target: Target): Promise<RecordVersions | undefined> {
  const records = [keys.desired(target), keys.inventory(target), keys.lease(target)];
  const [desired, inventory, lease] = await Promise.all(
    records.map(async (key) => (await store.get(key))?.etag),
  );
  if (desired === undefined) return undefined;
  return {
    desired,
    ...(inventory !== undefined && { inventory }),
    ...(lease !== undefined && { lease }),
  };
}
