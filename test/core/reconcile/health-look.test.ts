import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keys } from '../../../core/contract/keys.ts';
import { readDocument, writeDocument } from '../../../core/documents.ts';
import { Retry } from '../../../core/errors.ts';
import type { KubeObject } from '../../../core/model/object.ts';
import { runRecordSchema } from '../../../core/model/run.ts';
import { ManualClock } from '../../fakes/manual-clock.ts';
import { MemoryCluster } from '../../fakes/memory-cluster.ts';
import { configMap, ReconcileWorld } from './reconcile-world.ts';

const deployment: KubeObject = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'web' },
  spec: { replicas: 2 },
};
const address = { apiVersion: 'apps/v1', plural: 'deployments', namespace: 'default', name: 'web' };
const ready = { observedGeneration: 1, replicas: 2, updatedReplicas: 2, availableReplicas: 2 };

async function rollingOut() {
  const clock = new ManualClock();
  const cluster = new MemoryCluster(clock);
  const world = new ReconcileWorld(clock, cluster);
  await world.push([deployment]);
  const record = await world.record();
  const status = (members: Record<string, string | number>) =>
    cluster.write(address, { kind: 'Deployment', status: members }, 'kube-controller-manager');
  const stored = async () => {
    const key = keys.run(world.target, record.startedAt, record.id);
    return (await readDocument(world.store, key, runRecordSchema))?.value;
  };
  return { clock, cluster, world, record, status, stored };
}

test('a run that is Progressing ends, and is looked at again until it is healthy', async () => {
  const { clock, world, record, status, stored } = await rollingOut();
  assert.deepEqual([record.outcome?.kind, record.health?.status], ['applied', 'Progressing']);
  for (const expected of [5, 10, 20]) {
    const [later, ...others] = world.queues.later.splice(0);
    assert.deepEqual([later?.request.reason, later?.delaySeconds, others.length], ['health', expected, 0]);
    clock.advance(expected * 1000);
    if (expected === 20) status(ready);
    assert.equal((await world.run('health')).kind, 'looked');
  }
  assert.equal(world.queues.later.length, 0);
  assert.equal((await stored())?.health?.status, 'Healthy');
  assert.equal((await world.inventory()).health?.status, 'Healthy');
  const finished = world.bus.events.map((event) =>
    event.type === 'ReconcileFinished' ? [event.detail.health, event.detail.runId] : [],
  );
  assert.deepEqual(finished, [
    ['Progressing', record.id],
    ['Healthy', record.id],
  ]);
});

test('a rollout that exceeds its deadline settles as Degraded', async () => {
  const { clock, cluster, world } = await rollingOut();
  const condition = {
    type: 'Progressing',
    status: 'False',
    reason: 'ProgressDeadlineExceeded',
    message: 'timed out',
  };
  cluster.write(address, { kind: 'Deployment', status: { observedGeneration: 1, conditions: [condition] } });
  clock.advance(5_000);
  await world.run('health');
  const { health } = await world.inventory();
  assert.deepEqual(
    [health?.status, health?.message],
    ['Degraded', 'Deployment default/web: ProgressDeadlineExceeded: timed out'],
  );
  const last = world.bus.events.at(-1);
  assert.ok(last?.type === 'ReconcileFinished' && last.detail.health === 'Degraded');
});

test('a doubled look is no second chain of looks', async () => {
  const { clock, world } = await rollingOut();
  world.queues.later.length = 0;
  clock.advance(5_000);
  await world.run('health');
  assert.equal((await world.run('health')).kind, 'rested');
  assert.equal(world.queues.later.length, 1);
});

test('a look holds no lease, and one that cannot see comes again', async () => {
  const { clock, cluster, world } = await rollingOut();
  world.queues.later.length = 0;
  clock.advance(5_000);
  const writes = world.store.writes.length;
  await world.run('health');
  assert.ok(world.store.writes.slice(writes).every((key) => !key.startsWith('leases/')));
  clock.advance(10_000);
  cluster.hook = () => {
    throw new TypeError('a fault of ours');
  };
  await assert.rejects(world.run('health'), /a fault of ours/);
});

