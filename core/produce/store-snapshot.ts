import { keys } from '../contract/keys.ts';
import { Stop, type Fault } from '../errors.ts';
import { LostSnapshot } from '../lost-snapshot.ts';
import type { Commit } from '../model/commit.ts';
import { refKey, refOf } from '../model/object.ts';
import { orderOf } from '../order.ts';
import type { Renderers, Sealer, Store } from '../ports.ts';
import type { Rendered } from '../render/render.ts';
import {
  canonicalObjects,
  contentDigest,
  decodeSnapshot,
  encodeSnapshot,
  sealSnapshot,
} from '../snapshot.ts';

export interface SnapshotDeps {
  readonly store: Store;
  readonly renderers: Pick<Renderers, 'versions'>;
  readonly sealer: Sealer;
}

/** What the objects are of. */
export interface Origin {
  readonly name: string;
  readonly namespace: string;
  readonly commit: Commit;
  /** Other repositories that were read, and at which commit. */
  readonly sources?: readonly { readonly repository: string; readonly sha: string }[];
}

/**
 * Stores what was rendered, and gives its digest. Named by that, so what is stored already is left, provenance and all.
 * Throws Stop, with file and line where the renderer knows them, for waves and hooks that cannot be read.
 */
export async function storeSnapshot(
  { name, namespace, commit, sources = [] }: Origin,
  { objects, renderer, inputDigest, origins, charts = [], warnings = [], lookups = [], sops }: Rendered,
  { store, sealer, renderers }: SnapshotDeps,
): Promise<string> {
  assertOrderly({ objects, origins });
  const content = { application: name, namespace, objects: canonicalObjects(objects), ...(sops && { sops }) };
  const digest = await contentDigest(content, sealer);
  const key = keys.snapshot(name, digest);
  const stored = await store.get(key);
  if (stored !== undefined && isSound(digest, stored.text)) return digest;
  const versions = versionsOf(renderer, renderers.versions);
  const told = {
    ...(charts.length > 0 && { charts: [...charts] }),
    ...(lookups.length > 0 && { lookups: lookups.map(({ seen, ...one }) => ({ ...one, seen: [...seen] })) }),
    ...(sources.length > 0 && { sources: [...sources] }),
    ...(warnings.length > 0 && { warnings: warnings.map(({ subject, message }) => ({ subject, message })) }),
  };
  const provenance = { commit, renderer, versions, inputDigest, origins, ...told };
  const text = encodeSnapshot(await sealSnapshot(content, provenance, sealer));
  await store.put(key, text, stored === undefined ? 'absent' : { etag: stored.etag });
  return digest;
}

/** What was damaged, or written by hand, is written once more. */
function isSound(digest: string, text: string): boolean {
  try {
    return decodeSnapshot(digest, text).version === 1;
  } catch (error) {
    if (error instanceof LostSnapshot) return false;
    throw error;
  }
}

/** Of trueup, and of what ran for this one. */
function versionsOf(
  renderer: Rendered['renderer'],
  { trueup = '', helm = '', ...kustomize }: Renderers['versions'],
): Record<string, string> {
  if (renderer === 'plain') return { trueup };
  return renderer === 'helm' ? { trueup, helm } : { trueup, ...kustomize };
}

function assertOrderly({ objects, origins }: Pick<Rendered, 'objects' | 'origins'>): void {
  const faults = objects.flatMap((object): readonly Fault[] => {
    try {
      orderOf(object, origins[refKey(refOf(object))]);
      return [];
    } catch (error) {
      if (error instanceof Stop) return error.faults;
      throw error;
    }
  });
  const [first] = faults;
  if (first !== undefined) throw new Stop(first, faults);
}
