import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { keys } from '../../../core/contract/keys.ts';
import { readDocument, writeDocument } from '../../../core/documents.ts';
import { desiredPointerSchema } from '../../../core/model/desired.ts';
import type { KubeObject } from '../../../core/model/object.ts';
import { snapshotSchema } from '../../../core/model/snapshot.ts';
import { isoTime } from '../../../core/model/time.ts';
import { ManualClock } from '../../fakes/manual-clock.ts';
import { MemoryCluster } from '../../fakes/memory-cluster.ts';
import { Neighbourhood, plannedIn } from './neighbourhood.ts';
import { configMap, ReconcileWorld, type PushOptions } from './reconcile-world.ts';

const moved = { apiVersion: 'v1', plural: 'configmaps', namespace: 'default', name: 'moved' };

function newWorld() {
  const clock = new ManualClock();
  const cluster = new MemoryCluster(clock);
  const world = new ReconcileWorld(clock, cluster);
  const both = new Neighbourhood(world);
  const deletions = () => cluster.effects.filter((effect) => effect.startsWith('delete'));
  return { world, clock, cluster, both, deletions, live: () => cluster.live(moved) };
}

/** `a` has the object, with a field that `b` will not have; both have something of their own besides. */
async function begun() {
  const all = newWorld();
  await all.both.push('a', [configMap('keep-a'), configMap('moved', { of: 'a', extra: 'a' })]);
  await all.both.push('b', [configMap('keep-b')]);
  await all.both.run('a');
  await all.both.run('b');
  const uid = all.live()?.metadata.uid;
  assert.ok(uid !== undefined);
  return { ...all, uid };
}

type World = Awaited<ReturnType<typeof begun>>;

/** The same object, of `b` now, which may prune it; nothing of it is left with `a`. */
async function assertHandedOver({ both, live, uid, deletions }: World): Promise<void> {
  const object = live();
  assert.equal(object?.metadata.uid, uid, 'never deleted and made again');
  assert.equal(object.metadata.labels?.['trueup.dev/application'], 'b');
  assert.deepEqual(object['data'], { of: 'b' }, 'what only a wanted is gone');
  assert.deepEqual(deletions(), []);
  assert.deepEqual(await both.entries('b'), [
    'ConfigMap keep-b: applied ours',
    'ConfigMap moved: applied ours',
  ]);
  const rest = (await both.entries('a')).filter((entry) => !entry.startsWith('ConfigMap keep-a'));
  assert.deepEqual(rest, [], 'a has forgotten it');
}

const newB = [configMap('keep-b'), configMap('moved', { of: 'b' })];

const leaves: Readonly<Record<string, { objects: readonly KubeObject[]; options: PushOptions }>> = {
  'drops it': { objects: [configMap('keep-a')], options: {} },
  'drops it and has prune off': { objects: [configMap('keep-a')], options: { prune: false } },
  'is gone and its onDelete is orphan': { objects: [], options: { state: 'gone', onDelete: 'orphan' } },
  'is gone and its onDelete is prune': { objects: [], options: { state: 'gone', onDelete: 'prune' } },
};

