import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { keys } from '../../core/contract/keys.ts';
import { readDocument } from '../../core/documents.ts';
import { recordFindings } from '../../core/episodes.ts';
import { Retry } from '../../core/errors.ts';
import { driftRecordSchema } from '../../core/model/drift.ts';
import { runRecordSchema } from '../../core/model/run.ts';
import type { KubeObject } from '../../core/model/object.ts';
import { ManualClock } from '../fakes/manual-clock.ts';
import { MemoryCluster } from '../fakes/memory-cluster.ts';
import { configMap, didIn, ReconcileWorld } from './reconcile/reconcile-world.ts';

function newWorld() {
  const clock = new ManualClock();
  const cluster = new MemoryCluster(clock);
  return { clock, cluster, world: new ReconcileWorld(clock, cluster) };
}

const address = (name: string) => ({ apiVersion: 'v1', plural: 'configmaps', namespace: 'default', name });

describe('a push', () => {
  test('is applied, recorded with its plan, announced, and noted in the inventory', async () => {
    const { world, cluster } = newWorld();
    await world.push([configMap('a'), configMap('b')]);
    const record = await world.record();
    assert.deepEqual(didIn(record), ['created ConfigMap a', 'created ConfigMap b']);
    assert.equal(record.outcome?.message, '2 created, 0 updated, 0 unchanged, 0 pruned');
    assert.equal(record.health?.status, 'Healthy');
    const stored = await readDocument(
      world.store,
      keys.run(world.target, record.startedAt, record.id),
      runRecordSchema,
    );
    assert.deepEqual(stored?.value, record);
    const { entries, applied, lastRun } = await world.inventory();
    assert.deepEqual(Object.keys(entries), ['/ConfigMap/default/a', '/ConfigMap/default/b']);
    assert.deepEqual([applied?.revision, lastRun?.outcome], [1, 'applied']);
    const [event] = world.bus.events;
    assert.equal(event?.type, 'ReconcileFinished');
    const live = cluster.live(address('a'));
    assert.equal(live?.metadata.labels?.['trueup.dev/application'], 'web');
    assert.equal(live.metadata.namespace, 'default');
  });

  test('writes run record and inventory before the first effect', async () => {
    const { world, cluster } = newWorld();
    await world.push([configMap('a')]);
    cluster.hook = (request, when) => {
      if (request.startsWith('apply') && when === 'before') {
        const [, , , last, next] = world.store.writes.slice(-5);
        assert.match(last ?? '', /^runs\//);
        assert.equal(next, keys.inventory(world.target));
      }
    };
    await world.record();
  });

  test('that comes five times is one run', async () => {
    const { world } = newWorld();
    await world.push([configMap('a')]);
    await world.record();
    for (let again = 0; again < 4; again += 1) {
      assert.deepEqual(await world.run(), { kind: 'rested', why: 'revision 1 is applied already' });
    }
    assert.equal(world.bus.events.length, 1);
    const runs = await Array.fromAsync(world.store.list('runs/'));
    assert.equal(runs.length, 1);
  });

  test('whose event arrives after that of a newer one is applied already', async () => {
    const { world, cluster } = newWorld();
    await world.push([configMap('a', { a: '1' })]);
    await world.push([configMap('a', { a: '2' })]);
    await world.record();
    assert.equal((await world.run()).kind, 'rested');
    assert.deepEqual(cluster.live(address('a'))?.['data'], { a: '2' });
  });

  test('touches only what changed, and prunes what Git no longer has', async () => {
    const { world, cluster } = newWorld();
    await world.push([configMap('a'), configMap('b'), configMap('c')]);
    await world.record();
    cluster.effects.length = 0;
    await world.push([configMap('a'), configMap('b', { b: '2' })]);
    const record = await world.record();
    assert.deepEqual(didIn(record), ['pruned ConfigMap c', 'updated ConfigMap b']);
    assert.equal(record.outcome?.message, '0 created, 1 updated, 1 unchanged, 1 pruned');
    assert.deepEqual(cluster.effects, ['apply v1/configmaps/default/b', 'delete v1/configmaps/default/c']);
  });

  test('to a target with sync: manual waits for a person', async () => {
    const { world } = newWorld();
    await world.push([configMap('a')], { sync: 'manual' });
    assert.deepEqual(await world.run(), {
      kind: 'rested',
      why: 'sync is manual: it waits for `trueup sync`',
    });
    assert.equal((await world.run('pending')).kind, 'rested');
    assert.deepEqual(didIn(await world.record('sync')), ['created ConfigMap a']);
  });

  test('carries secret values to the cluster and nowhere else', async () => {
    const { world, cluster } = newWorld();
    const password = Buffer.from('hunter2').toString('base64');
    const secret: KubeObject = {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 's' },
      data: { password },
    };
    await world.push([secret]);
    await world.record();
    const live = cluster.live({ apiVersion: 'v1', plural: 'secrets', namespace: 'default', name: 's' });
    assert.deepEqual(live?.['data'], { password });
    for await (const key of world.store.list('')) {
      const stored = await world.store.get(key);
      assert.ok(!stored?.text.includes(password) && !stored?.text.includes('hunter2'), key);
    }
    cluster.effects.length = 0;
    await world.push([secret]);
    assert.deepEqual(didIn(await world.record()), [], 'sealed again, the same secret is unchanged');
  });
});

