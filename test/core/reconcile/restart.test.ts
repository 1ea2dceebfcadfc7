import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { KubeObject } from '../../../core/model/object.ts';
import { reconcile } from '../../../core/reconcile.ts';
import { suspend } from '../../../core/suspend.ts';
import { ManualClock } from '../../fakes/manual-clock.ts';
import { MemoryCluster } from '../../fakes/memory-cluster.ts';
import { configMap, didIn, ReconcileWorld } from './reconcile-world.ts';

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

async function newWorld() {
  const clock = new ManualClock();
  const cluster = new MemoryCluster(clock);
  const world = new ReconcileWorld(clock, cluster);
  await world.push([
    configMap('a'),
    deployment('bare'),
    deployment('full', { annotations: { kept: 'yes' } }),
  ]);
  await world.record();
  cluster.effects.splice(0);
  const restart = async (more: { only?: string[]; restartedAt?: string } = {}) =>
    reconcile({ ...world.request('restart'), requestedBy: 'alice', ...more }, world.deps);
  const template = (of: string) => JSON.stringify(cluster.live(address(of))?.['spec'] ?? {});
  return { clock, cluster, world, restart, template };
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