describe('an object that moves in one commit', () => {
  for (const [how, { objects, options }] of Object.entries(leaves)) {
    for (const order of [
      ['a', 'b'],
      ['b', 'a'],
    ]) {
      test(`from an application that ${how}; ${order.join(' runs before ')}`, async () => {
        const world = await begun();
        // A gone application keeps its last snapshot.
        const before = [configMap('keep-a'), configMap('moved', { of: 'a', extra: 'a' })];
        await world.both.push('a', options.state === 'gone' ? before : objects, options);
        await world.both.push('b', newB);
        for (const application of order) await world.both.run(application);
        await world.both.settle();
        if (options.onDelete !== 'prune') await assertHandedOver(world);
        else {
          assert.equal(world.live()?.metadata.uid, world.uid);
          assert.deepEqual(world.deletions(), ['delete v1/configmaps/default/keep-a']);
          assert.deepEqual(await world.both.entries('a'), []);
        }
        assert.equal((await world.both.inventory('b'))?.lastRun?.outcome, 'applied');
      });
    }
  }

  test('counts as nothing that would be pruned: a renamed application is no accident', async () => {
    const { both, cluster, deletions } = newWorld();
    const names = Array.from({ length: 20 }, (_, index) => configMap(`c${index}`));
    await both.push('old', names);
    await both.run('old');
    const uids = cluster.labelled().map(({ metadata }) => metadata.uid);
    await both.push('old', names, { state: 'gone', onDelete: 'prune' });
    await both.push('new', names);
    assert.equal((await both.record('old')).outcome?.kind, 'applied');
    await both.settle();
    assert.equal((await both.record('new', 'sync')).outcome?.kind, 'applied');
    await both.settle();
    assert.deepEqual(
      cluster.labelled().map(({ metadata }) => metadata.uid),
      uids,
    );
    assert.deepEqual(deletions(), []);
    assert.deepEqual(await both.entries('old'), []);
  });

  test('leaves an application without objects behind, which is no failed render', async () => {
    const { both, live } = newWorld();
    await both.push('a', [configMap('moved')]);
    await both.run('a');
    const uid = live()?.metadata.uid;
    await both.push('a', []);
    await both.push('b', [configMap('moved')]);
    assert.equal((await both.record('a')).outcome?.kind, 'applied');
    await both.settle();
    assert.equal(live()?.metadata.uid, uid);
    assert.deepEqual(
      [await both.entries('a'), await both.entries('b')],
      [[], ['ConfigMap moved: applied ours']],
    );
  });

  test('and what is left of the old application goes, and only that', async () => {
    const world = await begun();
    await world.both.push('a', []);
    const gone = { state: 'gone', onDelete: 'prune' } as const;
    await world.both.push('a', [configMap('keep-a'), configMap('moved')], gone);
    await world.both.push('b', newB);
    const record = await world.both.record('a');
    assert.deepEqual(plannedIn(record).toSorted(), [
      'ConfigMap keep-a: prune the application is gone from Git',
      'ConfigMap moved: leave is kept: the application b desires it and takes it over with its next run',
    ]);
  });
});

describe('an object that moves over two commits', () => {
  test('added first: b is blocked and says why, goes on once a gives it up, and a forgets it', async () => {
    const world = await begun();
    await world.both.push('b', newB);
    const record = await world.both.record('b');
    assert.equal(record.outcome?.kind, 'blocked');
    assert.match(
      plannedIn(record).join(),
      /ConfigMap moved: blocked the application a has it and desires it too: one object has one application; take it out/,
    );
    await world.both.settle();
    await world.both.push('a', [configMap('keep-a')]);
    await world.both.run('a');
    assert.deepEqual(await world.both.entries('a'), [
      'ConfigMap keep-a: applied ours',
      'ConfigMap moved: applied ours hand-over',
    ]);
    await world.both.settle();
    await assertHandedOver(world);
  });

  test('the text names both files where the renderer knows them', async () => {
    const world = await begun();
    const { store } = world.world;
    for (const [application, objects] of [
      ['a', [configMap('keep-a'), configMap('moved', { of: 'a', extra: 'a' })]],
      ['b', newB],
    ] as const) {
      const { snapshot } = await world.both.push(application, objects);
      const key = keys.snapshot(application, snapshot);
      const stored = snapshotSchema.parse(JSON.parse((await store.get(key))?.text ?? ''));
      const origins = { '/ConfigMap//moved': `apps/${application}/moved.yaml:1` };
      const told = { ...stored, provenance: { ...stored.provenance, origins } };
      await store.put(key, JSON.stringify(told), 'any');
    }
    assert.match(
      plannedIn(await world.both.record('b')).join(),
      /desires it too \(apps\/a\/moved\.yaml:1\): .* take it out of that one or of this one \(apps\/b\/moved\.yaml:1\)/,
    );
  });

  test('even where b may adopt: it waits for a', async () => {
    const world = await begun();
    await world.both.push('b', newB, { adopt: true });
    assert.equal((await world.both.record('b')).outcome?.kind, 'blocked');
    assert.deepEqual(world.live()?.['data'], { of: 'a', extra: 'a' });
  });

  test('dropped first: what takes others or data along is only marked, and is handed over in time', async () => {
    const { both, cluster, clock, deletions } = newWorld();
    const shop: KubeObject = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } };
    const address = { apiVersion: 'v1', plural: 'namespaces', name: 'shop' };
    await both.push('a', [shop, configMap('keep')]);
    await both.run('a');
    const uid = cluster.live(address)?.metadata.uid;
    await both.push('a', [configMap('keep')]);
    await both.run('a');
    assert.deepEqual(await both.entries('a'), [
      'ConfigMap keep: applied ours',
      'Namespace shop: applied ours grace',
    ]);
    clock.advance(300_000);
    await both.push('b', [shop]);
    await both.run('b');
    await both.settle();
    clock.advance(900_000);
    await both.run('a', 'pending');
    assert.equal(cluster.live(address)?.metadata.uid, uid);
    assert.deepEqual(deletions(), []);
    assert.deepEqual(await both.entries('b'), ['Namespace shop: applied ours']);
    assert.deepEqual(await both.entries('a'), ['ConfigMap keep: applied ours']);
  });

  test('an intent that a died on is proof enough', async () => {
    const { both, cluster, live } = newWorld();
    await both.push('a', [configMap('moved'), configMap('keep')]);
    cluster.hook = (request, when) => {
      if (request.startsWith('apply') && when === 'after') throw new Error('died');
    };
    await assert.rejects(both.run('a'));
    cluster.hook = () => undefined;
    await both.push('a', [configMap('keep')]);
    await both.push('b', [configMap('moved', { of: 'b' })]);
    await both.run('b');
    assert.equal(live()?.metadata.labels?.['trueup.dev/application'], 'b');
    assert.deepEqual(await both.entries('b'), ['ConfigMap moved: applied ours']);
  });
});

