import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { KubeObject } from '../../../core/model/object.ts';
import { at } from '../../cluster/cluster-client.ts';
import { testCluster, type TestCluster } from '../../cluster/test-cluster.ts';
import { mortal } from './mortal.ts';
import { realWorld, type HastyClock } from './real-world.ts';
import { configMap, didIn, type ReconcileWorld } from './reconcile-world.ts';

let real: TestCluster;
before(async () => {
  real = await testCluster('policies');
});
after(async () => real.stop());

async function newWorld(name: string): Promise<ReconcileWorld<HastyClock>> {
  const namespace = `${real.namespace}-${name}`;
  await real.admin.create('/api/v1/namespaces', {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: namespace },
  });
  return realWorld(real.kubeconfig, `policies-${name}`, namespace);
}

const pathOf = (world: ReconcileWorld<HastyClock>, name: string): string =>
  `/api/v1/namespaces/${world.namespace}/configmaps/${name}`;

test('adopt: the whole application of another tool is taken over in one run, and stays clean', async () => {
  const world = await newWorld('adopt');
  for (const name of ['a', 'b']) {
    const metadata = { name, labels: { 'argocd.argoproj.io/instance': 'shop' } };
    const theirs = { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { a: '1', old: 'x' } };
    await real.admin.apply(pathOf(world, name), theirs, 'argocd-controller');
  }
  await world.push([configMap('a'), configMap('b')]);
  assert.equal((await world.record()).outcome?.kind, 'blocked');
  await world.push([configMap('a'), configMap('b')], { adopt: true });
  const record = await world.record();
  assert.equal(record.outcome?.kind, 'applied', record.outcome?.message);
  assert.deepEqual(didIn(record), ['updated ConfigMap a', 'updated ConfigMap b']);
  for (const name of ['a', 'b']) {
    const live = await real.admin.get(pathOf(world, name));
    assert.deepEqual(at(live, 'data'), { a: '1' });
    assert.equal(at(live, 'metadata', 'labels', 'argocd.argoproj.io/instance'), undefined);
  }
  const { entries } = await world.inventory();
  assert.deepEqual(
    Object.values(entries).map(({ adopted, created, baseline }) => [adopted, created, baseline]),
    [
      [true, false, []],
      [true, false, []],
    ],
  );
  assert.deepEqual(didIn(await world.record('sync')), ['unchanged ConfigMap a', 'unchanged ConfigMap b']);
});

test('killed at any effect of an adoption, the next run completes it', async () => {
  let deaths = 0;
  for (const when of ['before', 'after'] as const) {
    for (let place = 1; ; place += 1) {
      const world = await newWorld(`adopt-${when}-${place}`);
      const theirs = {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name: 'a' },
        data: { a: '1', old: 'x' },
      };
      await real.admin.apply(pathOf(world, 'a'), theirs, 'kustomize-controller');
      await real.admin.patch(pathOf(world, 'a'), { metadata: { labels: { foreign: 'x' } } });
      await world.push([configMap('a')], { adopt: true });
      const dying = mortal(world.deps, { at: place, when });
      const died = await world.run('push', dying.deps).then(
        () => false,
        () => true,
      );
      world.clock.advance(120_000);
      if (died) await world.run();
      const live = await real.admin.get(pathOf(world, 'a'));
      const { entries, lastRun } = await world.inventory();
      assert.deepEqual(
        [at(live, 'data'), at(live, 'metadata', 'labels', 'foreign'), lastRun?.outcome],
        [{ a: '1' }, 'x', 'applied'],
        `killed ${when} effect ${place}: ${lastRun?.message}`,
      );
      assert.deepEqual(
        Object.values(entries).map(({ adopted, created, baseline = [] }) => [
          adopted,
          created,
          baseline.length,
        ]),
        [[true, false, 1]],
      );
      await real.admin.remove(`/api/v1/namespaces/${world.namespace}`);
      if (!died) break;
      deaths += 1;
    }
  }
  assert.ok(deaths >= 16, `${deaths} places to die`);
});

