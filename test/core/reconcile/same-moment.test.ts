import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { RunRecord } from '../../../core/model/run.ts';
import { ManualClock } from '../../fakes/manual-clock.ts';
import { MemoryCluster } from '../../fakes/memory-cluster.ts';
import { Neighbourhood, plannedIn } from './neighbourhood.ts';
import { configMap, didIn, ReconcileWorld, type PushOptions } from './reconcile-world.ts';

const address = { apiVersion: 'v1', plural: 'configmaps', namespace: 'default', name: 'shared' };
const rival = /the application a has it and desires it too: one object has one application/;

function newWorld() {
  const clock = new ManualClock();
  const cluster = new MemoryCluster(clock);
  const both = new Neighbourhood(new ReconcileWorld(clock, cluster));
  const deletions = () => cluster.effects.filter((effect) => effect.startsWith('delete'));
  const label = () => cluster.live(address)?.metadata.labels?.['trueup.dev/application'];
  return { clock, cluster, both, deletions, label };
}

type World = ReturnType<typeof newWorld>;

/** Lets no apply through before both applications have planned theirs; `a` is a little faster. */
function together({ cluster }: World): void {
  const apply = cluster.apply.bind(cluster);
  const arrived: (() => void)[] = [];
  cluster.apply = async (at, object, options) => {
    const isFirst = object.metadata.labels?.['trueup.dev/application'] === 'a';
    await new Promise<void>((go) => {
      arrived[isFirst ? 0 : 1] = go;
      if (arrived.filter(Boolean).length === 2) for (const each of arrived) each();
    });
    cluster.apply = apply;
    return apply(at, object, options);
  };
}

/** Both applications create one object at the same moment. */
async function collided(options: PushOptions = {}): Promise<World & { readonly b: RunRecord }> {
  const world = newWorld();
  const { both } = world;
  await both.push('a', [configMap('shared', { of: 'a' })], options);
  await both.push('b', [configMap('shared', { of: 'b' })], options);
  together(world);
  const [a, b] = await Promise.all([both.record('a'), both.record('b')]);
  assert.deepEqual([a.outcome?.kind, didIn(a)], ['applied', ['created ConfigMap shared']]);
  return { ...world, b };
}

describe('two applications that create the same object at the same moment', () => {
  test('the later one is told whose it is, and keeps nothing that it could prune it by', async () => {
    const { both, b } = await collided();
    assert.equal(b.outcome?.kind, 'blocked');
    assert.match(b.outcome.message, rival);
    assert.deepEqual(await both.entries('a'), ['ConfigMap shared: applied ours']);
    assert.deepEqual(await both.entries('b'), []);
  });

  test('it stays so with each run after, also where what exists may be adopted', async () => {
    for (const adopt of [false, true]) {
      const { both, label } = await collided({ adopt });
      assert.equal(label(), 'a', 'nothing was written into it');
      assert.match(plannedIn(await both.record('b', 'sync')).join(), rival);
      assert.deepEqual(await both.entries('b'), []);
    }
  });

  test('neither deletes it when one gives it up: the later one without a trace, the first hands it over', async () => {
    const later = await collided();
    await later.both.push('b', [configMap('other')]);
    assert.equal((await later.both.record('b')).outcome?.kind, 'applied');
    assert.deepEqual(later.deletions(), []);
    assert.deepEqual(await later.both.entries('a'), ['ConfigMap shared: applied ours']);

    const first = await collided();
    await first.both.run('a', 'sync');
    await first.both.push('a', [configMap('other')]);
    await first.both.run('a');
    await first.both.settle();
    assert.deepEqual(first.deletions(), []);
    assert.deepEqual(await first.both.entries('b'), ['ConfigMap shared: applied ours']);
    assert.deepEqual(await first.both.entries('a'), ['ConfigMap other: applied ours']);
    assert.deepEqual([first.label(), first.cluster.live(address)?.['data']], ['b', { of: 'b' }]);
  });

  test('a run that dies when it meets the object claims nothing either', async () => {
    const world = newWorld();
    const { both, cluster } = world;
    await both.push('a', [configMap('shared', { of: 'a' })]);
    await both.push('b', [configMap('shared', { of: 'b' })]);
    together(world);
    cluster.hook = (request, when) => {
      if (when === 'before' && request.startsWith('get')) throw new Error('killed');
    };
    const runs = await Promise.allSettled([both.record('a'), both.record('b')]);
    assert.deepEqual(
      runs.map(({ status }) => status),
      ['fulfilled', 'rejected'],
    );
    cluster.hook = () => undefined;
    world.clock.advance(120_000);
    assert.match(plannedIn(await both.record('b', 'sync')).join(), rival);
    await both.push('b', [configMap('other')]);
    await both.run('b');
    await both.settle();
    assert.deepEqual(world.deletions(), []);
  });
});

test('an object made again by another application is not fought over', async () => {
  const { both, cluster, label } = newWorld();
  await both.push('b', [configMap('shared', { of: 'b' })]);
  await both.run('b');
  cluster.remove(address);
  await both.push('a', [configMap('shared', { of: 'a' })]);
  assert.deepEqual(didIn(await both.record('a')), ['created ConfigMap shared']);
  const record = await both.record('b', 'sync');
  assert.equal(record.outcome?.kind, 'blocked');
  assert.match(plannedIn(record).join(), rival);
  assert.equal(label(), 'a');
});

test('an object that two inventories hold already is told to whoever lost its label', async () => {
  const { both, cluster, label } = newWorld();
  await both.push('a', [configMap('shared', { of: 'a' })]);
  await both.run('a');
  const held = await both.inventory('a');
  await both.push('b', [configMap('shared', { of: 'b' }), configMap('own')]);
  const { store } = both.world;
  const target = { cluster: 'east', application: 'b' };
  await store.put('inventory/east/b.json', JSON.stringify({ ...held, target, fence: 0 }), 'any');
  await cluster.apply(
    address,
    {
      ...configMap('shared', { of: 'b' }),
      metadata: { name: 'shared', labels: { 'trueup.dev/application': 'b' } },
    },
    { dryRun: false, force: true },
  );
  const record = await both.record('a', 'sync');
  assert.match(plannedIn(record).join(), /the application b has it and desires it too/);
  assert.equal(label(), 'b');
});
