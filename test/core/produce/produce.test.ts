import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keys } from '../../../core/contract/keys.ts';
import { Blocked, Retry } from '../../../core/errors.ts';
import { produce } from '../../../core/produce.ts';
import { openObjects, decodeSnapshot } from '../../../core/snapshot.ts';
import { ProduceWorld, application, configMap, files } from './world.ts';

test('a push gives snapshots, moves the pointers and asks for one run each', async () => {
  const world = new ProduceWorld();
  const outcome = await world.push('a', files('1'));
  assert.equal(outcome, 'commit aaaaaaa: 2 changed (api on prod; web on prod)');
  assert.equal(await world.outcomeOf('delivery-1'), outcome);
  assert.deepEqual(world.takeRuns(), ['api on prod', 'web on prod']);
  assert.deepEqual(world.takeEvents(), ['SnapshotReady', 'SnapshotReady']);
  const { snapshot, revision, state, commit, examined, objects } = await world.pointer('web');
  assert.deepEqual(
    [revision, state, objects, commit.sha, examined.sha],
    [1, 'present', 1, 'a'.repeat(40), 'a'.repeat(40)],
  );
  const stored = await world.store.get(keys.snapshot('web', snapshot));
  const [object] = await openObjects(decodeSnapshot(snapshot, stored?.text ?? ''), world.sealer);
  assert.deepEqual(object?.['data'], { value: '1' });
  assert.deepEqual(world.metrics.data, []);
  assert.ok(world.git.worktrees.every((worktree) => worktree.isDisposed));
});

test('only what changed gets a new snapshot and a write; the state tells that the rest was examined', async () => {
  const world = new ProduceWorld();
  await world.push('a', files('1'));
  const before = await world.pointer('api');
  world.takeRuns();
  const outcome = await world.push('b', files('2'));
  assert.equal(outcome, 'commit bbbbbbb: 1 changed (web on prod), 1 unchanged (api)');
  assert.deepEqual(world.takeRuns(), ['web on prod']);
  assert.deepEqual(await world.pointer('api'), before);
  const { head, applications, moving } = await world.state();
  assert.deepEqual([head.sha, Object.keys(applications)], ['b'.repeat(40), ['api', 'web']]);
  assert.equal(moving, undefined);
});

test('the same event five times gives one run each and writes nothing more', async () => {
  const world = new ProduceWorld();
  const event = await world.pushed(world.git.push('a', files('1')));
  await produce(event, 1, world.deps());
  const pointer = await world.pointer('web');
  for (let again = 0; again < 4; again += 1) await produce(event, 1, world.deps());
  assert.deepEqual(world.takeRuns(), ['api on prod', 'web on prod']);
  assert.deepEqual(world.takeEvents(), ['SnapshotReady', 'SnapshotReady']);
  assert.deepEqual(await world.pointer('web'), pointer);
});

test('of two pushes whose events arrive in reverse the newest stays, with one run each', async () => {
  const world = new ProduceWorld();
  await world.push('a', files('1'));
  world.takeRuns();
  const first = await world.pushed(world.git.push('b', files('2')), 'a'.repeat(40));
  const second = await world.pushed(world.git.push('c', files('3')), 'b'.repeat(40));
  assert.match(await produce(second, 1, world.deps()), /1 changed \(web on prod\)/);
  assert.match(await produce(first, 1, world.deps()), /^commit ccccccc: 2 unchanged/);
  assert.deepEqual(world.takeRuns(), ['web on prod']);
  assert.equal((await world.pointer('web')).commit.sha, 'c'.repeat(40));
});

test('a force-push back returns to the old digest, under a new revision', async () => {
  const world = new ProduceWorld();
  await world.push('a', files('1'));
  const { snapshot } = await world.pointer('web');
  await world.push('b', files('2'));
  world.git.current = 'a'.repeat(40);
  const event = await world.pushed('a'.repeat(40), 'b'.repeat(40));
  assert.match(await produce(event, 1, world.deps()), /^commit aaaaaaa: 1 changed/);
  const pointer = await world.pointer('web');
  assert.deepEqual([pointer.snapshot, pointer.revision, pointer.commit.sha], [snapshot, 3, 'a'.repeat(40)]);
});

