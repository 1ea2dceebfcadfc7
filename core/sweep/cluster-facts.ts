import { keys } from '../contract/keys.ts';
import { writeDocument } from '../documents.ts';
import { Stop } from '../errors.ts';
import { apiVersionsOf } from '../live-facts.ts';
import { clusterFactsSchema, type Capabilities, type ClusterFacts } from '../model/facts.ts';
import { jsonEqual } from '../model/json.ts';
import type { ApiResource, Store } from '../ports.ts';
import type { KnownDocuments } from './known-documents.ts';

/**
 * Notes what rendering may know of a cluster (rule 10 of the design), when it is not what was noted before. Gives
 * what holds now.
 */
export async function noteClusterFacts(
  { store, documents }: { readonly store: Store; readonly documents: KnownDocuments },
  name: string,
  { served, server }: { readonly served: readonly ApiResource[]; readonly server: string },
): Promise<Capabilities> {
  const facts: ClusterFacts = { format: 1, name, version: server, apiVersions: apiVersionsOf(served) };
  const key = keys.facts(name);
  const known = await documents.read(store, key, clusterFactsSchema).catch((error: unknown) => {
    // Whatever stands there, this is newer.
    if (error instanceof Stop) return undefined;
    throw error;
  });
  if (known === undefined || !jsonEqual(known.value, facts)) await writeDocument(store, key, facts, 'any');
  return { version: facts.version, apiVersions: facts.apiVersions };
}
