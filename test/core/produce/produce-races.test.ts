import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keys } from '../../../core/contract/keys.ts';
import { produce } from '../../../core/produce.ts';
import { ProduceWorld, application, configMap, files } from './world.ts';

/** Deaths and other writers at the worst moments; each is one that would otherwise happen once a year. */

const stateKey = keys.repository('fleet', 'refs/heads/main');
const team = {
  repositories: [
    { name: 'fleet', url: 'https://git.example/fleet.git' },
    { name: 'team', url: 'https://git.example/team.git' },
  ],
  clusters: [{ name: 'prod', access: { type: 'eks' as const, name: 'x' } }],
};
const { 'applications/web.yaml': _, 'apps/web/a.yaml': __, ...withoutWeb } = files('1');

/** Each commit that moves a pointer writes the state twice: which it will move, and that it has. */

/** Lets `act` run just before the nth write of a key. */
function beforeWrite(world: ProduceWorld, key: string, nth: number, act: () => Promise<void>) {
  const put = world.store.put.bind(world.store);
  let count = 0;
  world.store.put = async (written, text, condition) => {
    if (written === key) count += 1;
    if (written === key && count === nth) await act();
    return put(written, text, condition);
  };
  return () => {
    world.store.put = put;
  };
}

const death = () => Promise.reject(new Error('died'));

async function touch(world: ProduceWorld, key: string): Promise<void> {
  const stored = await world.store.get(key);
  const document: { seq: number } = JSON.parse(stored?.text ?? '');
  await world.store.put(key, JSON.stringify({ ...document, seq: document.seq + 1 }), 'any');
}

test('a state that moves at the very end costs another look, and no second run or event', async () => {
  const world = new ProduceWorld();
  await world.push('a', files('1'));
  world.takeRuns();
  world.takeEvents();
  const restore = beforeWrite(world, stateKey, 2, () => touch(world, stateKey));
  const outcome = await world.push('b', { ...files('2'), 'apps/api/a.yaml': 'a: b: c' });
  restore();
  assert.match(outcome, /^commit bbbbbbb: 1 changed \(web on prod\), 1 failed \(api\)/);
  assert.deepEqual(world.takeRuns(), ['web on prod']);
  assert.deepEqual(world.takeEvents(), ['SnapshotReady', 'SnapshotFailed']);
});

test('a pointer that somebody else writes meanwhile is read again, not overwritten', async () => {
  const world = new ProduceWorld();
  await world.push('a', files('1', '1'));
  world.takeRuns();
  const key = keys.desired({ cluster: 'prod', application: 'web' });
  const restore = beforeWrite(world, key, 1, () => touch(world, key));
  assert.match(await world.push('b', files('2', '2')), /2 changed \(api on prod; web on prod\)/);
  restore();
  const { seq, revision } = await world.pointer('web');
  assert.deepEqual([seq, revision], [3, 2]);
  assert.deepEqual(world.takeRuns(), ['api on prod', 'web on prod']);
});

test('an application of an older head that was written after a newer one had left it out still goes', async () => {
  const world = new ProduceWorld();
  await world.push('a', withoutWeb);
  const slow = await world.pushed(world.git.push('b', files('1')), 'a'.repeat(40));
  // Its target is registered and its pointer about to be written, when the commit that drops it is followed.
  const restore = beforeWrite(world, keys.desired({ cluster: 'prod', application: 'web' }), 1, async () => {
    await world.push('c', withoutWeb);
  });
  assert.match(await produce(slow, 1, world.deps()), /^commit ccccccc: 1 gone \(web on prod\)/);
  restore();
  assert.equal((await world.pointer('web')).state, 'gone');
});

test('a tombstone is written once, though the state that told of it could not be', async () => {
  const world = new ProduceWorld();
  await world.push('a', files('1'));
  const event = await world.pushed(world.git.push('b', withoutWeb), 'a'.repeat(40));
  const restore = beforeWrite(world, stateKey, 2, death);
  await assert.rejects(produce(event, 1, world.deps()), /died/);
  restore();
  const gone = await world.pointer('web');
  assert.deepEqual([gone.state, gone.revision], ['gone', 2]);
  await produce(event, 2, world.deps());
  assert.deepEqual(await world.pointer('web'), gone);
});

test('a repository that died before it forgot an application leaves its new owner alone', async () => {
  const world = new ProduceWorld();
  await world.push('a', files('1'), { config: team });
  const event = await world.pushed(world.git.push('b', withoutWeb), 'a'.repeat(40));
  const restore = beforeWrite(world, stateKey, 2, death);
  await assert.rejects(produce(event, 1, world.deps(team)), /died/);
  restore();
  const web = { 'applications/web.yaml': application('web'), 'apps/web/a.yaml': configMap('web', '9') };
  const taken = await world.pushed(world.git.push('c', web), '0'.repeat(40), 'team');
  await produce(taken, 1, world.deps(team));
  const owned = await world.pointer('web');
  assert.deepEqual([owned.repository, owned.state], ['team', 'present']);
  world.git.current = 'b'.repeat(40);
  await produce(event, 2, world.deps(team));
  assert.deepEqual(await world.pointer('web'), owned);
});

test('a handler of an older commit that is late never writes over what a newer one found as it should be', async () => {
  const world = new ProduceWorld();
  await world.push('a', files('1'));
  world.takeRuns();
  const older = await world.pushed(world.git.push('b', files('2')), 'a'.repeat(40));
  const key = keys.desired({ cluster: 'prod', application: 'web' });
  const seen: string[] = [];
  const put = world.store.put.bind(world.store);
  // It has said what it will move and is about to, when the commit is taken back and that is followed to the end.
  const restore = beforeWrite(world, key, 1, async () => {
    await world.push('c', files('1'));
    world.store.put = async (written, text, condition) => {
      const outcome = await put(written, text, condition);
      if (written === key && outcome.kind === 'written') seen.push(text);
      return outcome;
    };
  });
  await produce(older, 1, world.deps());
  restore();
  assert.deepEqual(seen, [], 'nothing of the older commit was ever in the pointer');
  assert.deepEqual(world.takeRuns(), []);
  assert.equal((await world.pointer('web')).commit.sha, 'a'.repeat(40));
});
