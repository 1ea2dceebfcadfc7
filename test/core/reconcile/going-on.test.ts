import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Retry } from '../../../core/errors.ts';
import { ManualClock } from '../../fakes/manual-clock.ts';
import { MemoryCluster } from '../../fakes/memory-cluster.ts';
import { configMap, ReconcileWorld } from './reconcile-world.ts';
import { annotated, deployment, job, Rollout } from './rollout.ts';

const address = (name: string) => ({ apiVersion: 'v1', plural: 'configmaps', namespace: 'default', name });

describe('a run that goes on later', () => {
  test('an object under a new name is not forgotten before the new one is noted', async () => {
    const { world } = new Rollout();
    await world.push([{ apiVersion: 'v1', kind: 'Event', metadata: { name: 'e' }, reason: 'r' }]);
    await world.record();
    const event = { apiVersion: 'events.k8s.io/v1', kind: 'Event', metadata: { name: 'e' }, reason: 'r' };
    await world.push([deployment('d'), annotated(event, { wave: '1' })]);
    assert.equal((await world.record()).outcome?.kind, 'waiting');
    const { entries } = await world.inventory();
    assert.equal(Object.values(entries).filter(({ ref }) => ref.kind === 'Event').length, 1);
  });

  test('a retry of a run that nobody asked for leaves alone what is only observed', async () => {
    const clock = new ManualClock();
    const cluster = new MemoryCluster(clock);
    const world = new ReconcileWorld(clock, cluster);
    const shop = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } };
    await world.push([shop, configMap('a', { v: 'git' })], { drift: 'observe' });
    await world.record();
    await world.push([configMap('a', { v: 'git' })], { drift: 'observe' });
    await world.record();
    cluster.write(address('a'), { kind: 'ConfigMap', data: { v: 'hotfix' } }, 'kubectl-edit');
    clock.advance(11 * 60_000);
    cluster.hook = (request, when) => {
      if (when !== 'before' || !request.startsWith('delete')) return;
      cluster.hook = () => undefined;
      throw new Retry({ subject: 'cluster', message: '504' });
    };
    assert.equal((await world.record('pending')).outcome?.kind, 'failed');
    clock.advance(60_000);
    assert.equal((await world.record('retry')).outcome?.kind, 'applied');
    assert.deepEqual(cluster.live(address('a'))?.['data'], { v: 'hotfix' });
  });

  test('a lost lease is not tried again at once', async () => {
    const clock = new ManualClock();
    const cluster = new MemoryCluster(clock);
    const world = new ReconcileWorld(clock, cluster);
    await world.push([configMap('a')]);
    await world.record();
    await world.push([configMap('a', { a: '2' })]);
    world.queues.later.length = 0;
    cluster.hook = (request) => {
      if (request.startsWith('get')) clock.advance(85_000);
    };
    assert.equal((await world.record()).outcome?.kind, 'cancelled');
    assert.deepEqual(world.queues.runs, []);
    assert.deepEqual(
      world.queues.later.map(({ delaySeconds }) => delaySeconds),
      [5],
    );
  });

  test('requests of a look at fail hooks end before its lease does', async () => {
    const rollout = new Rollout();
    const { world, clock, cluster } = rollout;
    await world.push([configMap('a'), job('mourn', { hook: 'fail' })]);
    cluster.answers.set('a', { kind: 'invalid', message: 'no' });
    await world.record();
    let latest = 0;
    const clusters = {
      connect: async (_name: string, deadline: () => number) => {
        latest = deadline();
        return cluster;
      },
    };
    clock.advance(5_000);
    await world.run('health', { clusters });
    assert.ok(latest > 0 && latest <= clock.now() + 90_000);
  });
});