test('an object that vanished meanwhile is Missing', async () => {
  const { clock, cluster, world } = await rollingOut();
  cluster.remove(address);
  clock.advance(5_000);
  await world.run('health');
  assert.equal((await world.inventory()).health?.status, 'Missing');
});

test('a deletion that a run noted and died before it sent is made by the run that the sweep asks for', async () => {
  const clock = new ManualClock();
  const cluster = new MemoryCluster(clock);
  const world = new ReconcileWorld(clock, cluster);
  await world.push([configMap('given-up'), configMap('a')]);
  await world.record();
  const { revision, snapshot } = await world.push([configMap('a')]);
  const key = '/ConfigMap/default/given-up';
  const { applied, entries, ...noted } = await world.inventory();
  const { [key]: entry } = entries;
  assert.ok(applied !== undefined && entry !== undefined);
  const begun = { ...entries, [key]: { ...entry, state: 'deleting' as const } };
  const inventory = { ...noted, applied: { ...applied, revision, snapshot }, entries: begun };
  await writeDocument(world.store, keys.inventory(world.target), inventory, 'any');
  await world.run('pending');
  const place = { apiVersion: 'v1', plural: 'configmaps', namespace: 'default', name: 'given-up' };
  assert.equal(cluster.live(place), undefined);
  assert.equal((await world.inventory()).entries[key], undefined);
});

test('a deletion that finalizers hold stays in the inventory until it is confirmed', async () => {
  const clock = new ManualClock();
  const cluster = new MemoryCluster(clock);
  const world = new ReconcileWorld(clock, cluster);
  const kept = configMap('kept');
  const held = { ...kept, metadata: { ...kept.metadata, finalizers: ['example.org/wait'] } };
  await world.push([held, configMap('a')]);
  await world.record();
  await world.push([configMap('a')]);
  const { outcome } = await world.record();
  assert.deepEqual(
    outcome?.objects.map(({ outcome: did }) => did),
    ['pruning'],
  );
  const stateOf = async () => (await world.inventory()).entries['/ConfigMap/default/kept']?.state;
  assert.equal(await stateOf(), 'deleting');
  clock.advance(5_000);
  await world.run('health');
  assert.equal(await stateOf(), 'deleting');
  assert.deepEqual(
    world.queues.later.map(({ delaySeconds }) => delaySeconds),
    [5, 10],
  );
  cluster.remove({ apiVersion: 'v1', plural: 'configmaps', namespace: 'default', name: 'kept' });
  clock.advance(10_000);
  await world.run('health');
  assert.equal(await stateOf(), undefined);
  assert.equal(world.queues.later.length, 2, 'nothing is left to look at');
});

test('a cluster that falls silent after the last apply has taken it: applied, health Unknown, looked at again', async () => {
  const clock = new ManualClock();
  const cluster = new MemoryCluster(clock);
  const world = new ReconcileWorld(clock, cluster);
  await world.push([deployment]);
  await world.record();
  // The Deployment is left as it is, so its health is not in any answer of this run.
  await world.push([deployment, configMap('more')]);
  const before = cluster.effects.length;
  cluster.hook = (request, when) => {
    if (request.startsWith('get') && when === 'before' && cluster.effects.length > before) {
      throw new Retry({ subject: 'cluster east', message: 'answered 503' });
    }
  };
  const record = await world.record();
  assert.deepEqual([record.outcome?.kind, record.health?.status], ['applied', 'Unknown']);
  cluster.hook = () => undefined;
  cluster.write(address, { kind: 'Deployment', status: ready });
  clock.advance(5_000);
  await world.run('health');
  assert.equal((await world.inventory()).health?.status, 'Healthy');
});