describe('while nobody can tell', () => {
  /** The commit of a is being read: the state knows an older head, and b has its pointer of that. */
  async function halfRead(world: Awaited<ReturnType<typeof begun>>, moving?: readonly string[]) {
    const { store, clock } = world.world;
    const before = isoTime(clock.now() - 60_000);
    const names = { repository: 'config', ref: 'refs/heads/main' };
    const applications = {
      a: { file: 'a.yaml', clusters: ['east'] },
      b: { file: 'b.yaml', clusters: ['east'] },
    };
    const told = moving && {
      moving: { sha: '2'.padStart(40, '0'), at: isoTime(clock.now()), targets: [...moving] },
    };
    const head = { sha: 'f'.repeat(40), at: before };
    const state = { version: 1, seq: 1, ...names, head, failing: false, applications, ...told };
    await writeDocument(store, keys.repository('config', 'refs/heads/main'), state, 'any');
    const key = keys.desired({ cluster: 'east', application: 'b' });
    const pointer = (await readDocument(store, key, desiredPointerSchema))?.value;
    await writeDocument(store, key, { ...pointer, examined: { sha: 'f'.repeat(40), at: before } }, 'any');
    const { commit } = await world.both.push('a', [configMap('keep-a')]);
    assert.equal(commit.sha, '2'.padStart(40, '0'));
    return plannedIn(await world.both.record('a')).join();
  }

  test('a commit that is still being read deletes nothing: a pointer of it may come', async () => {
    const world = await begun();
    assert.match(
      await halfRead(world),
      /moved: leave is kept: commit 0000000 is still being read, and b of it/,
    );
    await world.both.push('b', newB);
    await world.both.settle();
    await world.both.run('b');
    await world.both.settle();
    await assertHandedOver(world);
  });

  test('a commit that said it will move a neighbour deletes nothing before that is done', async () => {
    const planned = await halfRead(await begun(), ['east/a', 'east/b']);
    assert.match(planned, /moved: leave is kept: commit 0000000 is still being read, and b of it/);
  });

  test('a commit that leaves a neighbour as it is waits for nothing of it', async () => {
    assert.doesNotMatch(await halfRead(await begun(), ['east/a', 'west/b']), /is still being read/);
  });

  test('a neighbour whose snapshot is lost may want anything', async () => {
    const world = await begun();
    const pointer = await world.both.push('b', newB);
    await world.world.store.delete(keys.snapshot('b', pointer.snapshot), 'any');
    await world.both.push('a', [configMap('keep-a')]);
    const record = await world.both.record('a');
    assert.match(
      plannedIn(record).join(),
      /moved: leave is kept: whether the application b still wants it cannot be told/,
    );
    assert.deepEqual(world.deletions(), []);
  });

  test('a wish that comes while the run is at work is heeded', async () => {
    const world = await begun();
    await world.both.push('a', [configMap('keep-a', { changed: 'yes' })]);
    let isPushed = false;
    const { store } = world.world;
    const put = store.put.bind(store);
    store.put = async (...given) => {
      if (!isPushed && given[0].startsWith('inventory/') && given[1].includes('"state":"intent"')) {
        isPushed = true;
        await world.both.push('b', newB);
      }
      return put(...given);
    };
    const record = await world.both.record('a');
    assert.ok(isPushed);
    assert.deepEqual(
      record.outcome?.objects
        .filter(({ outcome }) => outcome === 'skipped')
        .map(({ ref, message }) => [ref.name, message]),
      [['moved', 'the application b desires it and takes it over with its next run']],
    );
    await world.both.run('b');
    await world.both.run('a', 'sync');
    await assertHandedOver(world);
  });
});

