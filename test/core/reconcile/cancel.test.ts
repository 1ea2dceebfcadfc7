import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { cancelRun } from '../../../core/cancel-run.ts';
import { keys } from '../../../core/contract/keys.ts';
import { readDocument } from '../../../core/documents.ts';
import { Retry } from '../../../core/errors.ts';
import { acquireLease } from '../../../core/lease.ts';
import type { FleetFreeze } from '../../../core/model/freeze.ts';
import { inventorySchema } from '../../../core/model/inventory.ts';
import type { KubeObject } from '../../../core/model/object.ts';
import type { RunRequest } from '../../../core/model/run.ts';
import type { Cluster } from '../../../core/ports.ts';
import { reconcile } from '../../../core/reconcile.ts';
import { readSuspensions, seenNow } from '../../../core/suspend.ts';
import { ManualClock } from '../../fakes/manual-clock.ts';
import { MemoryCluster } from '../../fakes/memory-cluster.ts';
import { configMap, didIn, pushTo, ReconcileWorld } from './reconcile-world.ts';
import { StagedFleet } from './staged-fleet.ts';

const deployment: KubeObject = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'web' },
  spec: { template: {} },
};

function newWorld() {
  const clock = new ManualClock();
  const cluster = new MemoryCluster(clock);
  let whenApplied: (() => Promise<unknown>) | undefined;
  const watched = new Proxy(cluster, {
    get: (of, name) => {
      if (name !== 'apply') {
        const member: unknown = Reflect.get(of, name, of);
        return typeof member === 'function' ? member.bind(of) : member;
      }
      return async (...args: Parameters<Cluster['apply']>) => {
        try {
          return await of.apply(...args);
        } finally {
          const work = whenApplied;
          whenApplied = undefined;
          await work?.();
        }
      };
    },
  });
  const world = new ReconcileWorld(clock, watched);
  const cancel = async () => cancelRun(world, world.target, 'alice');
  return { world, cluster, clock, cancel, onApply: (work: () => Promise<unknown>) => (whenApplied = work) };
}

async function why(world: ReconcileWorld<ManualClock>, reason: Parameters<typeof world.run>[0]) {
  const result = await world.run(reason);
  return result.kind === 'ran' ? result.record.outcome?.kind : result.why;
}

async function outcomeOf(
  world: ReconcileWorld<ManualClock>,
  request: RunRequest | undefined,
): Promise<string | undefined> {
  assert.ok(request);
  const result = await reconcile(request, world.deps);
  return result.kind === 'ran' ? result.record.outcome?.kind : result.why;
}

function inWave(object: KubeObject, wave: string): KubeObject {
  const { metadata } = object;
  return { ...object, metadata: { ...metadata, annotations: { 'trueup.dev/wave': wave } } };
}

