import { keys } from '../contract/keys.ts';
import { isKnownClusterScoped } from '../model/cluster-scoped-kinds.ts';
import type { Inventory } from '../model/inventory.ts';
import { refKey, refOf, type KubeObject, type ObjectRef } from '../model/object.ts';
import type { Snapshot } from '../model/snapshot.ts';
import type { Store } from '../ports.ts';
import { decodeSnapshot, maskedObjects } from '../snapshot.ts';

/** What an application has on one cluster by a snapshot of it. */
export interface PlacedSnapshot {
  /** Each in the namespace that it has there; values of Secrets are keyed digests. */
  readonly objects: readonly KubeObject[];
  /** File and line by the key that the object has there. */
  readonly origins: ReadonlyMap<string, string>;
}

/**
 * A snapshot as it is on a cluster: what names no namespace gets that of its application, unless its kind has none. Of kinds
 * that only the cluster knows, the inventory tells. Undefined where the snapshot is not kept any more.
 */
export async function readPlaced(
  store: Store,
  application: string,
  digest: string,
  inventory: Inventory | undefined,
): Promise<PlacedSnapshot | undefined> {
  const stored = await store.get(keys.snapshot(application, digest));
  if (stored === undefined) return undefined;
  const snapshot = decodeSnapshot(digest, stored.text);
  const origins = new Map<string, string>();
  const objects = maskedObjects(snapshot).map((object) => {
    const [from, place] = [refOf(object), placeOf(object, snapshot, inventory)];
    const origin = snapshot.provenance.origins[refKey(from)];
    if (origin !== undefined) origins.set(refKey(place), origin);
    const { namespace } = place;
    return namespace === undefined ? object : { ...object, metadata: { ...object.metadata, namespace } };
  });
  return { objects, origins };
}

function placeOf(
  object: KubeObject,
  { namespace }: Pick<Snapshot, 'namespace'>,
  inventory: Inventory | undefined,
): ObjectRef {
  const ref = refOf(object);
  const isPlaced = ref.namespace !== undefined || namespace === '';
  if (isPlaced || isKnownClusterScoped(ref.group === '' ? ref.kind : `${ref.group}/${ref.kind}`)) return ref;
  return inventory?.entries[refKey(ref)] === undefined ? { ...ref, namespace } : ref;
}