describe('what fails', () => {
  test('is reported object by object with the words of the server; the others are applied; nothing is pruned', async () => {
    const { world, cluster } = newWorld();
    await world.push([configMap('old')]);
    await world.record();
    cluster.answers.set('bad', { kind: 'invalid', message: 'ConfigMap "bad" is invalid: data: Too long' });
    await world.push([configMap('good'), configMap('bad')]);
    const { outcome } = await world.record();
    assert.equal(outcome?.kind, 'failed');
    assert.deepEqual(outcome.faults, [
      { subject: 'ConfigMap default/bad', message: 'ConfigMap "bad" is invalid: data: Too long' },
    ]);
    assert.deepEqual(outcome.objects.map(({ ref, outcome: did }) => `${ref.name} ${did}`).toSorted(), [
      'bad failed',
      'good created',
      'old skipped',
    ]);
    assert.ok(cluster.live(address('old')), 'the old is not pruned while the new is not there');
    assert.equal(world.queues.later.length, 0, 'a second try of the same object cannot pass');
    assert.deepEqual(
      world.metrics.data.map(({ name, value, cluster: where }) => [name, value, where]),
      [
        ['FailedRuns', 1, undefined],
        ['FailedRuns', 1, 'east'],
      ],
    );
    assert.match((await world.run()).kind, /rested/, 'the same message again is not a second try');
  });

  test('a namespace that failed stops only what is in it', async () => {
    const { world, cluster } = newWorld();
    const namespace: KubeObject = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } };
    const inside = { ...configMap('inside'), metadata: { name: 'inside', namespace: 'shop' } };
    cluster.answers.set('shop', { kind: 'refused', message: 'namespaces "shop" is forbidden' });
    await world.push([namespace, inside, configMap('outside')]);
    const { outcome } = await world.record();
    assert.deepEqual(didIn({ ...(await world.record('sync')), outcome }), [
      'created ConfigMap outside',
      'failed Namespace shop',
      'skipped ConfigMap inside',
    ]);
    assert.match(outcome?.faults[1]?.message ?? '', /was not tried: its Namespace shop failed/);
  });

  test('an object that exists and is not ours blocks, and is taken over when Git says so', async () => {
    const { world, cluster } = newWorld();
    cluster.write(address('a'), { kind: 'ConfigMap', data: { theirs: 'x' } });
    await world.push([configMap('a'), configMap('b')]);
    const { outcome } = await world.record();
    assert.equal(outcome?.kind, 'blocked');
    assert.match(
      outcome.message,
      /ConfigMap default\/a: exists already, and nothing proves that we created it; to take it over/,
    );
    assert.deepEqual(cluster.live(address('a'))?.['data'], { theirs: 'x' });
    const adopted = configMap('a');
    const metadata = { ...adopted.metadata, annotations: { 'trueup.dev/adopt': 'allowed' } };
    await world.push([{ ...adopted, metadata }, configMap('b')]);
    assert.deepEqual(didIn(await world.record()), ['updated ConfigMap a']);
    const entry = (await world.inventory()).entries['/ConfigMap/default/a'];
    assert.deepEqual([entry?.created, entry?.adopted], [false, true]);
    await world.push([configMap('b')]);
    assert.deepEqual(didIn(await world.record()), ['pruned ConfigMap a'], 'adopted is ours to prune');
  });

  test('a kind that is not served blocks, and the rest is applied', async () => {
    const { world } = newWorld();
    const alien: KubeObject = { apiVersion: 'example.org/v1', kind: 'Alien', metadata: { name: 'x' } };
    await world.push([alien, configMap('a')]);
    const { outcome } = await world.record();
    assert.equal(outcome?.kind, 'blocked');
    assert.deepEqual(outcome.counts, { created: 1, updated: 0, unchanged: 0, pruned: 0, failed: 1 });
  });
});