test('conflicts: fail blocks the run with field and manager, and nothing asks for another try', async () => {
  const world = await newWorld('conflicts');
  const rules = [{ match: { name: 'a' }, fields: ['/data/a'], conflicts: 'fail' as const }];
  await world.push([configMap('a'), configMap('b')], { rules });
  await world.record();
  await real.admin.patch(pathOf(world, 'a'), { data: { a: 'theirs' } }, 'rival');
  await world.push([configMap('a', { a: '2' }), configMap('b', { a: '2' })], { rules });
  const record = await world.record();
  assert.equal(record.outcome?.kind, 'blocked');
  assert.match(record.outcome.message, /ConfigMap \S+\/a: data\.a is owned by rival with another value/);
  assert.deepEqual(didIn(record), ['failed ConfigMap a', 'updated ConfigMap b']);
  assert.equal(world.queues.later.filter(({ request }) => request.reason === 'retry').length, 0);
});

test('conflicts: yield is told in the record, and the run is applied', async () => {
  const world = await newWorld('yield');
  const rules = [{ match: {}, fields: ['/data/a'], conflicts: 'yield' as const }];
  await world.push([configMap('a', { a: '1', b: '1' })], { rules });
  await world.record();
  await real.admin.patch(pathOf(world, 'a'), { data: { a: 'theirs' } }, 'rival');
  await world.push([configMap('a', { a: '2', b: '2' })], { rules });
  const record = await world.record();
  assert.equal(record.outcome?.kind, 'applied');
  assert.equal(record.outcome.objects[0]?.message, 'yields data.a to rival');
  assert.deepEqual(at(await real.admin.get(pathOf(world, 'a')), 'data'), { a: 'theirs', b: '2' });
});

test('an ignored field has its first value from Git, and then whatever it is given', async () => {
  const world = await newWorld('ignore');
  const rules = [{ match: {}, fields: ['/data/a'], drift: 'ignore' as const }];
  await world.push([configMap('a', { a: 'first', b: '1' })], { rules });
  await world.record();
  await world.push([configMap('a', { a: 'second', b: '2' })], { rules });
  await world.record();
  assert.deepEqual(at(await real.admin.get(pathOf(world, 'a')), 'data'), { a: 'first', b: '2' });
  await real.admin.patch(pathOf(world, 'a'), { data: { a: 'theirs' } }, 'rival');
  await world.record('sync');
  assert.deepEqual(at(await real.admin.get(pathOf(world, 'a')), 'data'), { a: 'theirs', b: '2' });
});

test('immutable: fail names the field; the annotation makes the object again in the next run', async () => {
  const world = await newWorld('immutable');
  const fixed = (value: string, annotations: Record<string, string> = {}): KubeObject => ({
    ...configMap('a', { a: value }),
    metadata: { name: 'a', annotations },
    immutable: true,
  });
  await world.push([fixed('1')]);
  await world.record();
  await world.push([fixed('2')]);
  const failed = await world.record();
  assert.match(failed.outcome?.message ?? '', /data\.a cannot be changed .*trueup\.dev\/immutable: recreate/);
  await world.push([fixed('2', { 'trueup.dev/immutable': 'recreate' })]);
  const record = await world.record();
  assert.deepEqual(didIn(record), ['created ConfigMap a']);
  assert.match(record.outcome?.objects[0]?.message ?? '', /was deleted and made again, since data\.a/);
  assert.deepEqual(at(await real.admin.get(pathOf(world, 'a')), 'data'), { a: '2' });
});

test('an object that is being deleted is named with what holds it, and applied again when it is gone', async () => {
  const world = await newWorld('deleted');
  await world.push([configMap('a')]);
  await world.record();
  await real.admin.patch(pathOf(world, 'a'), { metadata: { finalizers: ['example.org/wait'] } });
  await real.admin.remove(pathOf(world, 'a'));
  await world.push([configMap('a', { a: '2' })]);
  const record = await world.record();
  assert.match(
    record.outcome?.message ?? '',
    /is being deleted since .*finalizers example\.org\/wait; it is applied again once it is gone/,
  );
  await real.admin.patch(pathOf(world, 'a'), { metadata: { finalizers: null } });
  world.clock.advance(900_000);
  const next = await world.record('retry');
  assert.deepEqual(didIn(next), ['created ConfigMap a']);
  const [entry] = Object.values((await world.inventory()).entries);
  assert.deepEqual([entry?.created, entry?.state], [true, 'applied']);
});
