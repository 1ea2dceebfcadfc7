import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { cancelRun } from '../../../core/cancel-run.ts';
import type { RunReason } from '../../../core/model/run.ts';
import { reconcile } from '../../../core/reconcile.ts';
import { readStanding } from '../../../core/reconcile/standing.ts';
import { nextRun } from '../../../core/sweep/next-run.ts';
import { stateOf } from '../../../core/view/target-view.ts';
import { ManualClock } from '../../fakes/manual-clock.ts';
import { MemoryCluster } from '../../fakes/memory-cluster.ts';
import { configMap, didIn, ReconcileWorld, type PushOptions } from './reconcile-world.ts';
import { annotated, deployment, Rollout } from './rollout.ts';
import { StagedFleet } from './staged-fleet.ts';

const a = '/ConfigMap/default/a';

async function newWorld(options: PushOptions = {}) {
  const clock = new ManualClock();
  const cluster = new MemoryCluster(clock);
  const world = new ReconcileWorld(clock, cluster);
  await world.push([configMap('a'), configMap('b'), configMap('old')], options);
  await world.record('sync');
  const syncOnly = async (...only: string[]) => {
    const result = await reconcile({ ...world.request('sync'), only }, world.deps);
    if (result.kind !== 'ran') throw new Error(result.why);
    return result.record;
  };
  return { cluster, world, syncOnly };
}

/** Why nothing is run; empty where something is. */
async function why(world: ReconcileWorld<ManualClock>, reason: RunReason): Promise<string> {
  const result = await world.run(reason);
  return result.kind === 'ran' ? '' : result.why;
}

const changed = [configMap('a', { new: '1' }), configMap('b', { new: '1' })];

