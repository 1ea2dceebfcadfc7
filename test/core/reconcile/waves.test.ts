import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { KubeObject } from '../../../core/model/object.ts';
import { readStanding } from '../../../core/reconcile/standing.ts';
import { nextRun } from '../../../core/sweep/next-run.ts';
import { configMap, didIn } from './reconcile-world.ts';
import { Rollout, annotated, deployment } from './rollout.ts';

const waved = [
  annotated(configMap('zero'), { wave: '-1' }),
  deployment('db'),
  deployment('web', { wave: '1' }),
  annotated(configMap('last'), { wave: '2' }),
];

describe('waves', () => {
  test('a higher wave begins when the lower ones are Healthy; in between neither lease nor queue is held', async () => {
    const rollout = new Rollout();
    const { world, cluster } = rollout;
    await world.push(waved);
    const first = await world.record();
    assert.equal(first.outcome?.kind, 'waiting');
    assert.match(first.outcome.message, /^wave 1 waits for Deployment default\/db: /);
    assert.equal(rollout.there, 'ConfigMap zero, Deployment db');
    const { waiting, lastRun, applied, entries } = await world.inventory();
    assert.deepEqual(
      [waiting?.revision, lastRun?.outcome, applied, Object.keys(entries).length],
      [1, 'waiting', undefined, 2],
      'nothing of the higher waves is in the inventory yet',
    );
    assert.deepEqual(
      world.queues.later.map(({ request, delaySeconds }) => [request.reason, delaySeconds]),
      [['continue', 5]],
    );
    const lease: { expiresAt?: number } = JSON.parse(
      (await world.store.get('leases/east/web.json'))?.text ?? '{}',
    );
    assert.equal(lease.expiresAt, 0);
    cluster.effects.length = 0;
    rollout.roll('db');
    assert.match(await rollout.next(), /^continue: waiting: wave 2 waits for Deployment default\/web/);
    assert.deepEqual(
      cluster.effects,
      ['apply apps/v1/deployments/default/web'],
      'what is in order is left alone',
    );
    rollout.roll('web');
    assert.match(await rollout.next(), /^continue: applied/);
    assert.equal((await world.inventory()).waiting, undefined);
    assert.equal((await world.inventory()).applied?.revision, 1);
    assert.equal(rollout.there, 'ConfigMap last, ConfigMap zero, Deployment db, Deployment web');
    assert.equal(await rollout.next(), 'nothing is asked for');
  });

  test('what is quick goes on within one run', async () => {
    const rollout = new Rollout();
    const { world, cluster } = rollout;
    await world.push(waved);
    cluster.hook = (request, when) => {
      if (request.startsWith('get apps/v1/deployments') && when === 'before') {
        for (const name of ['db', 'web']) if (rollout.there.includes(name)) rollout.roll(name);
      }
    };
    assert.equal((await world.record()).outcome?.kind, 'applied');
  });

  test('the news of a wait is told once, with the delays growing to a minute', async () => {
    const rollout = new Rollout();
    const { world } = rollout;
    await world.push(waved);
    await world.record();
    const delays: number[] = [];
    for (let run = 0; run < 6; run += 1) {
      delays.push(world.queues.later[0]?.delaySeconds ?? 0);
      await rollout.next();
    }
    assert.ok(
      delays.every((delay, index) => delay >= (delays[index - 1] ?? 5)),
      delays.join(' '),
    );
    assert.equal(delays.at(-1), 60);
    assert.equal(world.bus.events.length, 1);
  });

  test('past its timeout the run fails with what it waited for, and only a sync or a commit goes on', async () => {
    const rollout = new Rollout();
    const { world } = rollout;
    await world.push(waved, { timeoutSeconds: 120 });
    await world.record();
    let last = '';
    for (let run = 0; run < 20 && !last.includes(': failed'); run += 1) last = await rollout.next();
    assert.match(
      last,
      /continue: failed: revision 1: gave up after 2 min \(spec\.timeout\): wave 1 waits for Deployment default\/db/,
    );
    assert.equal(await rollout.next(), 'nothing is asked for');
    assert.equal((await world.run('pending')).kind, 'rested');
    rollout.roll('db');
    rollout.clock.advance(60_000);
    const synced = await world.record('sync');
    assert.match(
      synced.outcome?.message ?? '',
      /wave 2 waits for Deployment default\/web/,
      'a new window opens',
    );
  });

  test('a newer commit ends the wait of an older one, whose message rests', async () => {
    const rollout = new Rollout();
    const { world, clock } = rollout;
    await world.push(waved);
    await world.record();
    const [old] = world.queues.later.splice(0);
    await world.push([deployment('other')]);
    assert.equal((await world.record()).outcome?.kind, 'applied');
    clock.advance((old?.delaySeconds ?? 0) * 1000);
    assert.equal((await world.run('continue')).kind, 'rested');
    assert.equal((await world.inventory()).waiting, undefined);
  });

  test('messages that come twice make no second chain, and the sweep steps in only when they are lost', async () => {
    const rollout = new Rollout();
    const { world, clock } = rollout;
    await world.push(waved);
    await world.record();
    assert.equal((await world.run('push')).kind, 'rested');
    assert.equal((await world.run('continue')).kind, 'rested');
    assert.equal((await world.run('pending')).kind, 'rested');
    clock.advance(70_000);
    rollout.roll('db');
    assert.match((await world.record('pending')).outcome?.message ?? '', /wave 2 waits/);
  });

  test('a failure in a lower wave stops the higher ones, and says so', async () => {
    const { world, cluster } = new Rollout();
    cluster.answers.set('zero', { kind: 'invalid', message: 'no' });
    await world.push(waved);
    const record = await world.record();
    assert.equal(record.outcome?.kind, 'failed');
    assert.deepEqual(didIn(record), [
      'failed ConfigMap zero',
      'skipped ConfigMap last',
      'skipped Deployment db',
      'skipped Deployment web',
    ]);
    assert.deepEqual(Object.keys((await world.inventory()).entries), [], 'nothing was created');
  });

  test('what goes, goes after all waves are in, from the highest wave to the lowest', async () => {
    const { world, cluster } = new Rollout();
    const old = ['2', '0', '1'].map((wave) => annotated(configMap(`old-${wave}`), { wave }));
    await world.push([...old, configMap('stays')]);
    await world.record();
    cluster.effects.length = 0;
    await world.push([configMap('stays'), annotated(configMap('new'), { wave: '5' })]);
    await world.record();
    assert.deepEqual(
      cluster.effects.map((effect) => effect.replace(/ .*\//, ' ')),
      ['apply new', 'delete old-2', 'delete old-1', 'delete old-0'],
    );
  });

  test('a kind that a lower wave is to bring may come late', async () => {
    const rollout = new Rollout();
    const { world, cluster } = rollout;
    const widget: KubeObject = annotated(
      { apiVersion: 'example.org/v1', kind: 'Widget', metadata: { name: 'w' }, spec: {} },
      { wave: '1' },
    );
    await world.push([deployment('operator'), widget]);
    await world.record();
    rollout.roll('operator');
    assert.match(
      await rollout.next(),
      /continue: waiting: wave 1 waits: the cluster does not serve example.org\/v1 Widget/,
    );
    cluster.write(
      {
        apiVersion: 'apiextensions.k8s.io/v1',
        plural: 'customresourcedefinitions',
        name: 'widgets.example.org',
      },
      {
        kind: 'CustomResourceDefinition',
        spec: {
          group: 'example.org',
          scope: 'Namespaced',
          names: { kind: 'Widget', plural: 'widgets' },
          versions: [{ name: 'v1', served: true, storage: true }],
        },
      },
    );
    assert.match(await rollout.next(), /continue: applied/);
  });

  test('a wave that nobody can read stops the run and names the object', async () => {
    const { world, cluster } = new Rollout();
    await world.push([annotated(configMap('odd'), { wave: 'first' })]);
    const { outcome } = await world.record();
    assert.equal(outcome?.kind, 'failed');
    assert.match(outcome.message, /ConfigMap odd: has trueup.dev\/wave: "first"; it must be a whole number/);
    assert.deepEqual(cluster.effects, []);
  });

  test('a heal of a revision that is applied keeps the order and waits for nothing', async () => {
    const rollout = new Rollout();
    const { world, cluster } = rollout;
    await world.push(waved);
    await world.record();
    for (const name of ['db', 'web']) {
      rollout.roll(name);
      await rollout.next();
    }
    for (const plural of ['deployments']) {
      for (const name of ['db', 'web'])
        cluster.remove({ apiVersion: 'apps/v1', plural, namespace: 'default', name });
    }
    cluster.effects.length = 0;
    assert.equal((await world.record('heal')).outcome?.kind, 'applied');
    assert.deepEqual(
      cluster.effects.map((effect) => effect.replace(/ .*\//, ' ')),
      ['apply db', 'apply web'],
    );
  });
});

test('a freeze: pushes, retries and waits rest until it is over, a person passes', async () => {
  const rollout = new Rollout();
  const { world, clock } = rollout;
  const freeze = [{ from: '2026-11-23T11:00:00Z', until: '2026-11-23T13:00:00Z', reason: 'sale' }];
  await world.push(waved, { freeze });
  for (const reason of ['push', 'pending', 'heal', 'retry', 'continue'] as const) {
    assert.deepEqual(await world.run(reason), {
      kind: 'rested',
      why: 'frozen until 2026-11-23T13:00:00.000Z: sale',
    });
  }
  assert.equal((await world.record('sync')).outcome?.kind, 'waiting');
  rollout.roll('db');
  assert.match(await rollout.next(), /^sync: waiting: wave 2/, 'what a person began goes on');
  world.queues.later.length = 0;
  rollout.roll('web');
  clock.advance(3_600_000);
  assert.equal(
    (await world.record('pending')).outcome?.kind,
    'applied',
    'the sweep finds it after the freeze',
  );
});

test('what a person began waits as well, and the sweep takes it up where its message was lost', async () => {
  const rollout = new Rollout();
  const { world, clock } = rollout;
  await world.push(waved, { sync: 'manual' });
  assert.equal((await world.record('sync')).outcome?.kind, 'waiting');
  world.queues.later.length = 0;
  rollout.roll('db');
  clock.advance(120_000);
  const { pointer, inventory } = await readStanding(world.store, world.target);
  assert.ok(pointer);
  const needs = { pending: true, wasPending: true, healable: false };
  assert.equal(nextRun({ pointer, inventory, busy: false }, needs, clock.now()), 'pending');
  assert.match((await world.record('pending')).outcome?.message ?? '', /^wave 2 waits/);
});