test('a revert by a new commit returns to the old digest as well', async () => {
  const world = new ProduceWorld();
  await world.push('a', files('1'));
  const { snapshot } = await world.pointer('web');
  await world.push('b', files('2'));
  await world.push('c', files('1'));
  const pointer = await world.pointer('web');
  assert.deepEqual([pointer.snapshot, pointer.revision, pointer.commit.sha], [snapshot, 3, 'c'.repeat(40)]);
});

test('a Git host that still shows the commit before the push is asked again, then believed', async () => {
  const world = new ProduceWorld();
  await world.push('a', files('1'));
  const event = await world.pushed('b'.repeat(40), 'a'.repeat(40));
  await assert.rejects(
    produce(event, 1, world.deps()),
    (error) => error instanceof Retry && /still shows aaaaaaa/.test(error.message),
  );
  await assert.rejects(produce(event, 2, world.deps()), Retry);
  assert.match(await produce(event, 3, world.deps()), /^commit aaaaaaa: 2 (changed|unchanged)/);
});

test('a Git host that lags for a second costs no new message', async () => {
  const world = new ProduceWorld();
  await world.push('a', files('1'));
  const event = await world.pushed(world.git.push('b', files('2')), 'a'.repeat(40));
  world.git.current = 'a'.repeat(40);
  const started = world.clock.now();
  world.git.onHead = async () => {
    if (world.clock.now() > started) world.git.current = 'b'.repeat(40);
  };
  assert.match(await produce(event, 1, world.deps()), /^commit bbbbbbb: 1 changed/);
});

test('a Git host that does not show a new branch yet is asked again, then believed', async () => {
  const world = new ProduceWorld();
  const event = await world.pushed(world.git.push('a', files('1')));
  world.git.current = undefined;
  for (const receives of [1, 2]) {
    await assert.rejects(
      produce(event, receives, world.deps()),
      (error) => error instanceof Retry && /still shows no such ref/.test(error.message),
    );
  }
  assert.match(await produce(event, 3, world.deps()), /has no branch main/);
  world.git.current = 'a'.repeat(40);
  assert.match(await produce(event, 1, world.deps()), /^commit aaaaaaa: 2 changed/);
});

test('a Git host that shows a commit older than the push has some seconds, then is believed', async () => {
  const world = new ProduceWorld();
  await world.push('a', files('1'));
  await world.push('b', files('2'));
  const event = await world.pushed(world.git.push('c', files('3')), 'b'.repeat(40));
  world.git.current = 'a'.repeat(40);
  const started = world.clock.now();
  world.git.onHead = async () => {
    if (world.clock.now() > started) world.git.current = 'c'.repeat(40);
  };
  assert.match(await produce(event, 1, world.deps()), /^commit ccccccc: 1 changed/);
  world.git.onHead = async () => undefined;
  const back = await world.pushed('d'.repeat(40), 'c'.repeat(40));
  world.git.current = 'a'.repeat(40);
  assert.match(await produce(back, 1, world.deps()), /^commit aaaaaaa: 1 changed/);
});

test('a Git host that refuses for a moment loses no push', async () => {
  const world = new ProduceWorld();
  const event = await world.pushed(world.git.push('a', files('1')));
  const refusal = new Blocked({ subject: 'repository fleet', message: 'token refused' });
  world.git.onHead = () => Promise.reject(refusal);
  for (const receives of [1, 2]) {
    await assert.rejects(
      produce(event, receives, world.deps()),
      (error) =>
        error instanceof Retry &&
        error.message === 'repository fleet: token refused' &&
        error.cause === refusal,
    );
  }
  assert.deepEqual(world.takeEvents(), []);
  world.git.onHead = async () => undefined;
  assert.match(await produce(event, 3, world.deps()), /^commit aaaaaaa: 2 changed/);
});

