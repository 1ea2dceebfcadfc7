import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keys } from '../../../core/contract/keys.ts';
import { acquireLease, isLeaseHeld } from '../../../core/lease.ts';
import { InventoryWriter } from '../../../core/reconcile/inventory-writer.ts';
import { ManualClock } from '../../fakes/manual-clock.ts';
import { MemoryCluster } from '../../fakes/memory-cluster.ts';
import { configMap, didIn, ReconcileWorld } from './reconcile-world.ts';

function newWorld() {
  const clock = new ManualClock();
  const cluster = new MemoryCluster(clock);
  return { clock, cluster, world: new ReconcileWorld(clock, cluster) };
}

const namespace = (name: string) => ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } });

test('a request that meets a held lease is put off, never dropped', async () => {
  const { world, clock } = newWorld();
  await world.push([configMap('a')]);
  const other = await acquireLease(world.deps, world.target);
  assert.ok(other);
  assert.equal((await world.run()).kind, 'deferred');
  assert.deepEqual(world.queues.later, [{ request: world.request(), delaySeconds: 5 }]);
  clock.advance(90_001);
  assert.deepEqual(didIn(await world.record()), ['created ConfigMap a'], 'the lease of a dead run runs out');
  assert.equal(await isLeaseHeld(world.deps, world.target), false, 'and ours is given back');
});

test('a newer commit stops the run before its next step, and is asked for', async () => {
  const { world, cluster } = newWorld();
  await world.push([namespace('shop'), configMap('a', { a: '1' })]);
  let pushed = false;
  cluster.hook = (request, when) => {
    if (pushed || when !== 'after' || !request.startsWith('apply v1/namespaces')) return;
    pushed = true;
    void world.push([namespace('shop'), configMap('a', { a: '2' })]);
  };
  const { outcome } = await world.record();
  assert.equal(outcome?.kind, 'cancelled');
  assert.match(outcome.message, /revision 2 has come/);
  assert.deepEqual(cluster.effects, ['apply v1/namespaces//shop']);
  assert.deepEqual(
    world.queues.runs.map(({ reason }) => reason),
    ['push'],
  );
  assert.equal(world.metrics.data.length, 0, 'that is no failure');
  const next = await world.record();
  assert.deepEqual(didIn(next), ['created ConfigMap a'], 'the namespace is there already');
  assert.equal(cluster.effects.filter((effect) => effect.includes('configmaps')).length, 1);
});

test('a stale holder stops before its next effect, and can write nothing any more', async () => {
  const { world, cluster, clock } = newWorld();
  await world.push([namespace('shop'), configMap('a')]);
  cluster.hook = (request, when) => {
    // The process sleeps for two minutes between two effects, as a frozen machine does.
    if (when === 'after' && request.startsWith('apply v1/namespaces')) clock.advance(120_000);
  };
  const { outcome } = await world.record();
  assert.equal(outcome?.kind, 'cancelled');
  assert.deepEqual(cluster.effects, ['apply v1/namespaces//shop']);
  assert.deepEqual(
    world.queues.later.map(({ request: { reason } }) => reason),
    ['push'],
    'whoever goes on, somebody does',
  );
  cluster.hook = () => undefined;
  assert.equal((await world.record()).outcome?.kind, 'applied');
});

test('the token of the lease fences the inventory', async () => {
  const { world } = newWorld();
  const stale = await InventoryWriter.claim(world.store, world.target, 1);
  const current = await InventoryWriter.claim(world.store, world.target, 2);
  await assert.rejects(
    stale.save((inventory) => ({ ...inventory, entries: {} })),
    /another run has taken over/,
  );
  await current.save((inventory) => inventory);
  assert.equal((await world.inventory()).fence, 2);
});

test('health noted by a look in between is kept, and does not disturb the run', async () => {
  const { world } = newWorld();
  const writer = await InventoryWriter.claim(world.store, world.target, 1);
  const key = keys.inventory(world.target);
  const health = { status: 'Healthy' as const, message: '', at: '2026-11-23T12:00:00.000Z' };
  await world.store.put(key, JSON.stringify({ ...(await world.inventory()), seq: 99, health }), 'any');
  await writer.save((inventory) => ({ ...inventory, entries: {} }));
  const inventory = await world.inventory();
  assert.deepEqual([inventory.seq, inventory.health], [100, health]);
});

test('a run stops in time and asks for the next one, which goes on', async () => {
  const { world, cluster, clock } = newWorld();
  const names = Array.from({ length: 40 }, (_, index) => `c${index}`);
  await world.push(names.map((name) => configMap(name)));
  cluster.hook = (request, when) => {
    if (when === 'after' && request.startsWith('apply')) clock.advance(1_000);
  };
  world.budgetMs = 45_000;
  let runs = 0;
  for (let reason: 'push' | undefined = 'push'; reason !== undefined && runs < 40; runs += 1) {
    const { outcome } = await world.record(reason);
    reason = world.queues.runs.splice(0).length > 0 ? 'push' : undefined;
    assert.equal(outcome?.kind, reason === undefined ? 'applied' : 'cancelled', outcome?.message);
  }
  assert.ok(runs > 1, `${runs} runs`);
  assert.equal(cluster.labelled().length, 40);
  assert.equal(cluster.effects.length, 40, 'no object twice');
});

test('a run that takes longer than a lease renews it, and is one run', async () => {
  const { world, cluster, clock } = newWorld();
  const names = Array.from({ length: 40 }, (_, index) => `c${index}`);
  await world.push(names.map((name) => configMap(name)));
  cluster.hook = (request, when) => {
    if (when === 'after' && request.startsWith('apply')) clock.advance(5_000);
  };
  const { outcome } = await world.record();
  assert.deepEqual([outcome?.kind, outcome?.counts.created], ['applied', 40]);
});

test('a lease that another run took is noticed at the next renewal', async () => {
  const { world, cluster, clock } = newWorld();
  const names = Array.from({ length: 40 }, (_, index) => `c${index}`);
  await world.push(names.map((name) => configMap(name)));
  let taken: Promise<unknown> | undefined;
  cluster.hook = (request, when) => {
    if (taken !== undefined || when !== 'after' || !request.startsWith('apply')) return;
    clock.advance(20_000);
    const rival = { version: 1, holder: 'a rival', token: 2, acquiredAt: 0, expiresAt: clock.now() + 90_000 };
    void world.store.put(keys.lease(world.target), JSON.stringify(rival), 'any');
    taken = InventoryWriter.claim(world.store, world.target, 2);
  };
  const { outcome } = await world.record();
  assert.equal(outcome?.kind, 'cancelled');
  assert.match(outcome.message, /another run/);
  await taken;
  assert.equal((await world.inventory()).fence, 2, 'the inventory is the rival’s now');
  assert.ok(cluster.effects.length <= 8, 'no batch after the one under way');
});

test('what was read before the lease is read again under it', async () => {
  const { world } = newWorld();
  await world.push([configMap('a')]);
  const { deps } = world;
  let other: Promise<unknown> | undefined;
  const store: typeof deps.store = Object.create(deps.store, {
    get: {
      value: async (key: string) => {
        // Another run of the same push begins and ends between our first look and our lease.
        if (key === keys.lease(world.target)) await (other ??= world.run());
        return world.store.get(key);
      },
    },
    put: { value: world.store.put.bind(world.store) },
  });
  assert.deepEqual(await world.run('push', { store }), {
    kind: 'rested',
    why: 'revision 1 is applied already',
  });
  assert.equal(await isLeaseHeld(world.deps, world.target), false);
});
