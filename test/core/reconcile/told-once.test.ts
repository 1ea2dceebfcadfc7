import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ManualClock } from '../../fakes/manual-clock.ts';
import { MemoryCluster } from '../../fakes/memory-cluster.ts';
import { Neighbourhood } from './neighbourhood.ts';
import { configMap, ReconcileWorld } from './reconcile-world.ts';

function newWorld() {
  const clock = new ManualClock();
  const cluster = new MemoryCluster(clock);
  const world = new ReconcileWorld(clock, cluster);
  return { world, clock, cluster, both: new Neighbourhood(world) };
}

const shop = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } };

describe('applications that touch one another', () => {
  test('an object that its new owner cannot apply is not told of for ever', async () => {
    const { world, cluster, both } = newWorld();
    await both.push('a', [configMap('x'), configMap('a1')]);
    await both.push('b', [configMap('b1')]);
    await both.run('a');
    await both.run('b');
    await both.push('a', [configMap('a1')]);
    await both.push('b', [configMap('b1'), configMap('x', { of: 'b' })]);
    cluster.answers.set('x', { kind: 'refused', message: 'denied by policy' });
    await both.run('a');
    await both.settle();
    assert.deepEqual([...world.queues.later, ...world.queues.runs], []);
    const failed = world.bus.events.filter(
      ({ type, detail }) =>
        type === 'ReconcileFinished' && 'outcome' in detail && detail.outcome === 'blocked',
    );
    assert.equal(failed.length, 1);
  });

  test('a Namespace stays for what another put into it since the plan was made', async () => {
    const { clock, cluster, both } = newWorld();
    const precious = configMap('precious');
    const inShop = { ...precious, metadata: { ...precious.metadata, namespace: 'shop' } };
    await both.push('a', [shop, configMap('a')]);
    await both.run('a');
    await both.push('b', [configMap('b')]);
    await both.run('b');
    await both.push('a', [configMap('a')]);
    await both.run('a');
    clock.advance(11 * 60_000);
    await both.push('a', [configMap('a', { of: '2' })]);
    const apply = cluster.apply.bind(cluster);
    cluster.apply = async (...asked) => {
      cluster.apply = apply;
      await both.push('b', [configMap('b'), inShop]);
      await both.run('b');
      return apply(...asked);
    };
    const { outcome } = await both.record('a');
    const kept = outcome?.objects.find(({ ref }) => ref.kind === 'Namespace');
    assert.equal(kept?.outcome, 'skipped');
    assert.match(kept.message ?? '', /ConfigMap shop\/precious of the application b/);
    const address = { apiVersion: 'v1', plural: 'configmaps', namespace: 'shop', name: 'precious' };
    assert.ok(cluster.live(address) !== undefined);
  });

  test('what stays for good in a gone application does not keep what it depended on', async () => {
    const { both } = newWorld();
    const keep = configMap('keep');
    const kept = { ...keep, metadata: { ...keep.metadata, annotations: { 'trueup.dev/prune': 'disabled' } } };
    const web = { onDelete: 'prune' as const, dependsOn: [{ application: 'db' }] };
    await both.push('db', [configMap('d')], { onDelete: 'prune' });
    await both.run('db');
    await both.push('web', [configMap('w'), kept], web);
    await both.run('web');
    await both.push('web', [], { ...web, state: 'gone' });
    await both.push('db', [], { state: 'gone', onDelete: 'prune' });
    await both.run('web');
    const { outcome } = await both.record('db');
    assert.equal(outcome?.kind, 'applied', outcome?.message);
  });
});
