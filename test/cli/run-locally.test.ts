import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PendingQueues } from '../../adapters/pending-queues.ts';
import { reportOf } from '../../cli/apply.ts';
import { runLocally } from '../../cli/run-locally.ts';
import { Neighbourhood } from '../core/reconcile/neighbourhood.ts';
import { configMap, ReconcileWorld } from '../core/reconcile/reconcile-world.ts';
import { deployment } from '../core/reconcile/rollout.ts';
import { ManualClock } from '../fakes/manual-clock.ts';
import { MemoryCluster } from '../fakes/memory-cluster.ts';

/** A cluster in memory, and a session of the command line on it. */
function newWorld() {
  const clock = new ManualClock();
  const cluster = new MemoryCluster(clock);
  const world = new ReconcileWorld(clock, cluster);
  const queues = new PendingQueues(clock);
  const { store, deps } = world;
  const session = { ports: { ...deps, queues }, clock, store, interrupted: new AbortController().signal };
  return { clock, cluster, both: new Neighbourhood(world), session };
}

test('what follows for a neighbour prunes nothing there: nobody looked at it', async () => {
  const { cluster, both, session } = newWorld();
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

/** A Deployment without a controller: nothing happens to it until somebody writes its status. */
function rollout() {
  const { clock, cluster, both, session } = newWorld();
  const told: string[] = [];
  const apply = async (seconds: number) => {
    await both.push('a', [deployment('web')]);
    const target = { cluster: 'east', application: 'a' };
    const startedAt = clock.now();
    const run = await runLocally(
      session,
      { version: 1, target, reason: 'sync', requestedBy: 'me' },
      { wait: true, patienceMs: seconds * 1000, tell: (line) => told.push(line) },
    );
    return { run, seconds: (clock.now() - startedAt) / 1000 };
  };
  return { cluster, clock, apply, told };
}

test('whoever waits is told for which object and why, once, and the wait takes its whole time', async () => {
  const { apply, told } = rollout();
  const { run, seconds } = await apply(60);
  assert.deepEqual(told, [
    'waits for Deployment default/web: Progressing, its controller has not seen generation 1 yet',
  ]);
  assert.deepEqual([run.left, seconds], [['health has not settled, or deletions are under way'], 60]);
  const { text, exitCode } = reportOf(run.record?.target ?? assert.fail(), run, { wait: true, prune: false });
  assert.match(text, /HEALTH +OBJECT +MESSAGE\nProgressing +Deployment default\/web +its controller/);
  assert.equal(exitCode, 1);
});

test('a wait ends within seconds of the object', async () => {
  const { apply, clock, cluster, told } = rollout();
  const readyAt = clock.now() + 41_000;
  cluster.hook = () => {
    if (clock.now() < readyAt) return;
    cluster.hook = () => undefined;
    const status = {
      observedGeneration: 1,
      replicas: 1,
      updatedReplicas: 1,
      readyReplicas: 1,
      availableReplicas: 1,
    };
    cluster.write(
      { apiVersion: 'apps/v1', plural: 'deployments', namespace: 'default', name: 'web' },
      { kind: 'Deployment', status },
    );
  };
  const { run, seconds } = await apply(900);
  assert.deepEqual([run.left, run.record?.health?.status], [[], 'Healthy']);
  assert.ok(seconds < 50, `${seconds} s`);
  assert.equal(told.length, 1);
});

test('what may be rolled back elsewhere keeps nobody waiting here: no process stays to look', async () => {
  const { clock, both, session } = newWorld();
  await both.push('a', [configMap('x')], { rollback: { onFailure: { windowSeconds: 1800, alarms: [] } } });
  const startedAt = clock.now();
  const run = await runLocally(
    session,
    { version: 1, target: { cluster: 'east', application: 'a' }, reason: 'sync', requestedBy: 'me' },
    { wait: true, patienceMs: 60_000, tell: () => undefined },
  );
  assert.deepEqual([run.record?.outcome?.kind, run.left, clock.now() - startedAt], ['applied', [], 0]);
});
