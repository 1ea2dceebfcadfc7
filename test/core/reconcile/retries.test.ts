import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keys } from '../../../core/contract/keys.ts';
import { Blocked, Retry } from '../../../core/errors.ts';
import type { Clusters } from '../../../core/ports.ts';
import { lookDelaySeconds, retryDelaySeconds } from '../../../core/reconcile/delays.ts';
import { ManualClock } from '../../fakes/manual-clock.ts';
import { MemoryCluster } from '../../fakes/memory-cluster.ts';
import { configMap, didIn, ReconcileWorld } from './reconcile-world.ts';

const timeout = new Retry({
  subject: 'cluster east at https://east.example',
  message: 'no answer within 5 s',
});

function newWorld() {
  const clock = new ManualClock();
  const cluster = new MemoryCluster(clock);
  let fault: Error | undefined = timeout;
  const clusters: Clusters = {
    connect: async () => {
      if (fault !== undefined) throw fault;
      return cluster;
    },
  };
  const world = new ReconcileWorld(clock, clusters);
  return { clock, cluster, world, setFault: (next: Error | undefined) => (fault = next) };
}

test('delays double, up to a limit, and never undercut what the other side asked for', () => {
  assert.deepEqual(
    [1, 2, 3, 4, 8, 9, 100].map((attempt) => retryDelaySeconds(attempt)),
    [5, 10, 20, 40, 640, 900, 900],
  );
  assert.equal(retryDelaySeconds(1, 30), 30);
  assert.equal(retryDelaySeconds(1, 5000), 900);
});

test('looks at health come after 5, 10, 20, 40 … s, and end after an hour', () => {
  const delays: number[] = [];
  for (let elapsed = 0; ;) {
    const delay = lookDelaySeconds(elapsed);
    if (delay === undefined) break;
    delays.push(delay);
    elapsed += delay;
  }
  assert.deepEqual(delays.slice(0, 7), [5, 10, 20, 40, 80, 160, 300]);
  assert.ok(delays.length < 25);
});

test('a cluster that does not answer: recorded with its reason, tried again with backoff, applied when it is back', async () => {
  const { world, clock, setFault } = newWorld();
  await world.push([configMap('a')]);
  const record = await world.record();
  assert.equal(record.outcome?.kind, 'failed');
  assert.equal(record.outcome.message, 'cluster east at https://east.example: no answer within 5 s');
  for (const expected of [5, 10, 20]) {
    const [later, ...others] = world.queues.later.splice(0);
    assert.deepEqual([later?.request.reason, later?.delaySeconds, others.length], ['retry', expected, 0]);
    clock.advance(expected * 1000);
    await world.record('retry');
  }
  assert.equal((await world.inventory()).lastRun?.attempt, 4);
  setFault(undefined);
  clock.advance(40_000);
  assert.deepEqual(didIn(await world.record('retry')), ['created ConfigMap a']);
  assert.equal((await world.inventory()).lastRun?.attempt, 0);
  clock.advance(900_000);
  assert.equal((await world.run('retry')).kind, 'rested', 'a retry that comes too late finds nothing to do');
});

test('a snapshot that is lost is asked for, and the run goes on once it is there again', async () => {
  const { world, clock, setFault } = newWorld();
  setFault(undefined);
  const { snapshot, repository } = await world.push([configMap('a')]);
  const key = keys.snapshot('web', snapshot);
  const kept = await world.store.get(key);
  await world.store.delete(key, 'any');
  const { outcome } = await world.record();
  assert.match(outcome?.message ?? '', /^snapshot sha256:.* is not in the bucket; it is rendered anew/);
  const [hint] = world.bus.events.splice(0);
  assert.ok(hint?.type === 'PushReceived');
  assert.deepEqual([hint.detail.repository, hint.detail.anew], [repository, ['web']]);
  const [later] = world.queues.later.splice(0);
  assert.deepEqual([later?.request.reason, later?.delaySeconds], ['retry', 5]);
  await world.store.put(key, kept?.text ?? '', 'absent');
  clock.advance(5_000);
  assert.deepEqual(didIn(await world.record('retry')), ['created ConfigMap a']);
});

