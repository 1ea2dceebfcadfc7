import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Retry } from '../../../core/errors.ts';
import { ManualClock } from '../../fakes/manual-clock.ts';
import { MemoryCluster } from '../../fakes/memory-cluster.ts';
import { configMap, didIn, ReconcileWorld } from './reconcile-world.ts';

// The first run of an application presumes that its objects are not there, and its applies prove it.

const address = (name: string) => ({ apiVersion: 'v1', plural: 'configmaps', namespace: 'default', name });

function newWorld() {
  const clock = new ManualClock();
  const cluster = new MemoryCluster(clock);
  const requests: string[] = [];
  cluster.hook = (request, when) => {
    if (when === 'before' && request !== 'resources') requests.push(request);
  };
  const world = new ReconcileWorld(clock, cluster);
  const entry = async (name: string) => (await world.inventory()).entries[`/ConfigMap/default/${name}`];
  return { clock, cluster, world, requests, entry };
}

test('one request an object, and none before it', async () => {
  const { world, requests } = newWorld();
  await world.push([configMap('a'), configMap('b')]);
  assert.deepEqual(didIn(await world.record()), ['created ConfigMap a', 'created ConfigMap b']);
  assert.deepEqual(requests.toSorted(), ['apply v1/configmaps/default/a', 'apply v1/configmaps/default/b']);
});

test('what is there is met, left as it is, and judged by another plan of the same run', async () => {
  const { world, cluster, entry } = newWorld();
  cluster.write(address('b'), { kind: 'ConfigMap', data: { theirs: 'x' } });
  await world.push([configMap('a'), configMap('b'), configMap('c')]);
  const { outcome, plan } = await world.record();
  assert.equal(outcome?.kind, 'blocked');
  assert.match(outcome.message, /ConfigMap default\/b: exists already/);
  assert.deepEqual(cluster.live(address('b'))?.['data'], { theirs: 'x' });
  assert.ok(cluster.live(address('a')) && cluster.live(address('c')));
  assert.equal(plan.actions.find(({ ref }) => ref.name === 'b')?.action, 'blocked');
  assert.equal(await entry('b'), undefined, 'no intent that could be taken for a proof');
  assert.deepEqual([(await entry('a'))?.created, (await entry('c'))?.created], [true, true]);
});

test('what may be adopted is adopted in the same run', async () => {
  const { world, cluster, entry } = newWorld();
  cluster.write(address('a'), { kind: 'ConfigMap', data: { a: 'theirs' } }, 'kubectl');
  const annotations = { 'trueup.dev/adopt': 'allowed' };
  await world.push([{ ...configMap('a'), metadata: { name: 'a', annotations } }, configMap('b')]);
  const { outcome } = await world.record();
  assert.equal(outcome?.kind, 'applied', outcome?.message);
  assert.deepEqual([(await entry('a'))?.created, (await entry('a'))?.adopted], [false, true]);
  assert.deepEqual(cluster.live(address('a'))?.['data'], { a: '1' });
});

test('what we created by a request whose answer was lost is ours', async () => {
  const { world, cluster, entry } = newWorld();
  const apply = cluster.apply.bind(cluster);
  let isLost = false;
  cluster.apply = async (...asked) => {
    const answer = await apply(...asked);
    if (isLost) return answer;
    isLost = true;
    throw new Retry({ subject: 'cluster east', message: 'leader changed', afterSeconds: 1 });
  };
  await world.push([configMap('a')]);
  assert.equal((await world.record()).outcome?.kind, 'applied');
  assert.equal((await entry('a'))?.created, true);
});

test('an intent that came to nothing is no proof of what another installation created since', async () => {
  const { world: b, cluster, clock } = newWorld();
  const a = new ReconcileWorld(clock, cluster, { target: { cluster: 'east', application: 'other' } });
  await b.push([configMap('a', { of: 'b' })]);
  const apply = cluster.apply.bind(cluster);
  cluster.apply = async () => {
    throw new Retry({ subject: 'cluster east', message: 'no answer' });
  };
  assert.equal((await b.record()).outcome?.kind, 'failed');
  cluster.apply = apply;
  clock.advance(600_000);
  await a.push([configMap('a', { of: 'a' })]);
  await a.record();
  clock.advance(600_000);
  assert.match((await b.record('sync')).outcome?.message ?? '', /belongs to the application other/);
  await b.push([configMap('b')]);
  await b.record();
  assert.deepEqual(cluster.live(address('a'))?.['data'], { of: 'a' });
});

test('what the server refused to create leaves nothing behind to look for', async () => {
  const { world, cluster, requests, entry } = newWorld();
  cluster.answers.set('b', { kind: 'refused', message: 'forbidden' });
  await world.push([configMap('a'), configMap('b')]);
  assert.equal((await world.record()).outcome?.kind, 'blocked');
  assert.deepEqual([(await entry('a'))?.state, await entry('b')], ['applied', undefined]);
  await world.push([configMap('a')]);
  requests.length = 0;
  assert.equal((await world.record()).outcome?.kind, 'applied');
  assert.deepEqual(requests, ['get v1/configmaps/default/a']);
});

test('later runs look before they write, and what came to be since is not written into', async () => {
  const { world, cluster, requests } = newWorld();
  await world.push([configMap('a')]);
  await world.record();
  await world.push([configMap('a'), configMap('b')]);
  requests.length = 0;
  let isDone = false;
  cluster.hook = (request, when) => {
    if (isDone || when !== 'before' || request !== 'apply v1/configmaps/default/b') return;
    isDone = true;
    cluster.write(address('b'), { kind: 'ConfigMap', data: { theirs: 'x' } });
  };
  const { outcome } = await world.record();
  assert.match(outcome?.message ?? '', /ConfigMap default\/b: exists already/);
  assert.deepEqual(cluster.live(address('b'))?.['data'], { theirs: 'x' });
});

test('objects that come and go all the time end the run, and another one is asked for', async () => {
  const { world, cluster } = newWorld();
  await world.push([configMap('a')]);
  cluster.hook = (request, when) => {
    if (when !== 'before') return;
    if (request.startsWith('apply')) cluster.write(address('a'), { kind: 'ConfigMap', data: {} });
    else cluster.remove(address('a'));
  };
  const { outcome } = await world.record();
  assert.equal(outcome?.kind, 'failed');
  assert.match(outcome.message, /ConfigMap default\/a: came to be while it was being created/);
  assert.deepEqual(
    world.queues.later.map(({ request: { reason } }) => reason),
    ['retry'],
  );
});