describe('the prune cap', () => {
  const many = Array.from({ length: 8 }, (_, index) => configMap(`o${index}`));

  test('stops the run before anything is written, says how many, and a person may confirm that number', async () => {
    const { world, cluster } = newWorld();
    await world.push(many);
    await world.record();
    cluster.effects.length = 0;
    await world.push([configMap('o0', { changed: 'yes' })]);
    const refused = await world.record();
    assert.equal(refused.outcome?.kind, 'blocked');
    assert.match(refused.outcome.message, /would prune 7 of 8 objects/);
    assert.deepEqual(cluster.effects, []);
    assert.equal((await world.record('sync')).outcome?.kind, 'blocked', 'a sync that confirms nothing');
    const confirmed = await world.record('sync', { confirmPrune: 7 });
    assert.deepEqual([confirmed.outcome?.kind, confirmed.outcome?.counts.pruned], ['applied', 7]);
  });

  test('holds a tombstone as well', async () => {
    const { world, cluster } = newWorld();
    await world.push(many);
    await world.record();
    await world.push([], { state: 'gone', onDelete: 'prune' });
    assert.equal((await world.record()).outcome?.kind, 'blocked');
    assert.equal(cluster.labelled().length, 8);
    assert.equal((await world.record('sync', { confirmPrune: 8 })).outcome?.kind, 'applied');
    assert.equal(cluster.labelled().length, 0);
    assert.deepEqual((await world.inventory()).entries, {});
  });
});

test('two names that turn out to be one object only when it is applied: it is neither written nor pruned', async () => {
  const clock = new ManualClock();
  // A server that hides the object under its new name until it is written there.
  const cluster = new (class extends MemoryCluster {
    override async get(...[wanted]: Parameters<MemoryCluster['get']>) {
      return wanted.apiVersion === 'events.k8s.io/v1' ? undefined : super.get(wanted);
    }
  })(clock);
  const world = new ReconcileWorld(clock, cluster);
  const event = (apiVersion: string): KubeObject => ({ apiVersion, kind: 'Event', metadata: { name: 'e' } });
  await world.push([event('v1')]);
  await world.record();
  await world.push([event('events.k8s.io/v1')]);
  const { plan, outcome } = await world.record();
  assert.ok(
    plan.actions.some(({ action }) => action === 'prune'),
    'the plan could not know',
  );
  assert.match(outcome?.message ?? '', /Event default\/e: came to be while it was being created/);
  assert.ok(cluster.live({ apiVersion: 'v1', plural: 'events', namespace: 'default', name: 'e' }));
});

describe('an application that is gone from Git', () => {
  test('leaves its objects, and does not even ask the cluster, which may be gone as well', async () => {
    const { world, cluster } = newWorld();
    await world.push([configMap('a')]);
    await world.record();
    await world.push([], { state: 'gone' });
    cluster.hook = () => assert.fail('no request');
    assert.equal((await world.record()).outcome?.kind, 'applied');
    assert.deepEqual((await world.inventory()).entries, {});
    assert.equal(cluster.labelled().length, 1);
    assert.equal((await world.run()).kind, 'rested');
  });
});