describe('a sync of single objects', () => {
  test('of what is applied writes those again and no other', async () => {
    const { world, syncOnly } = await newWorld();
    const record = await syncOnly(a);
    assert.equal(record.outcome?.kind, 'applied');
    assert.deepEqual(didIn(record), ['unchanged ConfigMap a']);
    assert.deepEqual(record.only, [a]);
    assert.equal((await world.inventory()).applied?.revision, 1);
  });

  test('of a commit that waits applies those, deletes nothing, and leaves the commit unapplied', async () => {
    const { world, cluster, syncOnly } = await newWorld({ sync: 'manual' });
    const pointer = await world.push(changed, { sync: 'manual' });
    const record = await syncOnly(a);
    assert.deepEqual(didIn(record), ['updated ConfigMap a']);
    assert.equal(record.outcome?.kind, 'cancelled');
    assert.match(record.outcome?.message ?? '', /^only ConfigMap default\/a was asked for; the rest/);
    assert.equal(cluster.labelled().length, 3);
    const { applied, lastRun } = await world.inventory();
    assert.equal(applied?.revision, 1);
    assert.equal(lastRun?.revision, 1);
    // What was asked for is not healed away again by the way.
    assert.match(await why(world, 'heal'), /synced alone at .*; `trueup sync` applies the rest/);
    const records = { target: world.target, pointer, inventory: await world.inventory(), check: undefined };
    assert.match(stateOf(records, undefined, world.clock.now()).message, /synced alone at/);
    assert.deepEqual(didIn(await world.record('sync')).includes('pruned ConfigMap old'), true);
    assert.equal((await world.inventory()).askedAlone, undefined);
    assert.equal((await world.record('heal')).outcome?.kind, 'applied');
  });

  test('where commits are applied by themselves the rest follows as ever', async () => {
    const { world, syncOnly } = await newWorld();
    await world.push([configMap('a', { new: '1' }), configMap('b', { new: '1' })]);
    await syncOnly(a);
    assert.equal((await world.record('push')).outcome?.kind, 'applied');
  });

  test('that fails does not try the whole of it later', async () => {
    const { world, cluster, syncOnly } = await newWorld();
    cluster.answers.set('a', { kind: 'refused', message: 'says no' });
    const before = (await world.inventory()).lastRun;
    const record = await syncOnly(a);
    assert.equal(record.outcome?.kind, 'blocked');
    assert.deepEqual((await world.inventory()).lastRun, before);
    assert.deepEqual(world.queues.later, []);
  });

  test('of what is applied is no word about another object that failed, nor about its retry', async () => {
    const { world, cluster, syncOnly } = await newWorld();
    cluster.answers.set('b', { kind: 'invalid', message: 'no' });
    assert.equal((await world.record('sync')).outcome?.kind, 'failed');
    const { lastRun } = await world.inventory();
    assert.equal((await syncOnly(a)).outcome?.kind, 'applied');
    assert.deepEqual((await world.inventory()).lastRun, lastRun);
  });

  test('is refused for what Git does not want', async () => {
    const { syncOnly } = await newWorld();
    const record = await syncOnly(a, '/ConfigMap/default/none');
    assert.equal(record.outcome?.kind, 'blocked');
    assert.match(record.outcome?.message ?? '', /Git does not want ConfigMap default\/none here/);
    assert.deepEqual(didIn(record), []);
  });

  test('is refused for what Git has given up, which stays as it is', async () => {
    const { world, cluster, syncOnly } = await newWorld({ sync: 'manual' });
    await world.push(changed, { sync: 'manual' });
    const record = await syncOnly('/ConfigMap/default/old');
    assert.match(record.outcome?.message ?? '', /Git does not want ConfigMap default\/old here/);
    for (const onDelete of ['orphan', 'prune'] as const) {
      await world.push(changed, { sync: 'manual', state: 'gone', onDelete });
      const gone = await syncOnly(a);
      assert.match(gone.outcome?.message ?? '', /Git does not want ConfigMap default\/a here/);
      assert.equal(Object.keys((await world.inventory()).entries).length, 3, onDelete);
      assert.equal(cluster.labelled().length, 3);
    }
    assert.equal((await world.inventory()).askedAlone, undefined);
  });

  test('begins nothing that a stale message, a resume or a cancellation could be about', async () => {
    const { world, syncOnly } = await newWorld({ sync: 'manual' });
    await world.push(changed, { sync: 'manual' });
    await syncOnly(a);
    for (const reason of ['continue', 'retry', 'pending', 'promote', 'push'] as const)
      assert.match(await why(world, reason), /./, reason);
    await assert.rejects(cancelRun(world, world.target, 'alice'), /nothing is under way/);
  });

  test('revives nothing that failed for good', async () => {
    const { world, cluster, syncOnly } = await newWorld();
    cluster.answers.set('b', { kind: 'invalid', message: 'no' });
    await world.push(changed);
    assert.equal((await world.record()).outcome?.kind, 'failed');
    cluster.answers.clear();
    const { lastRun } = await world.inventory();
    await syncOnly(a);
    assert.deepEqual((await world.inventory()).lastRun, lastRun);
    assert.match(await why(world, 'pending'), /needs a commit or a person/);
  });

  test('leaves a revision that waits waiting, and ends no wait', async () => {
    const rollout = new Rollout();
    const { world } = rollout;
    await world.push([deployment('d'), annotated(configMap('a'), { wave: '1' })], { sync: 'manual' });
    assert.equal((await world.record('sync')).outcome?.kind, 'waiting');
    const { waiting, lastRun } = await world.inventory();
    await reconcile({ ...world.request('sync'), only: [a] }, world.deps);
    const after = await world.inventory();
    assert.deepEqual({ waiting: after.waiting, lastRun: after.lastRun }, { waiting, lastRun });
    rollout.roll('d');
    rollout.clock.advance(60_000);
    assert.equal((await world.record('continue')).outcome?.kind, 'applied');
  });

  test('leaves a rollback its way to what was healthy before', async () => {
    const rollback = { onFailure: { windowSeconds: 600, alarms: [] } };
    const options = { sync: 'manual', rollback } as const;
    const { world, syncOnly } = await newWorld(options);
    await world.push(changed, options);
    await world.record('sync', { confirmPrune: 1 });
    world.clock.advance(3_600_000);
    await world.push([configMap('a', { v: '3' }), configMap('b', { v: '3' })], options);
    await syncOnly(a);
    await world.record('sync');
    const { trial } = await world.inventory();
    assert.deepEqual([trial?.revision, trial?.back?.revision], [3, 2]);
  });

  test('is not taken back by a heal though its function died before it could say how it ended', async () => {
    const { world, cluster } = await newWorld({ sync: 'manual' });
    await world.push([...changed, configMap('old'), configMap('c')], { sync: 'manual' });
    const bus = {
      publish: async () => {
        throw new Error('died');
      },
    };
    const request = { ...world.request('sync'), only: ['/ConfigMap/default/c'] };
    await assert.rejects(reconcile(request, { ...world.deps, bus }), /died/);
    assert.match(await why(world, 'heal'), /synced alone/);
    assert.equal(cluster.labelled().length, 4);
  });
});

