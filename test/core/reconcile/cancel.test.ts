import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { cancelRun } from '../../../core/cancel-run.ts';
import { Retry } from '../../../core/errors.ts';
import type { KubeObject } from '../../../core/model/object.ts';
import type { Cluster } from '../../../core/ports.ts';
import { reconcile } from '../../../core/reconcile.ts';
import { ManualClock } from '../../fakes/manual-clock.ts';
import { MemoryCluster } from '../../fakes/memory-cluster.ts';
import { configMap, didIn, ReconcileWorld } from './reconcile-world.ts';

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