describe('drift', () => {
  const loopBreaker = { flips: 3, minutes: 30 };
  const drifted = async (mode: 'heal' | 'observe') => {
    const made = newWorld();
    const { world, cluster } = made;
    await world.push([configMap('a'), configMap('b')], { drift: mode });
    await world.record();
    cluster.write(address('a'), { kind: 'ConfigMap', data: { a: 'edited' } });
    const ref = { group: '', kind: 'ConfigMap', namespace: 'default', name: 'a' };
    const field = { class: 'changed' as const, path: 'data.a', desired: '1', live: 'edited', mode };
    const drift = { ref, kind: 'fields' as const, fields: [field] };
    const drifts = new Map([['/ConfigMap/default/a', drift]]);
    await recordFindings(world.deps, { target: world.target, drifts, isJudged: () => true, loopBreaker });
    cluster.effects.length = 0;
    world.bus.events.length = 0;
    return made;
  };
  const states = async ({ store }: { readonly store: ReconcileWorld<ManualClock>['store'] }) => {
    const found = await Array.fromAsync(store.list('drift/'), async (key) => {
      return (await readDocument(store, key, driftRecordSchema))?.value.state;
    });
    return found;
  };

  test('a heal applies what drifted and nothing else, closes its episode and says so', async () => {
    const { world, cluster, clock } = await drifted('heal');
    clock.advance(30_000);
    const record = await world.record('heal');
    assert.deepEqual(didIn(record), ['updated ConfigMap a']);
    assert.deepEqual(cluster.effects, ['apply v1/configmaps/default/a']);
    assert.deepEqual(await states(world), ['healed']);
    assert.deepEqual(
      world.bus.events.map(({ type }) => type),
      ['DriftHealed', 'ReconcileFinished'],
    );
    const healed = world.bus.events[0];
    assert.ok(healed?.type === 'DriftHealed');
    assert.equal(healed.detail.secondsToHeal, 30);
    assert.ok(world.metrics.data.some(({ name, value }) => name === 'DriftedObjects' && value === 0));
  });

  test('observe: a heal is not run, and a push leaves what it does not change', async () => {
    const { world, cluster } = await drifted('observe');
    assert.deepEqual(await world.run('heal'), { kind: 'rested', why: 'drift is only observed' });
    await world.push([configMap('a'), configMap('b', { b: '2' })], { drift: 'observe' });
    assert.deepEqual(didIn(await world.record()), ['updated ConfigMap b']);
    assert.deepEqual(cluster.live(address('a'))?.['data'], { a: 'edited' });
    assert.deepEqual(await states(world), ['open']);
  });

  test('observe: a push that rewrites the object closes the episode as overwritten', async () => {
    const { world } = await drifted('observe');
    await world.push([configMap('a', { a: '3' }), configMap('b')], { drift: 'observe' });
    await world.record();
    assert.deepEqual(await states(world), ['overwritten']);
  });

  test('a sync by a person puts it right in observe as well', async () => {
    const { world, cluster } = await drifted('observe');
    assert.deepEqual(didIn(await world.record('sync')), ['unchanged ConfigMap b', 'updated ConfigMap a']);
    assert.deepEqual(cluster.live(address('a'))?.['data'], { a: '1' });
    assert.deepEqual(await states(world), ['healed']);
  });

  test('ends with the application: what Git gave up does not drift, healable or not', async () => {
    const { world, cluster } = await drifted('heal');
    const ref = { group: '', kind: 'ConfigMap', namespace: 'default', name: 'copy' };
    const drifts = new Map([['/ConfigMap/default/copy', { ref, kind: 'extra' as const, fields: [] }]]);
    await recordFindings(world.deps, { target: world.target, drifts, isJudged: () => false, loopBreaker });
    await world.push([], { state: 'gone' });
    assert.equal((await world.record()).outcome?.kind, 'applied');
    assert.deepEqual(cluster.effects, []);
    assert.deepEqual(await states(world), ['overwritten', 'overwritten']);
    assert.equal(await world.store.get(keys.openDrift(world.target)), undefined);
    assert.ok(world.metrics.data.some(({ name, value }) => name === 'DriftedObjects' && value === 0));
  });

  test('where a commit waits for a person, a heal goes back to what was applied', async () => {
    const { world, cluster } = await drifted('heal');
    await world.push([configMap('a', { a: 'pending' }), configMap('b')], { sync: 'manual' });
    const record = await world.record('heal');
    assert.deepEqual(cluster.live(address('a'))?.['data'], { a: '1' });
    assert.deepEqual([record.revision, record.commit.subject], [1, 'revision 1']);
    assert.equal((await world.inventory()).applied?.revision, 1);
  });

  test('a half-done sync is not rolled back by a heal, and goes on with the next sync', async () => {
    const { world, cluster } = await drifted('heal');
    await world.push([configMap('a', { a: '8' }), configMap('b'), configMap('new')], { sync: 'manual' });
    cluster.hook = (request, when) => {
      if (request.startsWith('apply') && request.includes('/a') && when === 'before')
        throw new Retry({ subject: 'cluster east', message: 'no answer within 5 s' });
    };
    assert.equal((await world.record('sync')).outcome?.kind, 'failed');
    cluster.hook = () => undefined;
    assert.ok(cluster.live(address('new')) !== undefined);
    const heal = await world.run('heal');
    assert.match(JSON.stringify(heal), /a sync was begun and has not ended/);
    assert.ok(cluster.live(address('new')) !== undefined, 'what only the new revision has is not pruned');
    await world.record('sync');
    assert.deepEqual(cluster.live(address('a'))?.['data'], { a: '8' });
  });

  test('nor is one that died before it could say so', async () => {
    const { world, clock } = await drifted('heal');
    await world.push([configMap('a', { a: '8' }), configMap('b')], { sync: 'manual' });
    const inventory = await world.inventory();
    clock.advance(1000);
    const intendedAt = new Date(clock.now()).toISOString();
    const entries = Object.entries(inventory.entries).map(
      ([key, entry]) => [key, { ...entry, state: 'intent', intendedAt }] as const,
    );
    const died = { ...inventory, entries: Object.fromEntries(entries) };
    await world.store.put(keys.inventory(world.target), JSON.stringify(died), 'any');
    assert.match(JSON.stringify(await world.run('heal')), /a sync was begun and has not ended/);
  });
});
