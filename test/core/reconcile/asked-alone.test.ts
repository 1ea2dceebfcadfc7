import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { reconcile } from '../../../core/reconcile.ts';
import { ManualClock } from '../../fakes/manual-clock.ts';
import { MemoryCluster } from '../../fakes/memory-cluster.ts';
import { configMap, didIn, ReconcileWorld, type PushOptions } from './reconcile-world.ts';

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
    await world.push([configMap('a', { new: '1' }), configMap('b', { new: '1' })], { sync: 'manual' });
    const record = await syncOnly(a);
    assert.deepEqual(didIn(record), ['updated ConfigMap a']);
    assert.equal(record.outcome?.kind, 'cancelled');
    assert.match(record.outcome?.message ?? '', /^only ConfigMap default\/a was asked for; the rest/);
    assert.equal(cluster.labelled().length, 3);
    const { applied, lastRun } = await world.inventory();
    assert.equal(applied?.revision, 1);
    assert.equal(lastRun?.revision, 2);
    // What was asked for is not healed away again by the way.
    const heal = await world.run('heal');
    assert.match(heal.kind === 'ran' ? '' : heal.why, /a sync was begun/);
    assert.deepEqual(didIn(await world.record('sync')).includes('pruned ConfigMap old'), true);
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

  test('is refused for what Git does not want', async () => {
    const { syncOnly } = await newWorld();
    const record = await syncOnly(a, '/ConfigMap/default/none');
    assert.equal(record.outcome?.kind, 'blocked');
    assert.match(record.outcome?.message ?? '', /Git does not want ConfigMap default\/none here/);
    assert.deepEqual(didIn(record), []);
  });
});
