import { keys } from './contract/keys.ts';
import { LostSnapshot } from './lost-snapshot.ts';
import { digestOf } from './model/digest.ts';
import { isJsonObject } from './model/json.ts';
import { refKey, refOf, type KubeObject } from './model/object.ts';
import type { Snapshot } from './model/snapshot.ts';
import type { DesiredState } from './plan.ts';
import type { Sealer, SopsOpener, Store, Stored } from './ports.ts';
import { referencesIn } from './resolve-references.ts';
import { decodeSnapshot, openObjects, sealedDigest } from './snapshot.ts';

/** What opening a snapshot takes. */
export interface OpenDeps {
  readonly store: Store;
  readonly sealer: Sealer;
  /** Absent where no file of SOPS can be opened. */
  readonly sops?: SopsOpener;
}

/**
 * A snapshot as desired state: secret values in the clear, each object with a digest that never shows them. For both
 * spines, so that the digest in an inventory entry means the same to a run and to a check. References are found and not
 * followed yet.
 * Throws LostSnapshot when it is gone or altered.
 */
export async function loadDesired(
  { store, sealer, sops }: OpenDeps,
  application: string,
  digest: string,
): Promise<DesiredState> {
  const stored = await store.get(keys.snapshot(application, digest));
  if (stored === undefined) {
    throw new LostSnapshot(digest, 'is not in the bucket');
  }
  const { snapshot, digests } = decodedOf(digest, stored);
  const opened = await openObjects(snapshot, sealer, sops);
  return {
    application,
    namespace: snapshot.namespace,
    origins: snapshot.provenance.origins,
    objects: snapshot.objects.flatMap((sealed, index) => {
      const object = opened[index];
      if (object === undefined) return [];
      // What SOPS encrypted is a value, whatever it looks like.
      const references = snapshot.sops?.[refKey(refOf(sealed))] === undefined ? referencesIn(object) : [];
      return [{ object, digest: digests[index] ?? '', ...(references.length > 0 && { references }) }];
    }),
  };
}

interface Decoded {
  readonly digest: string;
  readonly snapshot: Snapshot;
  /** Of its objects, in their order. */
  readonly digests: readonly string[];
}

/** A store in memory hands out the same object again and again: its digest is checked once. */
const decoded = new WeakMap<Stored, Decoded>();

function decodedOf(digest: string, stored: Stored): Decoded {
  const known = decoded.get(stored);
  if (known?.digest === digest) return known;
  const snapshot = decodeSnapshot(digest, stored.text);
  const fresh = { digest, snapshot, digests: snapshot.objects.map(digestOfSealed) };
  decoded.set(stored, fresh);
  return fresh;
}

/** Sealed values count as their keyed digests: sealing the same value again changes nothing. */
function digestOfSealed(object: KubeObject): string {
  const { data } = object;
  if (!isJsonObject(data)) return digestOf(object);
  const members = Object.entries(data).map(([name, value]) => [
    name,
    typeof value === 'string' ? (sealedDigest(value) ?? value) : value,
  ]);
  return digestOf({ ...object, data: Object.fromEntries(members) });
}
