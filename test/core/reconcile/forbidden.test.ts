import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Blocked } from '../../../core/errors.ts';
import type { Identity } from '../../../core/ports.ts';
import { ManualClock } from '../../fakes/manual-clock.ts';
import { MemoryCluster } from '../../fakes/memory-cluster.ts';
import { configMap, didIn, ReconcileWorld } from './reconcile-world.ts';
import { deployment } from './rollout.ts';

const refusal = new Blocked({
  subject: 'cluster east',
  message: 'deployments.apps is forbidden: User "trueup" cannot list resource "deployments"',
});

function newWorld() {
  const clock = new ManualClock();
  const cluster = new MemoryCluster(clock);
  return { clock, cluster, world: new ReconcileWorld(clock, cluster) };
}

const forbid = (cluster: MemoryCluster, pattern: RegExp): void => {
  cluster.hook = (request, when) => {
    if (when === 'before' && pattern.test(request)) throw refusal;
  };
};

test('a kind that may not be read blocks its own objects, the others go on, and nothing counts as gone', async () => {
  const { world, cluster, clock } = newWorld();
  const web = ['a', 'b', 'c', 'd'].map((name) => deployment(name));
  await world.push([...web, configMap('same')]);
  await world.record();
  const before = (await world.inventory()).entries;
  forbid(cluster, /^(list Deployment|get apps)/);
  await world.push([deployment('a'), deployment('b'), configMap('same'), configMap('new')]);
  const { outcome } = await world.record();
  assert.equal(outcome?.kind, 'blocked');
  assert.deepEqual(
    outcome.faults.map(({ subject }) => subject).toSorted(),
    ['a', 'b', 'c', 'd'].map((name) => `Deployment default/${name}`),
  );
  assert.match(
    outcome.faults[0]?.message ?? '',
    /could not be read: cluster east: deployments.apps is forbidden: User/,
  );
  assert.equal(outcome.counts.created, 1);
  const after = (await world.inventory()).entries;
  for (const key of Object.keys(before)) assert.deepEqual(after[key], before[key], `${key} is as it was`);
  assert.equal(world.queues.later.at(-1)?.request.reason, 'retry', 'rights are given without a commit');
  cluster.hook = () => undefined;
  clock.advance(5_000);
  assert.deepEqual(didIn(await world.record('retry')), ['pruned Deployment c', 'pruned Deployment d']);
});

test('where only the list is forbidden objects are read one by one', async () => {
  const { world, cluster } = newWorld();
  const web = ['a', 'b', 'c', 'd'].map((name) => deployment(name));
  await world.push(web);
  await world.record();
  forbid(cluster, /^list Deployment/);
  await world.push([...web, configMap('new')]);
  assert.deepEqual(didIn(await world.record()), ['created ConfigMap new']);
});

test('credentials that are not accepted at all still stop the run as a whole', async () => {
  const { world, cluster } = newWorld();
  await world.push([configMap('a')]);
  forbid(cluster, /^resources/);
  const { outcome } = await world.record();
  assert.deepEqual([outcome?.kind, outcome?.faults.length], ['blocked', 1]);
});

test('a run connects as whom the application says', async () => {
  const clock = new ManualClock();
  const cluster = new MemoryCluster(clock);
  const identities: (Identity | undefined)[] = [];
  const world = new ReconcileWorld(clock, {
    connect: async (_name, _deadline, options) => {
      identities.push(options?.impersonate);
      return cluster;
    },
  });
  const impersonate = { user: 'system:serviceaccount:default:deployer', groups: [] };
  await world.push([configMap('a')], { impersonate });
  await world.record();
  await world.push([configMap('b')]);
  await world.record();
  assert.deepEqual(identities, [impersonate, undefined]);
});
