import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { globSync } from 'node:fs';
import { resolve } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { KubeObject } from '../../../core/model/object.ts';
import { objectsOf } from '../../../core/render/objects.ts';
import { readYaml } from '../../../core/yaml/read-yaml.ts';
import { testCluster, type TestCluster } from '../../cluster/test-cluster.ts';
import { SweepWorld } from '../sweep/sweep-world.ts';
import { proveEdits } from './edit-proof.ts';
import { workbench, type Workbench } from './workbench.ts';

const root = resolve(import.meta.dirname, '../../..');
const seed = 20261123;

let testing: TestCluster;
let bench: Workbench;

before(async () => {
  testing = await testCluster('edits');
  bench = await workbench(testing.kubeconfig);
});
after(async () => testing.stop());

/** Objects of the examples and of a wide set of kinds, in this file's namespace. */
async function objects(): Promise<readonly KubeObject[]> {
  const files = [
    'test/core/drift/kinds.yaml',
    ...globSync('examples/quickstart/apps/{storefront,payments/base}/*.yaml', { cwd: root }),
  ].filter((file) => !file.endsWith('kustomization.yaml'));
  const read = await Promise.all(
    files.map(async (file) => readYaml(file, await readFile(resolve(root, file), 'utf8'))),
  );
  return read
    .flat()
    .flatMap((document) => objectsOf(document).objects.map(({ object }) => object))
    .filter(({ kind }) => kind !== 'Namespace')
    .map((object) => ({ ...object, metadata: { ...object.metadata, namespace: testing.namespace } }));
}

describe('single-field edits by another manager on a real API server', () => {
  it('are all found, and where nothing was edited nothing is found in 20 sweeps', async () => {
    const world = new SweepWorld(bench.cluster);
    const pointer = await world.deploy('edits', await objects());
    const applied = (await world.resolve(pointer)).map(({ object }) => object);
    for (let sweep = 0; sweep < 20; sweep += 1) {
      const check = await world.sweep('edits');
      assert.deepEqual([check?.sync, check?.reason], ['Synced', '']);
    }
    assert.deepEqual(await world.records(), []);
    const proof = await proveEdits(bench, testing.admin, applied, { edits: 100, seed });
    assert.deepEqual(proof.missed, []);
    assert.equal(proof.found, 100);
    assert.equal((await world.sweep('edits'))?.drifted, 0);
  });
});
