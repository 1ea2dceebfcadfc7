import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PendingQueues } from '../../adapters/pending-queues.ts';
import { runLocally } from '../../cli/run-locally.ts';
import { Neighbourhood } from '../core/reconcile/neighbourhood.ts';
import { configMap, ReconcileWorld } from '../core/reconcile/reconcile-world.ts';
import { ManualClock } from '../fakes/manual-clock.ts';
import { MemoryCluster } from '../fakes/memory-cluster.ts';

test('what follows for a neighbour prunes nothing there: nobody looked at it', async () => {
  const clock = new ManualClock();
  const cluster = new MemoryCluster(clock);
  const world = new ReconcileWorld(clock, cluster);
  const both = new Neighbourhood(world);
  const queues = new PendingQueues(clock);
  const { store, deps } = world;
  const session = { ports: { ...deps, queues }, clock, store, interrupted: new AbortController().signal };
  const apply = async (application: string, wait: boolean) => {
    const target = { cluster: 'east', application };
    return runLocally(
      session,
      { version: 1, target, reason: 'sync', requestedBy: 'me', keepUndesired: true },
      { wait, patienceMs: 60_000, tell: () => undefined },
    );
  };
  await both.push('b', [configMap('x'), configMap('y'), configMap('z')]);
  await apply('b', true);
  await both.push('b', [configMap('z'), configMap('w')]);
  cluster.answers.set('w', { kind: 'refused', message: 'denied' });
  await apply('b', false);
  cluster.answers.clear();
  await both.push('a', [configMap('x')]);
  await apply('a', true);
  assert.deepEqual(
    cluster.effects.filter((effect) => effect.startsWith('delete')),
    [],
  );
});
