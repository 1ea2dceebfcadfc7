import { keys } from '../contract/keys.ts';
import type { Commit } from '../model/commit.ts';
import type { Renderers, Sealer, Store } from '../ports.ts';
import type { Rendered } from '../render/render.ts';
import { canonicalObjects, contentDigest, encodeSnapshot, sealSnapshot } from '../snapshot.ts';

export interface SnapshotDeps {
  readonly store: Store;
  readonly renderers: Pick<Renderers, 'versions'>;
  readonly sealer: Sealer;
}

/** Stores what was rendered, and gives its digest. Named by that, so what is stored already is left, provenance and all. */
export async function storeSnapshot(
  { name, namespace, commit }: { readonly name: string; readonly namespace: string; readonly commit: Commit },
  { objects, renderer, inputDigest, origins }: Rendered,
  { store, sealer, renderers }: SnapshotDeps,
): Promise<string> {
  const content = { application: name, namespace, objects: canonicalObjects(objects) };
  const digest = await contentDigest(content, sealer);
  const key = keys.snapshot(name, digest);
  if ((await store.get(key)) !== undefined) return digest;
  const { trueup = '', ...tools } = renderers.versions;
  const versions = renderer === 'plain' ? { trueup } : { trueup, ...tools };
  const provenance = { commit, renderer, versions, inputDigest, origins };
  await store.put(key, encodeSnapshot(await sealSnapshot(content, provenance, sealer)), 'absent');
  return digest;
}
