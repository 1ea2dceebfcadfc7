import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keys } from '../../../core/contract/keys.ts';
import { readDocument, writeDocument } from '../../../core/documents.ts';
import { desiredPointerSchema } from '../../../core/model/desired.ts';
import { configMap } from './reconcile-world.ts';
import { Rollout, job } from './rollout.ts';

const hooks = [
  job('seed', { hook: 'pre-install' }),
  job('migrate', { hook: 'pre-upgrade,post-install' }),
  job('undo', { hook: 'pre-rollback' }),
];
const created = (rollout: Rollout, name: string): number =>
  rollout.count(`apply batch/v1/jobs/default/${name}`);

/** Ends every hook that the rollout comes to; how the run ended and which hooks ran. */
async function through(
  rollout: Rollout,
): Promise<{ readonly last: string; readonly ran: readonly string[] }> {
  const before = new Map(hooks.map(({ metadata: { name } }) => [name, created(rollout, name)]));
  let last = `waiting: ${(await rollout.world.record()).outcome?.message ?? ''}`;
  for (let run = 0; run < 6 && last.includes('hook Job default/'); run += 1) {
    const [, name = ''] = /hook Job default\/(\w+)/.exec(last) ?? [];
    rollout.end(name, 'Complete');
    last = await rollout.next();
  }
  return {
    last,
    ran: [...before].flatMap(([name, count]) => (created(rollout, name) > count ? [name] : [])),
  };
}

test('install hooks run with the first revision alone, upgrade hooks with every later one', async () => {
  const rollout = new Rollout();
  const { world } = rollout;
  await world.push([...hooks, configMap('a')]);
  const first = await through(rollout);
  assert.match(first.last, /applied/);
  assert.deepEqual(first.ran, ['seed', 'migrate']);
  await world.push([...hooks, configMap('a', { a: '2' })]);
  const second = await through(rollout);
  assert.match(second.last, /applied/);
  assert.deepEqual(second.ran, ['migrate']);
});

test('a revision that a person pinned is a rollback', async () => {
  const rollout = new Rollout();
  const { world } = rollout;
  await world.push([...hooks, configMap('a')]);
  await through(rollout);
  await world.push([...hooks, configMap('a', { a: '0' })]);
  const key = keys.desired(world.target);
  const pointer = (await readDocument(world.store, key, desiredPointerSchema))?.value;
  assert.ok(pointer !== undefined);
  const pin = { by: 'ada', reason: 'worse', at: pointer.examined.at };
  await writeDocument(world.store, key, { ...pointer, pin }, 'any');
  const { last, ran } = await through(rollout);
  assert.match(last, /applied/);
  assert.deepEqual(ran, ['undo']);
});

test('what is taken over from somebody else was installed already', async () => {
  const rollout = new Rollout();
  const { world, cluster } = rollout;
  const address = { apiVersion: 'v1', plural: 'configmaps', namespace: 'default', name: 'a' };
  cluster.write(address, { kind: 'ConfigMap', data: { a: '0' } });
  await world.push([...hooks, configMap('a')], { adopt: true });
  const { last, ran } = await through(rollout);
  assert.match(last, /applied/);
  assert.deepEqual(ran, ['migrate']);
});

test('post-delete hooks run when all else is gone; what comes back later is installed anew', async () => {
  const rollout = new Rollout();
  const { world } = rollout;
  const objects = [job('bye', { hook: 'post-delete' }), ...hooks, configMap('a')];
  await world.push(objects, { onDelete: 'prune' });
  await through(rollout);
  await world.push(objects, { state: 'gone', onDelete: 'prune' });
  assert.match((await world.record()).outcome?.message ?? '', /^waits for post-delete hook Job default\/bye/);
  assert.ok(!rollout.there.includes('ConfigMap a'));
  rollout.end('bye', 'Complete');
  assert.match(await rollout.next(), /applied/);
  assert.equal(rollout.there, '');
  await world.push(objects, { onDelete: 'prune' });
  assert.deepEqual((await through(rollout)).ran, ['seed', 'migrate']);
});

test('what a first revision merely takes over is not installed, whoever allows that', async () => {
  for (const annotated of [true, false]) {
    const rollout = new Rollout();
    const { world, cluster } = rollout;
    const place = { apiVersion: 'v1', plural: 'configmaps', namespace: 'default', name: 'a' };
    cluster.write(place, { kind: 'ConfigMap', data: { a: '0' } });
    const { metadata, ...rest } = configMap('a');
    const annotations = { 'trueup.dev/adopt': 'allowed' };
    await world.push(
      [...hooks, annotated ? { ...rest, metadata: { ...metadata, annotations } } : configMap('a')],
      {
        adopt: !annotated,
      },
    );
    assert.deepEqual((await through(rollout)).ran, ['migrate']);
  }
});