test('a newer push that overtakes in the middle wins: conflict, look again', async () => {
  const world = new ProduceWorld();
  await world.push('a', files('1'));
  world.takeRuns();
  const slow = await world.pushed(world.git.push('b', files('2')), 'a'.repeat(40));
  let isOvertaken = false;
  world.git.onHead = async () => {
    if (isOvertaken) return;
    isOvertaken = true;
    await world.push('c', files('3'));
  };
  assert.match(await produce(slow, 1, world.deps()), /^commit ccccccc: 2 unchanged/);
  const pointer = await world.pointer('web');
  assert.deepEqual([pointer.commit.sha, pointer.revision], ['c'.repeat(40), 2]);
  assert.deepEqual(world.takeRuns(), ['web on prod']);
});

test('an application that appears while another handler looks is not lost to an older head', async () => {
  const world = new ProduceWorld();
  const slow = await world.pushed(world.git.push('a', files('1')));
  let isOvertaken = false;
  world.git.onHead = async () => {
    if (isOvertaken) return;
    isOvertaken = true;
    await world.push('b', files('2'));
  };
  await produce(slow, 1, world.deps());
  assert.equal((await world.pointer('web')).commit.sha, 'b'.repeat(40));
  assert.deepEqual(world.takeRuns(), ['api on prod', 'web on prod']);
});

test('a commit that is force-pushed away while it is fetched is not missed', async () => {
  const world = new ProduceWorld();
  const event = await world.pushed(world.git.push('a', files('1')));
  world.git.onHead = async () => {
    if (world.git.current !== 'a'.repeat(40)) return;
    world.git.drop('a'.repeat(40));
    world.git.push('b', files('2'));
  };
  assert.match(await produce(event, 1, world.deps()), /^commit bbbbbbb: 2 changed/);
});

test('a death between pointer and queue is made good when the message comes again', async () => {
  const world = new ProduceWorld();
  const event = await world.pushed(world.git.push('a', files('1')));
  const run = world.queues.run.bind(world.queues);
  world.queues.run = () => Promise.reject(new Error('died'));
  await assert.rejects(produce(event, 1, world.deps()), /died/);
  assert.equal((await world.pointer('web')).revision, 1);
  world.queues.run = run;
  assert.match(await produce(event, 2, world.deps()), /2 changed \(api on prod; web on prod\)/);
  assert.deepEqual(world.takeRuns(), ['api on prod', 'web on prod']);
  assert.deepEqual(world.takeEvents(), ['SnapshotReady', 'SnapshotReady']);
});

test('a death before the pointers leaves a state that knows of the targets', async () => {
  const world = new ProduceWorld();
  const event = await world.pushed(world.git.push('a', files('1')));
  const put = world.store.put.bind(world.store);
  world.store.put = (key, text, condition) =>
    key.startsWith('desired/') && key.includes('web')
      ? Promise.reject(new Error('died'))
      : put(key, text, condition);
  await assert.rejects(produce(event, 1, world.deps()), /died/);
  world.store.put = put;
  // The next commit has neither: what was begun must end as a tombstone, and no pointer be forgotten.
  const outcome = await world.push('b', { 'applications/README.md': 'none left' });
  assert.match(outcome, /^commit bbbbbbb: 1 gone \(api on prod\)/);
  assert.equal((await world.pointer('api')).state, 'gone');
});

test('settings alone move the revision, and sync: manual waits for a person', async () => {
  const world = new ProduceWorld();
  await world.push('a', files('1'));
  world.takeRuns();
  await world.push('b', {
    ...files('1'),
    'applications/web.yaml': application('web', { drift: 'observe', interval: '2h' }),
  });
  const pointer = await world.pointer('web');
  assert.deepEqual(
    [pointer.revision, pointer.settings.drift, pointer.settings.intervalSeconds],
    [2, 'observe', 7200],
  );
  assert.equal(pointer.commit.sha, 'a'.repeat(40), 'whose content it is');
  assert.deepEqual(world.takeRuns(), ['web on prod']);
  await world.push('c', { ...files('2'), 'applications/web.yaml': application('web', { sync: 'manual' }) });
  assert.equal((await world.pointer('web')).revision, 3);
  assert.deepEqual(world.takeRuns(), []);
});

