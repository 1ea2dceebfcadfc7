import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { generationKinds } from '../../../core/sweep/generation-kinds.ts';
import { testCluster, type TestCluster } from '../../cluster/test-cluster.ts';
import { workbench, type Workbench } from '../drift/workbench.ts';
import { proveKinds } from './mutation-run.ts';

/** A part of `mutations.long.test.ts`, on the server that all tests share: kinds of each sort, and some of their fields. */

let testing: TestCluster;
let bench: Workbench;
before(async () => {
  testing = await testCluster('mutations');
  bench = await workbench(testing.kubeconfig);
});
after(async () => testing.stop());

test('fields of kinds that are trusted by their generation: each change moves it', async () => {
  const kinds = ['Ingress', 'NetworkPolicy', 'PodDisruptionBudget'];
  for (const { kind, changed, unmoved, unseen } of await proveKinds(testing, bench, { kinds, every: 2 })) {
    assert.ok(generationKinds.has(kind), kind);
    assert.ok(changed > 2, `${kind}: only ${changed} fields could be changed`);
    assert.deepEqual([kind, unmoved, unseen], [kind, [], []]);
  }
});

test('fields of kinds that are not: their generation stands still, or there is none', async () => {
  const kinds = ['ConfigMap', 'Role', 'PriorityClass'];
  for (const { kind, changed, unmoved } of await proveKinds(testing, bench, { kinds })) {
    assert.ok(!generationKinds.has(kind), kind);
    assert.equal(unmoved.length, changed, kind);
    assert.notEqual(changed, 0, kind);
  }
});
