import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keys } from '../../../core/contract/keys.ts';
import { readDocument } from '../../../core/documents.ts';
import { clusterFactsSchema } from '../../../core/model/facts.ts';
import { noteClusterFacts } from '../../../core/sweep/cluster-facts.ts';
import { KnownDocuments } from '../../../core/sweep/known-documents.ts';
import { MemoryStore } from '../../fakes/memory-store.ts';

const some = { plural: '', namespaced: true, verbs: [] };
const served = [
  { ...some, group: 'apps', version: 'v1', kind: 'Deployment' },
  { ...some, group: '', version: 'v1', kind: 'Pod' },
  { ...some, group: '', version: 'v1', kind: 'ConfigMap' },
];
const read = async (store: MemoryStore) =>
  (await readDocument(store, keys.facts('east'), clusterFactsSchema))?.value;

test('version and kinds are written when they change, in whatever order the server names them', async () => {
  const store = new MemoryStore();
  const deps = { store, documents: new KnownDocuments() };
  await noteClusterFacts(deps, 'east', { served, server: 'v1.34.2' });
  assert.deepEqual(await read(store), {
    format: 1,
    name: 'east',
    version: 'v1.34.2',
    apiVersions: ['apps/v1', 'apps/v1/Deployment', 'v1', 'v1/ConfigMap', 'v1/Pod'],
  });
  await noteClusterFacts(deps, 'east', { served: served.toReversed(), server: 'v1.34.2' });
  assert.equal(store.writes.length, 1);
  await noteClusterFacts(deps, 'east', { served, server: 'v1.35.0' });
  assert.equal(store.writes.length, 2);
  assert.equal((await read(store))?.version, 'v1.35.0');
});

test('a document that nobody can read is replaced', async () => {
  const store = new MemoryStore();
  const deps = { store, documents: new KnownDocuments() };
  await store.put(keys.facts('east'), '{}', 'any');
  await noteClusterFacts(deps, 'east', { served, server: 'v1.34.2' });
  assert.equal((await read(store))?.name, 'east');
});
