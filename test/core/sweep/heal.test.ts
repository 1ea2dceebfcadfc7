import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { KubeObject } from '../../../core/model/object.ts';
import type { RunReason } from '../../../core/model/run.ts';
import { reconcile } from '../../../core/reconcile.ts';
import { testCluster, type TestCluster } from '../../cluster/test-cluster.ts';
import { workbench, type Workbench } from '../drift/workbench.ts';
import { SweepWorld, configMap, secret } from './sweep-world.ts';

/** Both spines over the same records and one real API server: what a run applied, a check must call clean. */

let testing: TestCluster;
let bench: Workbench;
/** Of this file alone: an object with the label of an application and in no inventory is extra. */
let web: string;

before(async () => {
  testing = await testCluster('heal');
  bench = await workbench(testing.kubeconfig);
  web = testing.namespace;
});
after(async () => testing.stop());

function here(object: KubeObject): KubeObject {
  return { ...object, metadata: { ...object.metadata, namespace: testing.namespace } };
}

async function run(
  world: SweepWorld<Workbench['cluster']>,
  application: string,
  reason: RunReason,
): Promise<string | undefined> {
  const target = { cluster: 'east', application };
  const result = await reconcile({ version: 1, target, reason, requestedBy: 'test' }, world.deps);
  return result.kind === 'ran' ? result.record.outcome?.kind : result.why;
}

const configPath = (name: string) => `/api/v1/namespaces/${testing.namespace}/configmaps/${name}`;

describe('a sweep and a run over the same target', () => {
  it('agree on what was applied; drift is healed, its episode closed and the figures return to 0', async () => {
    const world = new SweepWorld(bench.cluster);
    await world.push(web, [here(configMap('front')), here(secret('key', 'c2VjcmV0'))]);
    assert.equal((await world.sweep(web))?.sync, 'Pending');
    assert.equal(await run(world, web, 'push'), 'applied');
    const clean = await world.sweep(web);
    assert.deepEqual([clean?.sync, clean?.reason, clean?.health], ['Synced', '', 'Healthy']);

    await testing.admin.patch(configPath('front'), { data: { a: 'by hand' } });
    assert.equal((await world.sweep(web))?.sync, 'Drifted');
    assert.deepEqual(
      world.queues.later.map(({ request: { reason } }) => reason),
      ['heal'],
    );
    world.sentMetrics();
    assert.equal(await run(world, web, 'heal'), 'applied');
    assert.ok(world.sentMetrics().includes('DriftedObjects 0'));
    assert.deepEqual(
      (await world.records()).map((record) => record?.state),
      ['healed'],
    );
    assert.equal((await world.sweep(web))?.sync, 'Synced');
    const live = await testing.admin.get(configPath('front'));
    assert.deepEqual(live?.['data'], { a: '1' });
  });

  it('where drift is observed: a push rewrites what it changes, and that episode is overwritten', async () => {
    const world = new SweepWorld(bench.cluster);
    const shop = `${web}-shop`;
    const observe = { drift: 'observe' } as const;
    const objects = (value: string) => [here(configMap('pushed', { a: value })), here(configMap('other'))];
    await world.push(shop, objects('1'), observe);
    await run(world, shop, 'sync');
    for (const name of ['pushed', 'other'])
      await testing.admin.patch(configPath(name), { data: { a: 'by hand' } });
    await world.sweep(shop);
    assert.deepEqual(world.queues.later, []);
    await world.push(shop, objects('2'), observe);
    assert.equal(await run(world, shop, 'push'), 'applied');
    const states = (await world.records()).map((record) => `${record?.drift.ref.name} ${record?.state}`);
    assert.deepEqual(states.sort(), ['other open', 'pushed overwritten']);
    const check = await world.sweep(shop);
    assert.deepEqual([check?.sync, check?.drifted], ['Drifted', 1]);
  });
});
