import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { keys } from '../../../core/contract/keys.ts';
import { readDocument } from '../../../core/documents.ts';
import type { KubeObject } from '../../../core/model/object.ts';
import { runRecordSchema } from '../../../core/model/run.ts';
import { isoTime } from '../../../core/model/time.ts';
import { reconcile } from '../../../core/reconcile.ts';
import { cancelRun } from '../../../core/cancel-run.ts';
import type { Cluster } from '../../../core/ports.ts';
import { seenNow, suspend } from '../../../core/suspend.ts';
import { ManualClock } from '../../fakes/manual-clock.ts';
import { MemoryCluster } from '../../fakes/memory-cluster.ts';
import { configMap, didIn, ReconcileWorld } from './reconcile-world.ts';
import { deployment as rolling, Rollout } from './rollout.ts';

const name = 'kubectl.kubernetes.io/restartedAt';
const address = (of: string) => ({
  apiVersion: 'apps/v1',
  plural: 'deployments',
  namespace: 'default',
  name: of,
});

function deployment(of: string, metadata?: object): KubeObject {
  const template = metadata === undefined ? {} : { metadata: JSON.parse(JSON.stringify(metadata)) };
  return { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: of }, spec: { template } };
}

async function newWorld(...more: readonly string[]) {
  const clock = new ManualClock();
  const cluster = new MemoryCluster(clock);
  let whenMarked: (() => Promise<unknown>) | undefined;
  const watched = new Proxy(cluster, {
    get: (of, member) => {
      if (member !== 'patch') {
        const value: unknown = Reflect.get(of, member, of);
        return typeof value === 'function' ? value.bind(of) : value;
      }
      return async (...args: Parameters<Cluster['patch']>) => {
        const outcome = await of.patch(...args);
        const work = whenMarked;
        whenMarked = undefined;
        await work?.();
        return outcome;
      };
    },
  });
  const onMark = (work: () => Promise<unknown>) => (whenMarked = work);
  const world = new ReconcileWorld(clock, watched);
  await world.push([
    configMap('a'),
    deployment('bare'),
    deployment('full', { annotations: { kept: 'yes' } }),
    ...more.map((of) => deployment(of)),
  ]);
  await world.record();
  cluster.effects.splice(0);
  const restart = async (asked: { only?: string[]; restartedAt?: string; holdsSeen?: number } = {}) => {
    const request = { ...world.request('restart'), ...(await seenNow(world.store)), requestedBy: 'alice' };
    return reconcile({ ...request, ...asked }, world.deps);
  };
  const template = (of: string) => JSON.stringify(cluster.live(address(of))?.['spec'] ?? {});
  return { clock, cluster, world, restart, template, onMark };
}