describe('a sync of single objects before their stage of a rollout', () => {
  const c = '/ConfigMap/default/c';
  const objects = ['a', 'b', 'd', 'e'].map((name) => configMap(name));

  async function newFleet(options: PushOptions = {}) {
    const stages = [
      { name: 'canary', clusters: ['dev'] },
      { name: 'prod', clusters: ['eu'] },
    ];
    const fleet = new StagedFleet(stages);
    await fleet.push(objects, options);
    await fleet.run('dev', 'sync');
    await fleet.run('eu', 'sync');
    await fleet.push([configMap('a', { v: '2' }), ...objects.slice(1), configMap('c')], options);
    const eu = fleet.clusters.get('eu');
    if (eu === undefined) throw new Error('there is no eu');
    return { fleet, eu };
  }

  test('does not open it', async () => {
    for (const sync of ['auto', 'manual'] as const) {
      const { fleet } = await newFleet({ sync });
      await fleet.run('eu', 'sync', { only: [c] });
      const whole = sync === 'auto' ? await fleet.run('eu') : await fleet.run('eu', 'sync', { staged: true });
      assert.match(whole, /^waiting: waits for stage canary/, sync);
    }
  });

  test('is neither deleted nor reverted by a heal, noted before or after, nor while the next commit waits', async () => {
    for (const isNoted of [true, false]) {
      const { fleet, eu } = await newFleet();
      if (isNoted) await fleet.run('eu');
      await fleet.run('eu', 'sync', { only: [a, c] });
      await fleet.run('eu');
      const effects = eu.effects.length;
      assert.match(await fleet.run('eu', 'heal'), /^rested: .*synced alone.*`trueup sync`/);
      await fleet.push([configMap('a', { v: '3' }), ...objects.slice(1), configMap('c')]);
      assert.match(await fleet.run('eu'), /^waiting: waits for stage canary/);
      assert.match(await fleet.run('eu', 'heal'), /^rested: .*synced alone/);
      assert.equal(eu.effects.length, effects);
      await fleet.run('dev');
      assert.match(await fleet.run('eu', 'promote'), /^applied/);
      assert.match(await fleet.run('eu', 'heal'), /^applied/);
    }
  });

  test('lets the sweep ask for the stage, which heals no more until then', async () => {
    const { fleet } = await newFleet();
    await fleet.run('eu');
    const needs = { pending: true, wasPending: true, healable: true };
    const next = async () => {
      const target = { cluster: 'eu', application: 'web' };
      const { pointer, inventory } = await readStanding(fleet.world.store, target);
      return pointer && nextRun({ pointer, inventory, busy: false }, needs, fleet.clock.now());
    };
    assert.equal(await next(), 'heal');
    await fleet.run('eu', 'sync', { only: [c] });
    assert.equal(await next(), 'pending');
  });
});