test('secrets are stored sealed, and the same content again is the same snapshot', async () => {
  const world = new ProduceWorld();
  const secret = 'apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {password: hunter2}\n';
  await world.push('a', { ...files('1'), 'apps/web/s.yaml': secret });
  const { snapshot } = await world.pointer('web');
  await world.push('b', { ...files('1'), 'apps/web/s.yaml': `# a comment\n${secret}` });
  const after = await world.pointer('web');
  assert.deepEqual([after.snapshot, after.revision], [snapshot, 1]);
  assert.equal(world.sealer.dataKeys, 1);
  for await (const key of world.store.list('')) {
    const text = (await world.store.get(key))?.text ?? '';
    assert.ok(!/hunter2|aHVudGVyMg/.test(text), key);
  }
  assert.ok(!JSON.stringify([world.bus.events, world.queues.runs]).includes('hunter2'));
});

test('what asks for nothing is told in the ledger', async () => {
  const world = new ProduceWorld();
  await world.push('a', files('1'));
  const deps = world.deps();
  const event = await world.pushed('b'.repeat(40));
  assert.equal(
    await produce({ ...event, ref: 'refs/heads/feature' }, 1, deps),
    'refs/heads/feature is not tracked: repository fleet follows refs/heads/main',
  );
  assert.match((await world.outcomeOf(event.deliveryId)) ?? '', /is not tracked/);
  assert.match(
    await produce({ ...event, repository: 'other' }, 1, deps),
    /^repository other is not in the stack/,
  );
  world.git.current = undefined;
  const deleted = { ...event, after: '0'.repeat(40), deleted: true };
  assert.match(
    await produce(deleted, 1, deps),
    /^repository fleet has no branch main: .* nothing is taken for deleted/,
  );
  assert.equal((await world.pointer('web')).state, 'present');
});

test('a refused token is told as a failed snapshot, and nothing is taken for deleted', async () => {
  const world = new ProduceWorld();
  await world.push('a', files('1'));
  world.takeEvents();
  world.git.onHead = () =>
    Promise.reject(new Blocked({ subject: 'repository fleet', message: 'token refused' }));
  const event = await world.pushed('b'.repeat(40), 'a'.repeat(40));
  const outcome = await produce(event, 3, world.deps());
  assert.match(outcome, /^commit bbbbbbb: .*2 failed \(api; web\); repository fleet: token refused/);
  assert.equal(world.takeEvents().at(-1), 'SnapshotFailed');
  const pointer = await world.pointer('web');
  assert.deepEqual(
    [pointer.state, pointer.revision, pointer.failed?.faults[0]?.message],
    ['present', 1, 'token refused'],
  );
});

test('an application that matches no cluster is told, and is no fault', async () => {
  const world = new ProduceWorld();
  const nowhere = application('web', { clusters: '{selector: {matchLabels: {tier: stage}}}' });
  assert.equal(
    await world.push('a', { ...files('1'), 'applications/web.yaml': nowhere }),
    'commit aaaaaaa: 1 changed (api on prod), 1 without a matching cluster (web)',
  );
});

test('one application on several clusters has a pointer for each', async () => {
  const world = new ProduceWorld();
  const everywhere = application('web', { clusters: '{selector: {matchLabels: {}}}' });
  const outcome = await world.push('a', {
    ...files('1'),
    'applications/web.yaml': everywhere,
    'apps/web/b.yaml': configMap('b', '1'),
  });
  assert.equal(outcome, 'commit aaaaaaa: 2 changed (api on prod; web on dev, prod)');
  assert.deepEqual(world.takeRuns(), ['api on prod', 'web on dev', 'web on prod']);
  assert.equal((await world.pointer('web', 'dev')).snapshot, (await world.pointer('web')).snapshot);
});