describe('whose it is', () => {
  test('an application that nobody here knows is of another installation', async () => {
    const { both, cluster } = newWorld();
    const metadata = { labels: { 'trueup.dev/application': 'stranger' } };
    cluster.write(moved, { kind: 'ConfigMap', metadata, data: {} }, 'trueup');
    await both.push('b', [configMap('moved')]);
    const record = await both.record('b');
    assert.equal(record.outcome?.kind, 'blocked');
    assert.match(
      plannedIn(record).join(),
      /blocked belongs to the application stranger of another installation; .*trueup\.dev\/adopt/,
    );
    await both.push('b', [configMap('moved')], { adopt: true });
    assert.equal((await both.record('b')).outcome?.kind, 'applied');
  });

  test('what its former application left for good asks, as everything that is in no inventory', async () => {
    const world = await begun();
    await world.both.push('a', [configMap('keep-a')], { prune: false });
    await world.both.run('a');
    await world.both.push('b', newB);
    const record = await world.both.record('b');
    assert.match(
      plannedIn(record).join(),
      /moved: blocked exists already, and nothing proves that we created it/,
    );
  });

  test('a with manual sync keeps what it has applied until somebody syncs it', async () => {
    const world = await begun();
    await world.both.push('a', [configMap('keep-a')], { sync: 'manual' });
    await world.both.push('b', newB);
    const record = await world.both.record('b');
    assert.match(
      plannedIn(record).join(),
      /moved: blocked the application a has it .*`trueup sync --app a` first/,
    );
    await world.both.settle();
    await world.both.run('a', 'sync');
    await world.both.settle();
    await assertHandedOver(world);
  });

  test('b with manual sync: a waits for it, and does not run over and over', async () => {
    const world = await begun();
    await world.both.push('b', newB, { sync: 'manual' });
    await world.both.push('a', [configMap('keep-a')]);
    const record = await world.both.record('a');
    assert.match(plannedIn(record).join(), /takes it over with its next sync/);
    await world.both.settle();
    assert.equal((await world.both.run('a', 'pending')).kind, 'rested');
    world.clock.advance(3_600_000);
    assert.equal((await world.both.run('a', 'pending')).kind, 'ran', 'looked at again after an hour');
    await world.both.run('b', 'sync');
    await world.both.settle();
    await assertHandedOver(world);
  });

  test('b changes its mind: a deletes what nobody wants any more', async () => {
    const world = await begun();
    await world.both.push('b', newB, { sync: 'manual' });
    await world.both.push('a', [configMap('keep-a')]);
    await world.both.run('a');
    await world.both.push('b', [configMap('keep-b')], { sync: 'manual' });
    world.clock.advance(3_600_000);
    await world.both.run('a', 'pending');
    assert.equal(world.live(), undefined);
    assert.deepEqual(await world.both.entries('a'), ['ConfigMap keep-a: applied ours']);
  });
});
