import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { generationKinds } from '../../../core/sweep/generation-kinds.ts';
import { testCluster, type TestCluster } from '../../cluster/test-cluster.ts';
import { workbench, type Workbench } from '../drift/workbench.ts';
import { proveKinds } from './mutation-run.ts';

/** Every field that the API server's own schemas name, of every built-in kind that can be created. */

let testing: TestCluster;
let bench: Workbench;
before(async () => {
  testing = await testCluster('mutations');
  bench = await workbench(testing.kubeconfig);
});
after(async () => testing.stop());

/** Proved as well, and left out: nobody has them in Git, or their generation is newer than servers that people run. */
const leftOut = [
  '/Pod',
  '/PodTemplate',
  'admissionregistration.k8s.io/MutatingAdmissionPolicy',
  'admissionregistration.k8s.io/MutatingAdmissionPolicyBinding',
  'resource.k8s.io/DeviceClass',
  'resource.k8s.io/ResourceSlice',
];

test('exactly the trusted kinds move their generation with every change', async (context) => {
  const proofs = await proveKinds(testing, bench);
  for (const { kind, fields, changed, unmoved, hasGeneration, unseen } of proofs) {
    const told = hasGeneration ? `${unmoved.length} left the generation as it was` : 'no generation';
    context.diagnostic(`${kind}: ${fields} fields, ${changed} changed, ${told}`);
    assert.deepEqual([kind, unseen], [kind, []]);
  }
  const moving = proofs.filter(
    ({ hasGeneration, changed, unmoved }) => hasGeneration && changed > 0 && unmoved.length === 0,
  );
  const kinds = moving.map(({ kind }) => kind).filter((kind) => !leftOut.includes(kind));
  assert.deepEqual(kinds.toSorted(), [...generationKinds].toSorted());
});