test('a doubled retry is not a second try', async () => {
  const { world, clock } = newWorld();
  await world.push([configMap('a')]);
  await world.record();
  clock.advance(5_000);
  await world.record('retry');
  assert.deepEqual(await world.run('retry'), {
    kind: 'rested',
    why: 'another retry of the same run is under way',
  });
});

test('tries are bounded; after that the sweep asks, and is heard', async () => {
  const { world, clock, setFault } = newWorld();
  await world.push([configMap('a')]);
  await world.record();
  let tries = 1;
  for (; world.queues.later.length > 0 && tries < 50; tries += 1) {
    world.queues.later.length = 0;
    clock.advance(900_000);
    await world.record('retry');
  }
  assert.equal(tries, 12);
  setFault(undefined);
  assert.deepEqual(didIn(await world.record('pending')), ['created ConfigMap a']);
});

test('a cluster that refuses our credentials is blocked, tried again with backoff, and applied once it lets us in', async () => {
  const { world, clock, setFault } = newWorld();
  setFault(new Blocked({ subject: 'cluster east', message: 'did not accept our credentials (401)' }));
  await world.push([configMap('a')]);
  const { outcome } = await world.record();
  assert.equal(outcome?.kind, 'blocked');
  assert.deepEqual(outcome.faults, [
    { subject: 'cluster east', message: 'did not accept our credentials (401)' },
  ]);
  for (const expected of [5, 10]) {
    const [later, ...others] = world.queues.later.splice(0);
    assert.deepEqual([later?.request.reason, later?.delaySeconds, others.length], ['retry', expected, 0]);
    clock.advance(expected * 1000);
    assert.equal((await world.record('retry')).outcome?.kind, 'blocked');
  }
  setFault(undefined);
  clock.advance(20_000);
  assert.equal((await world.record('retry')).outcome?.kind, 'applied');
});

test('a cluster that stops answering half-way ends the run early, and the next one goes on', async () => {
  const { world, cluster, clock, setFault } = newWorld();
  setFault(undefined);
  const names = Array.from({ length: 60 }, (_, index) => `c${String(index).padStart(2, '0')}`);
  await world.push(names.map((name) => configMap(name)));
  let asked = 0;
  cluster.hook = (request, when) => {
    if (!request.startsWith('apply') || when !== 'before') return;
    asked += 1;
    if (asked > 16) throw timeout;
  };
  const { outcome } = await world.record();
  assert.equal(outcome?.kind, 'failed');
  assert.equal(outcome.counts.created, 16);
  assert.ok(asked <= 32, `${asked} requests: it did not wait for a timeout of each object`);
  cluster.hook = () => undefined;
  clock.advance(5_000);
  const record = await world.record('retry');
  assert.deepEqual(record.outcome?.counts, { created: 44, updated: 0, unchanged: 16, pruned: 0, failed: 0 });
});

test('throttled: the delay that the server names is kept', async () => {
  const { world, setFault } = newWorld();
  setFault(new Retry({ subject: 'cluster east', message: 'answered 429', afterSeconds: 60 }));
  await world.push([configMap('a')]);
  await world.record();
  assert.equal(world.queues.later[0]?.delaySeconds, 60);
});

test('a sync that failed is tried again although its revision is applied', async () => {
  const { world, cluster, clock, setFault } = newWorld();
  setFault(undefined);
  await world.push([configMap('a')]);
  await world.record();
  cluster.write(
    { apiVersion: 'v1', plural: 'configmaps', namespace: 'default', name: 'a' },
    { kind: 'ConfigMap', data: { a: 'edited' } },
  );
  setFault(timeout);
  await world.record('sync');
  setFault(undefined);
  clock.advance(5_000);
  assert.deepEqual(didIn(await world.record('retry')), ['updated ConfigMap a']);
});
