import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { projectSchema } from '../../../core/contract/projects.ts';
import type { KubeObject } from '../../../core/model/object.ts';
import { ManualClock } from '../../fakes/manual-clock.ts';
import { MemoryCluster } from '../../fakes/memory-cluster.ts';
import { configMap, didIn, ReconcileWorld } from './reconcile-world.ts';

const shop = { name: 'shop', repositories: ['config'], clusters: ['east'], namespaces: ['default'] };
const home: KubeObject = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'home' } };

function newWorld() {
  const clock = new ManualClock();
  return new ReconcileWorld(clock, new MemoryCluster(clock));
}

describe('projects, at an apply', () => {
  it('let through what they allow', async () => {
    const world = newWorld();
    world.projects = [projectSchema.parse(shop)];
    await world.push([configMap('a')], { project: 'shop' });
    assert.deepEqual(didIn(await world.record()), ['created ConfigMap a']);
  });

  it('refuse what was allowed when it was rendered: nothing of it is applied, and the run says which rule', async () => {
    const world = newWorld();
    await world.push([configMap('a'), home], { project: 'shop' });
    world.projects = [projectSchema.parse({ ...shop, kinds: ['apps/*'] })];
    const { outcome } = await world.record();
    assert.equal(outcome?.kind, 'blocked');
    assert.match(
      outcome.message,
      /ConfigMap default\/a: project shop does not allow kind ConfigMap \(its kinds in the stack configuration: apps\/\*\); Namespace home: project shop does not allow cluster-scoped kind Namespace/,
    );
    assert.deepEqual(outcome.objects, []);
    world.projects = [projectSchema.parse({ ...shop, namespaces: ['*'], clusterKinds: ['*'] })];
    assert.equal((await world.record('sync')).outcome?.kind, 'applied');
  });

  it('hold a heal as well, once the configuration has changed', async () => {
    const world = newWorld();
    world.projects = [projectSchema.parse(shop)];
    await world.push([configMap('a')], { project: 'shop' });
    await world.record();
    world.projects = [projectSchema.parse({ ...shop, clusters: ['west'] })];
    const { outcome } = await world.record('heal');
    assert.equal(outcome?.kind, 'blocked');
    assert.match(
      outcome.message,
      /does not allow cluster east \(its clusters in the stack configuration: west\)/,
    );
  });

  it('let an application go that left Git, whatever they say by then', async () => {
    const world = newWorld();
    world.projects = [projectSchema.parse(shop)];
    await world.push([configMap('a')], { project: 'shop' });
    await world.record();
    world.projects = [];
    await world.push([configMap('a')], { project: 'shop', state: 'gone', onDelete: 'prune' });
    assert.deepEqual(didIn(await world.record()), ['pruned ConfigMap a']);
  });
});
