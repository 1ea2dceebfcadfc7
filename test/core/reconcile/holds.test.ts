import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { fleetFreezeSchema, type HeldAction } from '../../../core/model/freeze.ts';
import { readSuspensions, resume, suspend } from '../../../core/suspend.ts';
import { ManualClock } from '../../fakes/manual-clock.ts';
import { MemoryCluster } from '../../fakes/memory-cluster.ts';
import { configMap, ReconcileWorld } from './reconcile-world.ts';

const hour = 3_600_000;
const frozen = (...applies: HeldAction[]) => [
  { from: '2026-11-23T00:00:00Z', until: '2026-11-24T00:00:00Z', reason: 'sale', applies },
];

function newWorld() {
  const clock = new ManualClock();
  const cluster = new MemoryCluster(clock);
  return { clock, cluster, world: new ReconcileWorld(clock, cluster) };
}

async function whyRested(world: ReconcileWorld<ManualClock>, reason: 'push' | 'heal' | 'sync' | 'pending') {
  const result = await world.run(reason);
  return result.kind === 'ran' ? result.record.outcome?.kind : result.why;
}

describe('a freeze', () => {
  test('of pushes alone lets heals through, and one of heals alone lets pushes through', async () => {
    const { world } = newWorld();
    await world.push([configMap('a')]);
    await world.record();
    await world.push([configMap('a')], { freeze: frozen('push'), prune: false });
    assert.equal(await whyRested(world, 'push'), 'frozen until 2026-11-24T00:00:00.000Z: sale');
    await world.record('sync');
    assert.equal(await whyRested(world, 'heal'), 'applied');
    await world.push([configMap('a')], { freeze: frozen('heal') });
    assert.equal(await whyRested(world, 'push'), 'applied');
    assert.match((await whyRested(world, 'heal')) ?? '', /^frozen/);
  });

  test('of pushes heals what is applied, and never what waits for its end', async () => {
    const { world, cluster } = newWorld();
    await world.push([configMap('a')]);
    await world.record();
    await world.push([configMap('a', { new: '1' }), configMap('b')], { freeze: frozen('push') });
    assert.equal(await whyRested(world, 'heal'), 'applied');
    assert.equal(cluster.labelled().length, 1, 'nothing of the commit');
  });

  test('of deletions lets the rest through, and they follow when it is over', async () => {
    const { world, clock, cluster } = newWorld();
    const freeze = frozen('prune');
    await world.push([configMap('a'), configMap('b')]);
    await world.record();
    await world.push([configMap('a', { new: '1' })], { freeze });
    const { outcome } = await world.record();
    assert.match(outcome?.message ?? '', /1 updated.*no longer in Git: 1 wait for the end of a freeze$/);
    assert.deepEqual(Object.keys((await world.inventory()).entries).length, 2);
    assert.match((await whyRested(world, 'pending')) ?? '', /^frozen/);
    clock.advance(13 * hour);
    assert.equal(await whyRested(world, 'pending'), 'applied');
    assert.equal(cluster.labelled().length, 1);
  });

  test('of the installation holds for the clusters that it chooses, at once', async () => {
    const { world } = newWorld();
    await world.push([configMap('a')]);
    const [window] = frozen('push');
    const clusters = { selector: { matchLabels: { stage: 'prod' } } };
    world.freeze = [fleetFreezeSchema.parse({ ...window, clusters })];
    world.labels = { stage: 'dev' };
    assert.equal(await whyRested(world, 'push'), 'applied');
    await world.push([configMap('a', { new: '1' })]);
    world.labels = { stage: 'prod' };
    assert.match((await whyRested(world, 'push')) ?? '', /^frozen until/);
    assert.equal(await whyRested(world, 'sync'), 'applied');
  });
});

describe('a suspension', () => {
  const scopes = [{ application: 'web' }, { cluster: 'east' }, { application: 'web', cluster: 'east' }];
  for (const scope of scopes) {
    test(`of ${JSON.stringify(scope)} stops everything that writes, a sync too, until it is resumed`, async () => {
      const { world, cluster } = newWorld();
      await world.push([configMap('a')]);
      await suspend(world, scope, { by: 'ada', reason: 'incident 7' });
      for (const reason of ['push', 'sync', 'heal', 'pending'] as const) {
        assert.match((await whyRested(world, reason)) ?? '', /suspended by ada since .*: incident 7$/);
      }
      assert.deepEqual(cluster.effects, []);
      assert.equal(await resume(world, { application: 'other' }, 'bob'), undefined);
      assert.equal((await resume(world, scope, 'bob'))?.reason, 'incident 7');
      assert.equal(await whyRested(world, 'pending'), 'applied');
      const { active, ended } = (await readSuspensions(world.store)) ?? {};
      assert.deepEqual([active, ended?.map(({ endedBy }) => endedBy)], [[], ['bob']]);
    });
  }

  test('of another cluster or application is none of its business', async () => {
    const { world } = newWorld();
    await world.push([configMap('a')]);
    await suspend(world, { cluster: 'west' }, { by: 'ada', reason: 'x' });
    await suspend(world, { application: 'shop', cluster: 'east' }, { by: 'ada', reason: 'x' });
    assert.equal(await whyRested(world, 'push'), 'applied');
  });

  test('ends by itself, and an end that is over is refused', async () => {
    const { world, clock } = newWorld();
    await world.push([configMap('a')]);
    await suspend(world, { cluster: 'east' }, { by: 'ada', reason: 'x', until: '2026-11-23T13:00:00.000Z' });
    assert.match((await whyRested(world, 'push')) ?? '', /until 2026-11-23T13:00:00.000Z: x$/);
    clock.advance(hour);
    assert.equal(await whyRested(world, 'push'), 'applied');
    const past = { by: 'ada', reason: 'x', until: '2026-11-23T12:59:59.000Z' };
    await assert.rejects(suspend(world, { cluster: 'east' }, past), /which is over/);
  });

  test('stops a run that is at work before its next step, and nothing is asked for until it is resumed', async () => {
    const { world, cluster } = newWorld();
    const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } };
    await world.push([namespace, configMap('a')]);
    const apply = cluster.apply.bind(cluster);
    cluster.apply = async (...asked) => {
      await suspend(world, { cluster: 'east' }, { by: 'ada', reason: 'stop' });
      return apply(...asked);
    };
    const { outcome } = await world.record();
    assert.equal(outcome?.kind, 'cancelled');
    assert.match(outcome?.message ?? '', /^stopped: cluster east is suspended by ada/);
    assert.deepEqual([world.queues.runs, world.queues.later], [[], []]);
    assert.deepEqual(
      cluster.labelled().map(({ kind }) => kind),
      ['Namespace'],
    );
    await resume(world, { cluster: 'east' }, 'ada');
    cluster.apply = apply;
    assert.equal(await whyRested(world, 'pending'), 'applied');
  });
});