describe('a restart of workloads', () => {
  test('marks the pod template of each and leaves everything else as it is, with a record of who asked', async () => {
    const { world, cluster, restart, template } = await newWorld();
    const before = await world.inventory();
    const result = await restart({ restartedAt: '2026-11-23T12:00:00.000Z' });
    assert.equal(result.kind, 'ran');
    if (result.kind !== 'ran') return;
    const { record } = result;
    assert.deepEqual(didIn(record), ['updated Deployment bare', 'updated Deployment full']);
    assert.equal(record.requestedBy, 'alice');
    assert.match(record.plan.actions[0]?.why ?? '', /restart asked for by alice/);
    assert.equal(cluster.effects.length, 2);
    assert.match(template('bare'), new RegExp(`"annotations":{"${name}":"2026-11-23T12:00:00.000Z"}`));
    assert.match(template('full'), new RegExp(`"kept":"yes","${name}"`));
    const { applied, lastRun, entries } = await world.inventory();
    assert.deepEqual(
      { applied, lastRun, entries },
      {
        applied: before.applied,
        lastRun: before.lastRun,
        entries: before.entries,
      },
    );
  });

  test('is left alone by the runs that follow', async () => {
    const { world, restart, template } = await newWorld();
    await restart();
    for (const reason of ['heal', 'sync'] as const) await world.run(reason);
    assert.match(template('full'), new RegExp(name));
  });

  test('of one workload is of that one', async () => {
    const { restart, template } = await newWorld();
    await restart({ only: ['apps/Deployment/default/full'] });
    assert.doesNotMatch(template('bare'), new RegExp(name));
    assert.match(template('full'), new RegExp(name));
  });

  test('is not done where the target is suspended', async () => {
    const { world, restart, cluster } = await newWorld();
    await suspend(world, world.target, { by: 'bob', reason: 'incident' });
    const held = await restart();
    assert.match(held.kind === 'ran' ? '' : held.why, /suspended by bob/);
    assert.deepEqual(cluster.effects, []);
  });

  const many = Array.from({ length: 20 }, (_, index) => `web-${index}`);
  const stops = {
    suspended: async (world: ReconcileWorld<ManualClock>) =>
      suspend(world, world.target, { by: 'bob', reason: 'incident' }),
    cancelled: async (world: ReconcileWorld<ManualClock>) => cancelRun(world, world.target, 'bob'),
  };
  for (const [how, stop] of Object.entries(stops)) {
    test(`stops before its next mark where it is ${how} meanwhile, and says what was left alone`, async () => {
      const { world, restart, onMark } = await newWorld(...many);
      onMark(async () => stop(world));
      const result = await restart();
      assert.equal(result.kind, 'ran');
      if (result.kind !== 'ran') return;
      const { outcome } = result.record;
      assert.equal(outcome?.kind, 'cancelled');
      assert.match(outcome.message, new RegExp(`left alone: .*${how} by bob`));
      const marked = outcome.objects.filter((one) => one.outcome === 'updated').length;
      // Those under way meanwhile end.
      assert.ok(marked >= 1 && marked < 16, `${marked} of 22`);
      assert.equal(outcome.objects.filter((one) => one.outcome === 'skipped').length, 22 - marked);
    });
  }

  test('that is cancelled takes no heal with it, and comes no second time', async () => {
    const { world, restart, onMark, cluster } = await newWorld(...many);
    onMark(async () => cancelRun(world, world.target, 'bob'));
    await restart({ holdsSeen: 0 });
    const healed = await world.record('heal');
    assert.equal(healed.outcome?.kind, 'applied');
    cluster.effects.splice(0);
    const again = await restart({ holdsSeen: 0 });
    assert.equal(again.kind === 'ran' && again.record.outcome?.kind, 'cancelled');
    assert.deepEqual(cluster.effects, []);
    const asked = await restart();
    assert.equal(asked.kind === 'ran' && asked.record.outcome?.kind, 'applied', 'asked for since');
  });

  test('that was asked for before another one does not set its mark back', async () => {
    const { restart, template, cluster } = await newWorld();
    await restart({ restartedAt: '2026-11-23T12:05:00.000Z' });
    cluster.effects.splice(0);
    for (const restartedAt of ['2026-11-23T12:00:00.000Z', '2026-11-23T12:05:00.000Z']) {
      const result = await restart({ restartedAt });
      assert.equal(result.kind, 'ran');
      if (result.kind !== 'ran') return;
      assert.deepEqual(didIn(result.record), ['unchanged Deployment bare', 'unchanged Deployment full']);
      assert.match(result.record.outcome?.message ?? '', /2 had been restarted since/);
    }
    assert.match(template('bare'), /12:05/);
    assert.deepEqual(cluster.effects, []);
  });

  test('is no news of the push before it: its record, its event and its lead time stay', async () => {
    const rollout = new Rollout();
    const { world, clock } = rollout;
    await world.push([rolling('web')]);
    const trace = { by: 'push' as const, id: 'a'.repeat(32), at: isoTime(clock.now()) };
    const { id, startedAt } = await world.record('push', { trace });
    clock.advance(60_000);
    rollout.roll('web');
    await world.run('health');
    const recordNow = async () =>
      (await readDocument(world.store, keys.run(world.target, startedAt, id), runRecordSchema))?.value;
    const told = {
      record: await recordNow(),
      events: world.bus.events.length,
      metrics: world.metrics.data.length,
    };
    world.queues.later.splice(0);
    clock.advance(3 * 86_400_000);
    // Its controller has not seen the new template yet.
    rollout.unroll('web');
    await reconcile(world.request('restart'), world.deps);
    assert.equal((await world.inventory()).health?.status, 'Progressing');
    assert.match(await rollout.next(), /health: looked Progressing/);
    assert.match(await rollout.next(), /health: looked Progressing/, 'counted from the restart');
    rollout.roll('web');
    assert.match(await rollout.next(), /health: looked Healthy/);
    assert.equal((await world.inventory()).health?.status, 'Healthy');
    assert.deepEqual(
      { record: await recordNow(), events: world.bus.events.length, metrics: world.metrics.data.length },
      told,
    );
    assert.equal(await rollout.next(), 'nothing is asked for');
  });

  test('while the push before it still rolls out leaves that its news', async () => {
    const rollout = new Rollout();
    const { world, clock } = rollout;
    await world.push([rolling('web')]);
    await world.record();
    world.queues.later.splice(0);
    const before = world.bus.events.length;
    await reconcile(world.request('restart'), world.deps);
    clock.advance(60_000);
    rollout.roll('web');
    await world.run('health');
    assert.equal(world.bus.events.length, before + 1);
    const { applied } = await world.inventory();
    assert.equal(applied?.healthy, true);
  });

  test('tells of a workload that is gone, and restarts the others', async () => {
    const { restart, cluster } = await newWorld();
    cluster.remove(address('bare'));
    const result = await restart();
    assert.equal(result.kind === 'ran' && result.record.outcome?.kind, 'failed');
    assert.deepEqual(result.kind === 'ran' && didIn(result.record), [
      'failed Deployment bare',
      'updated Deployment full',
    ]);
  });
});