describe('cancelling what is under way', () => {
  test('stops a run before its next step, with what was done in the records', async () => {
    const { world, cancel, onApply } = newWorld();
    await world.push([configMap('a'), deployment]);
    onApply(cancel);
    const record = await world.record();
    assert.equal(record.outcome?.kind, 'cancelled');
    assert.match(record.outcome?.message ?? '', /^cancelled by alice/);
    assert.deepEqual(didIn(record), ['created ConfigMap a']);
    const { entries, applied, lastRun } = await world.inventory();
    assert.deepEqual(
      Object.values(entries).map(({ ref, state }) => `${ref.kind} ${state}`),
      ['ConfigMap applied', 'Deployment intent'],
    );
    assert.equal(applied, undefined);
    assert.equal(lastRun?.stoppedBy, 'alice');
  });

  test('nothing goes on with it by itself; a sync does, and so does a commit', async () => {
    const { world, cancel, onApply } = newWorld();
    await world.push([configMap('a'), deployment]);
    onApply(cancel);
    await world.record();
    assert.deepEqual(world.queues.runs, [], 'asks for nothing');
    for (const reason of ['push', 'pending', 'retry', 'continue', 'heal', 'promote', 'hand-over'] as const) {
      assert.match((await why(world, reason)) ?? '', /alice cancelled it/, reason);
    }
    assert.equal(await why(world, 'sync'), 'applied');
    await world.push([configMap('a', { b: '2' }), deployment]);
    assert.equal(await why(world, 'push'), 'applied');
  });

  test('of a sync stops that one, and not the next', async () => {
    const { world, cancel, onApply } = newWorld();
    await world.push([configMap('a'), deployment], { sync: 'manual' });
    onApply(cancel);
    assert.equal(await why(world, 'sync'), 'cancelled');
    assert.equal(await why(world, 'sync'), 'applied');
  });

  test('in the last moments of a run that is to be tried again ends that as well', async () => {
    const { world, cluster, cancel, onApply } = newWorld();
    await world.push([configMap('a'), deployment]);
    // The last step, after which no other one looks.
    cluster.hook = (request) => {
      if (request.includes('deployments')) throw new Retry({ subject: 'server', message: 'is busy' });
    };
    onApply(async () => {
      onApply(cancel);
    });
    const record = await world.record();
    assert.equal(record.outcome?.kind, 'cancelled');
    assert.deepEqual(didIn(record), ['created ConfigMap a', 'failed Deployment web']);
    assert.deepEqual(world.queues.later, []);
  });

  test('before a revision was begun keeps it from beginning', async () => {
    const { world, cancel } = newWorld();
    await world.push([configMap('a')]);
    await cancel();
    assert.equal(await why(world, 'push'), 'cancelled');
    assert.match((await why(world, 'push')) ?? '', /alice cancelled it/);
  });

  test('is refused where nothing is under way', async () => {
    const { world, cancel } = newWorld();
    await assert.rejects(cancel(), /nothing is under way/);
    await world.push([configMap('a')]);
    await world.record();
    await assert.rejects(cancel(), /nothing is under way; `trueup suspend`/);
    await world.push([configMap('b')], { sync: 'manual' });
    await assert.rejects(cancel(), /nothing is under way/);
  });

  test('what was applied is healed all the same once a cancelled sync left nothing open', async () => {
    const { world, cancel, onApply } = newWorld();
    await world.push([configMap('a')]);
    await world.record();
    onApply(cancel);
    assert.equal(await why(world, 'sync'), 'applied', 'there was no step left to stop before');
    assert.equal(await why(world, 'heal'), 'applied');
  });

  const frozenFor = (days: number): FleetFreeze[] => {
    const until = `2026-11-${23 + days}T00:00:00Z`;
    return [{ from: '2026-11-23T00:00:00Z', until, reason: 'sale', applies: ['push'] }];
  };
  const hourMs = 3_600_000;

  test('of a revision that a freeze holds outlasts the heals of what is applied, and the freeze', async () => {
    const { world, cluster, clock, cancel } = newWorld();
    await world.push([configMap('a')]);
    await world.record();
    world.freeze = frozenFor(3);
    await world.push([configMap('a', { b: '2' })]);
    await cancel();
    for (const _ of [1, 2]) {
      clock.advance(hourMs);
      cluster.remove({ apiVersion: 'v1', plural: 'configmaps', namespace: 'default', name: 'a' });
      const healed = await world.record('heal');
      assert.deepEqual([healed.revision, ...didIn(healed)], [1, 'created ConfigMap a']);
    }
    clock.advance(73 * hourMs);
    // The list is tidied up whenever somebody cancels something.
    await cancelRun(world, world.target, 'bob');
    for (const reason of ['push', 'pending', 'retry'] as const)
      assert.match((await why(world, reason)) ?? '', /cancelled/, reason);
    assert.equal((await world.inventory()).applied?.revision, 1);
    assert.equal((await world.record('heal')).revision, 1, 'nothing of the other was begun');
    assert.equal(await why(world, 'sync'), 'applied');
    assert.equal((await world.inventory()).applied?.revision, 2);
  });

  test('is kept for longer than a day where its revision is still the newest, and dropped where it is not', async () => {
    const { world, clock } = newWorld();
    const place = { cluster: 'east', application: 'other' };
    const { store, sealer, namespace } = world;
    const other = { store, sealer, namespace, clock, target: place };
    await world.push([configMap('a')]);
    await cancelRun(world, world.target, 'alice');
    await pushTo(other, [configMap('o')]);
    await cancelRun(world, place, 'bob');
    await pushTo(other, [configMap('p')]);
    clock.advance(48 * hourMs);
    await cancelRun(world, place, 'carol');
    const cancelled = (await readSuspensions(world.store))?.cancelled ?? [];
    assert.deepEqual(
      cancelled.map(({ by }) => by),
      ['alice', 'carol'],
    );
    assert.equal(await why(world, 'push'), 'cancelled');
  });

  test('of a revision that waits for its stage outlasts heals, and the stage before it', async () => {
    const fleet = new StagedFleet([
      { name: 'canary', clusters: ['dev'] },
      { name: 'prod', clusters: ['eu'] },
    ]);
    await fleet.push([configMap('a')]);
    await fleet.run('dev');
    await fleet.run('eu', 'promote');
    await fleet.push([configMap('a', { b: '2' })]);
    await fleet.run('eu');
    const target = { cluster: 'eu', application: 'web' };
    await cancelRun({ store: fleet.world.store, clock: fleet.clock }, target, 'alice');
    assert.match(await fleet.run('eu', 'heal'), /^applied/);
    await fleet.run('dev');
    assert.match(await fleet.run('eu', 'promote'), /cancelled/);
    assert.match(await fleet.run('eu', 'pending'), /alice cancelled it/);
    assert.match(await fleet.run('eu', 'heal'), /^applied/, 'of what is applied');
    const { applied } =
      (await readDocument(fleet.world.store, keys.inventory(target), inventorySchema))?.value ?? {};
    assert.equal(applied?.revision, 1);
  });

  test('ends a sync that waits in a freeze', async () => {
    const { world, clock, cancel } = newWorld();
    world.freeze = frozenFor(1);
    await world.push([deployment, inWave(configMap('b'), '1')]);
    assert.equal(await why(world, 'sync'), 'waiting');
    const [later] = world.queues.later.splice(0);
    assert.equal(later?.request.reason, 'sync');
    await cancel();
    clock.advance(60_000);
    assert.equal(await outcomeOf(world, later?.request), 'cancelled');
  });

  test('ends a sync that ran out of time, between two of its runs', async () => {
    const { world, cancel } = newWorld();
    await world.push([configMap('a'), deployment], { sync: 'manual' });
    world.budgetMs = 1000;
    assert.equal(await why(world, 'sync'), 'cancelled');
    world.budgetMs = 300_000;
    await cancel();
    assert.deepEqual(world.queues.runs, [], 'one that came to no effect is not followed at once by the same');
    const [next] = world.queues.later.splice(0);
    assert.deepEqual([next?.request.reason, next?.delaySeconds], ['sync', 900]);
    assert.equal(await outcomeOf(world, next?.request), 'cancelled');
    assert.equal((await world.inventory()).lastRun?.stoppedBy, 'alice');
    assert.equal(await why(world, 'sync'), 'applied');
  });

  test('ends a sync whose function died and whose message comes again', async () => {
    const { world, clock, cancel } = newWorld();
    await world.push([configMap('a')], { sync: 'manual' });
    const request = { ...world.request('sync'), ...(await seenNow(world.store)) };
    await acquireLease(world.deps, world.target);
    await cancel();
    clock.advance(120_000);
    assert.equal(await outcomeOf(world, request), 'cancelled');
  });

  test('is over for all that follows from a sync that was asked for later', async () => {
    const { world, clock, cancel } = newWorld();
    await world.push([deployment, inWave(configMap('b'), '1')]);
    await cancel();
    assert.equal(await why(world, 'push'), 'cancelled');
    assert.equal(await why(world, 'sync'), 'waiting');
    clock.advance(400_000);
    assert.equal(await why(world, 'pending'), 'waiting', 'its own message may be lost');
  });

  test('by a sync of a single object is not lifted for the rest', async () => {
    const { world, cancel } = newWorld();
    await world.push([configMap('a'), configMap('b')]);
    await cancel();
    const only = ['/ConfigMap/default/a'];
    await reconcile({ ...world.request('sync'), ...(await seenNow(world.store)), only }, world.deps);
    assert.match((await why(world, 'push')) ?? '', /cancelled/);
  });

  test('stops a heal of an earlier revision where that holds the lease', async () => {
    const { world, cluster, clock, cancel, onApply } = newWorld();
    await world.push([configMap('a'), deployment]);
    await world.record();
    world.freeze = frozenFor(1);
    await world.push([configMap('a', { b: '2' }), deployment]);
    clock.advance(hourMs);
    cluster.remove({ apiVersion: 'v1', plural: 'configmaps', namespace: 'default', name: 'a' });
    cluster.remove({ apiVersion: 'apps/v1', plural: 'deployments', namespace: 'default', name: 'web' });
    onApply(cancel);
    const record = await world.record('heal');
    assert.deepEqual([record.revision, record.outcome?.kind], [1, 'cancelled']);
    // What it left half-way is of the revision that is applied: the next heal ends it, freeze or not.
    const entries = async () => Object.values((await world.inventory()).entries).map(({ state }) => state);
    assert.ok((await entries()).includes('intent'));
    clock.advance(60_000);
    const next = await world.record('heal');
    assert.deepEqual([next.revision, next.outcome?.kind], [1, 'applied']);
    assert.deepEqual(await entries(), ['applied', 'applied']);
  });

  test('what a run of the newer revision left half-way no heal takes back', async () => {
    const { world, cluster, clock, onApply, cancel } = newWorld();
    await world.push([configMap('a'), deployment]);
    await world.record();
    world.freeze = frozenFor(1);
    await world.push([configMap('a', { b: '2' }), deployment]);
    clock.advance(hourMs);
    cluster.remove({ apiVersion: 'v1', plural: 'configmaps', namespace: 'default', name: 'a' });
    onApply(cancel);
    await world.record('heal');
    clock.advance(60_000);
    // As a run leaves it that died after its intents.
    const value = await world.inventory();
    const entries = Object.entries(value.entries).map(([each, entry]) => {
      const intendedAt = new Date(clock.now()).toISOString();
      return [each, { ...entry, state: 'intent', intendedAt }];
    });
    const left = JSON.stringify({ ...value, entries: Object.fromEntries(entries) });
    await world.store.put(keys.inventory(world.target), left, 'any');
    assert.match((await why(world, 'heal')) ?? '', /a sync was begun and has not ended/);
  });

  test('a run of a single object is stopped alike', async () => {
    const { world, cancel, onApply } = newWorld();
    await world.push([configMap('a'), deployment]);
    await world.record();
    onApply(cancel);
    const only = ['/ConfigMap/default/a', 'apps/Deployment/default/web'];
    const result = await reconcile({ ...world.request('sync'), only }, world.deps);
    assert.equal(result.kind === 'ran' && result.record.outcome?.kind, 'cancelled');
  });
});
