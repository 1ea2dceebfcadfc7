import type { Mask } from '../drift/shown-value.ts';
import { canonicalJson, type Json } from '../model/json.ts';
import type { ObjectMemory, RememberedKind } from '../model/memory.ts';
import type { LiveObject } from '../model/object.ts';

/**
 * What metadata alone says of an object that was clean at its last check. `same`: nothing was written since. `clean`:
 * something was, and it cannot be drift; health may be another. `suspect`: only an exact check tells.
 */
export type Glance = 'same' | 'clean' | 'suspect';

/** A digest of 128 bits, of the 256 that the mask gives. */
export function shortDigest(digest: string): string {
  return digest.slice(digest.indexOf(':') + 1).slice(0, 32);
}

/** Compares an object with what is remembered of it. */
export function glance(
  memory: ObjectMemory,
  live: LiveObject | undefined,
  {
    kind,
    versionOnly,
    mask,
  }: { readonly kind: RememberedKind | undefined; readonly versionOnly: boolean; readonly mask: Mask },
): Glance {
  const [, uid, resourceVersion, generation, metadataDigest] = memory;
  if (live === undefined || kind === undefined || live.metadata.uid !== uid) return 'suspect';
  if (live.metadata.resourceVersion === resourceVersion) return 'same';
  if (versionOnly || !kind.generationCounts || generation === 0) return 'suspect';
  if (live.metadata.generation !== generation) return 'suspect';
  return digestOfMetadata(live, mask) === metadataDigest ? 'clean' : 'suspect';
}

const written = [
  'labels',
  'annotations',
  'finalizers',
  'ownerReferences',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
] as const;

/**
 * Of what a write to the metadata changes, and of who wrote to anything but the status and when. Keyed, since annotations
 * may hold what nobody should guess (`last-applied-configuration` of a Secret).
 */
export function digestOfMetadata({ metadata }: LiveObject, mask: Mask): string {
  const managers: Json = (metadata.managedFields ?? []).filter(({ subresource }) => subresource !== 'status');
  const values = written.map((name) => metadata[name] ?? null);
  return shortDigest(mask(canonicalJson([...values, managers])));
}
