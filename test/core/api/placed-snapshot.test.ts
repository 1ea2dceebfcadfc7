import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readPlaced } from '../../../core/api/placed-snapshot.ts';
import { keys } from '../../../core/contract/keys.ts';
import { inventorySchema } from '../../../core/model/inventory.ts';
import { kubeObjectSchema, refKey, refOf } from '../../../core/model/object.ts';
import { canonicalObjects, contentDigest, encodeSnapshot, sealSnapshot } from '../../../core/snapshot.ts';
import { readYaml } from '../../../core/yaml/read-yaml.ts';
import { MemorySealer } from '../../fakes/memory-sealer.ts';
import { MemoryStore } from '../../fakes/memory-store.ts';
import { commitOf } from '../../fakes/memory-worktree.ts';

const manifest = `
apiVersion: v1
kind: ConfigMap
metadata: {name: settings}
---
apiVersion: v1
kind: Secret
metadata: {name: token}
data: {password: aHVudGVyMg==}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: elsewhere, namespace: other}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: reader}
---
apiVersion: example.org/v1
kind: Planet
metadata: {name: mars}
`;

test('objects are where the cluster has them, each once, and nothing of a Secret is told', async () => {
  const [store, sealer] = [new MemoryStore(), new MemorySealer()];
  const objects = readYaml('all.yaml', manifest).map(({ value }) => kubeObjectSchema.parse(value));
  const content = { application: 'shop', namespace: 'shop', objects: canonicalObjects(objects) };
  const provenance = {
    commit: commitOf('1'.repeat(40)),
    renderer: 'plain' as const,
    versions: { trueup: '0' },
    inputDigest: 'sha256:0',
    origins: { '/ConfigMap//settings': 'shop.yaml:2' },
  };
  const digest = await contentDigest(content, sealer);
  const snapshot = await sealSnapshot(content, provenance, sealer);
  await store.put(keys.snapshot('shop', digest), encodeSnapshot(snapshot), 'any');
  // The cluster says that this kind is in no namespace: that is how it was applied.
  const entry = {
    ref: { group: 'example.org', kind: 'Planet', name: 'mars' },
    apiVersion: 'example.org/v1',
    plural: 'planets',
    state: 'applied',
    created: true,
  };
  const target = { cluster: 'east', application: 'shop' };
  const entries = { 'example.org/Planet//mars': entry };
  const inventory = inventorySchema.parse({ version: 1, seq: 1, target, entries });
  const placed = await readPlaced(store, 'shop', digest, inventory);
  assert.deepEqual(placed?.objects.map((object) => refKey(refOf(object))).toSorted(), [
    '/ConfigMap/other/elsewhere',
    '/ConfigMap/shop/settings',
    '/Secret/shop/token',
    'example.org/Planet//mars',
    'rbac.authorization.k8s.io/ClusterRole//reader',
  ]);
  assert.deepEqual([...placed.origins], [['/ConfigMap/shop/settings', 'shop.yaml:2']]);
  assert.doesNotMatch(JSON.stringify(placed.objects), /aHVudGVyMg|sealed:/);
});
