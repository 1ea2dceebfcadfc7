import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { KubeObject } from '../../../core/model/object.ts';
import { ManualClock } from '../../fakes/manual-clock.ts';
import { MemoryCluster } from '../../fakes/memory-cluster.ts';
import { Killed, mortal, type Death } from './mortal.ts';
import { Neighbourhood } from './neighbourhood.ts';
import { configMap, ReconcileWorld, type PushOptions } from './reconcile-world.ts';

const moved = { apiVersion: 'v1', plural: 'configmaps', namespace: 'default', name: 'moved' };

/** The object is with `a`; one commit moves it to `b`. */
async function begun(leaving: PushOptions) {
  const clock = new ManualClock();
  const cluster = new MemoryCluster(clock);
  const both = new Neighbourhood(new ReconcileWorld(clock, cluster));
  const before = [configMap('keep-a'), configMap('moved', { of: 'a', extra: 'a' })];
  await both.push('a', before);
  await both.push('b', [configMap('keep-b')]);
  await both.run('a');
  await both.run('b');
  const uid = cluster.live(moved)?.metadata.uid;
  await both.push('a', leaving.state === 'gone' ? before : [configMap('keep-a')], leaving);
  await both.push('b', [configMap('keep-b'), configMap('moved', { of: 'b' })]);
  return { both, clock, cluster, uid };
}

/** Runs one application until the given death; how many effects there were, and whether it died. */
async function dies(both: Neighbourhood<ManualClock>, application: string, death: Death) {
  const { deps, effects } = mortal(both.world.deps, death);
  const died = await both.run(application, 'push', deps).then(
    () => false,
    (error: unknown) => {
      assert.ok(error instanceof Killed, String(error));
      return true;
    },
  );
  return { died, effects: effects() };
}

const leavings: Readonly<Record<string, PushOptions>> = {
  'drops it': {},
  'has prune off': { prune: false },
  'is gone, orphan': { state: 'gone', onDelete: 'orphan' },
  'is gone, prune': { state: 'gone', onDelete: 'prune' },
};
/** Who runs until the first is killed, and in which order the messages come after that. */
const orders = [
  { first: ['a'], after: ['a', 'b'] },
  { first: ['a'], after: ['b', 'a'] },
  { first: ['b'], after: ['b', 'a'] },
  { first: ['b'], after: ['a', 'b'] },
  { first: ['a', 'b'], after: ['b', 'a'] },
  { first: ['b', 'a'], after: ['a', 'b'] },
];

describe('killed while an object is handed over', () => {
  for (const [how, leaving] of Object.entries(leavings)) {
    // The last is the longest way: both run, and both once more in the other order.
    for (const { first, after } of how === 'drops it' ? orders : orders.slice(-2)) {
      const dying = first.at(-1) ?? '';
      const before = first.slice(0, -1);
      const name = `a ${how}; ${[...before, `${dying} is killed`, ...after].join(', ')}`;
      test(name, async () => {
        let deaths = 0;
        for (const when of ['before', 'after'] as const) {
          for (let at = 1; ; at += 1) {
            const { both, clock, cluster, uid } = await begun(leaving);
            for (const application of before) await both.run(application);
            if (!(await dies(both, dying, { at, when })).died) break;
            deaths += 1;
            clock.advance(120_000);
            for (const application of after) await both.run(application);
            await both.settle();
            const where = `${when} effect ${at}`;
            const live = cluster.live(moved);
            assert.ok(live, where);
            assert.equal(live.metadata.uid, uid, `${where}: it is the same object`);
            assert.deepEqual(live.metadata.labels, { 'trueup.dev/application': 'b' }, where);
            assert.deepEqual(live['data'], { of: 'b' }, where);
            assert.deepEqual(
              await both.entries('b'),
              ['ConfigMap keep-b: applied ours', 'ConfigMap moved: applied ours'],
              where,
            );
            // Whoever was to tell `a` may have died of it: then the sweep asks, an hour later.
            clock.advance(3_600_000);
            await both.run('a', 'pending');
            const rest = (await both.entries('a')).filter((entry) => entry.includes('moved'));
            assert.deepEqual(rest, [], where);
          }
        }
        assert.ok(deaths >= 10, `${deaths} places to die`);
      });
    }
  }
});

describe('killed while something is pruned in two phases', () => {
  const shop: KubeObject = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } };
  const address = { apiVersion: 'v1', plural: 'namespaces', name: 'shop' };

  async function world() {
    const clock = new ManualClock();
    const cluster = new MemoryCluster(clock);
    const one = new Neighbourhood(new ReconcileWorld(clock, cluster));
    await one.push('a', [shop, configMap('keep')]);
    await one.run('a');
    await one.push('a', [configMap('keep')]);
    return { one, clock, cluster };
  }

  for (const when of ['before', 'after'] as const) {
    test(`${when} any effect of the run that marks: it is not deleted before its time`, async () => {
      for (let at = 1; ; at += 1) {
        const { one, clock, cluster } = await world();
        if (!(await dies(one, 'a', { at, when })).died) break;
        clock.advance(120_000);
        await one.run('a');
        await one.settle();
        assert.ok(cluster.live(address), `${when} effect ${at}: it is marked`);
        assert.deepEqual(await one.entries('a'), [
          'ConfigMap keep: applied ours',
          'Namespace shop: applied ours grace',
        ]);
        clock.advance(600_000);
        await one.run('a', 'pending');
        assert.equal(cluster.live(address), undefined);
      }
    });

    test(`${when} any effect of the run that deletes: the next one ends it`, async () => {
      let deaths = 0;
      for (let at = 1; ; at += 1) {
        const { one, clock, cluster } = await world();
        await one.run('a');
        clock.advance(600_000);
        const { deps } = mortal(one.world.deps, { at, when });
        const died = await one.run('a', 'pending', deps).then(
          () => false,
          () => true,
        );
        if (!died) break;
        deaths += 1;
        clock.advance(120_000);
        await one.run('a', 'pending');
        await one.settle();
        clock.advance(600_000);
        await one.run('a', 'sync');
        assert.equal(cluster.live(address), undefined, `${when} effect ${at}`);
        assert.deepEqual(await one.entries('a'), ['ConfigMap keep: applied ours']);
      }
      assert.ok(deaths >= 6, `${deaths} places to die`);
    });

    test(`${when} any effect, and it is desired again: it stays, without a mark`, async () => {
      for (let at = 1; ; at += 1) {
        const { one, clock, cluster } = await world();
        const uid = cluster.live(address)?.metadata.uid;
        if (!(await dies(one, 'a', { at, when })).died) break;
        clock.advance(1_200_000);
        await one.push('a', [shop, configMap('keep')]);
        await one.run('a');
        await one.settle();
        clock.advance(1_200_000);
        await one.run('a', 'pending');
        assert.equal(cluster.live(address)?.metadata.uid, uid);
        assert.deepEqual(await one.entries('a'), [
          'ConfigMap keep: applied ours',
          'Namespace shop: applied ours',
        ]);
      }
    });
  }
});
