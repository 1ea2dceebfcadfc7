import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Blocked } from '../../../core/errors.ts';
import { poll } from '../../../core/poll.ts';
import { produce } from '../../../core/produce.ts';
import { ProduceWorld, files } from './world.ts';

/** A poll and what follows from it: each event that it publishes is handled three times, as a queue would. */
function pollWorld() {
  const world = new ProduceWorld();
  const deps = world.deps();
  const heads = world.git.heads.bind(world.git);
  const access = (isGood: boolean) => {
    world.git.heads = isGood
      ? heads
      : async () =>
          Promise.reject(new Blocked({ subject: 'repository fleet', message: 'refuses the token (403)' }));
  };
  const look = async (): Promise<readonly [string, string?]> => {
    const said = await poll(['fleet'], deps);
    const pushes = world.bus.events.splice(0).filter((event) => event.type === 'PushReceived');
    assert.ok(pushes.length <= 1);
    const [push] = pushes;
    world.clock.advance(15 * 60_000);
    if (push === undefined) return [said];
    return [said, await produce(push.detail, 3, deps)];
  };
  const failing = () =>
    world.metrics.data.filter(({ name }) => name === 'FailedSnapshots').map(({ value }) => value);
  return { world, access, look, failing };
}

test('a poll that is refused is a failure like any other: recorded, told and counted, once', async () => {
  const { world, access, look, failing } = pollWorld();
  await world.push('a', files('1'));
  world.takeEvents();
  access(false);
  const [said, outcome] = await look();
  assert.equal(said, 'refused: repository fleet: refuses the token (403); told of fleet');
  assert.match(
    outcome ?? '',
    /^commit aaaaaaa: .*2 failed \(api; web\); repository fleet: refuses the token \(403\)/,
  );
  assert.deepEqual(
    world.takeEvents().filter((type) => type === 'SnapshotFailed'),
    ['SnapshotFailed'],
  );
  assert.deepEqual(failing(), [1]);
  const { failed, commit } = await world.pointer('web');
  assert.match(failed?.faults[0]?.message ?? '', /refuses the token/);
  assert.equal(commit.sha, 'a'.repeat(40));
  assert.deepEqual(await look(), ['refused: repository fleet: refuses the token (403); as before']);

  access(true);
  const [again, mended] = await look();
  assert.equal(again, 'missed: fleet aaaaaaa..aaaaaaa');
  assert.match(mended ?? '', /^commit aaaaaaa: /);
  assert.deepEqual(failing(), [1, 0]);
  assert.equal((await world.pointer('web')).failed, undefined);
  assert.deepEqual(await look(), ['nothing was missed']);
});

test('a repository that was never followed and refuses has no commit to name', async () => {
  const { access, look, failing, world } = pollWorld();
  access(false);
  const [, outcome] = await look();
  assert.equal(outcome, 'no commit yet: no applications; repository fleet: refuses the token (403)');
  assert.deepEqual(failing(), [1]);
  access(true);
  world.git.push('a', files('1'));
  const [, mended] = await look();
  assert.match(mended ?? '', /^commit aaaaaaa: 2 changed/);
  assert.deepEqual(failing(), [1, 0]);
});

test('a push that was refused is followed by the next poll that is not', async () => {
  const { world, access, look } = pollWorld();
  await world.push('a', files('1'));
  access(false);
  const refused = await world.pushed(world.git.push('b', files('2')), 'a'.repeat(40));
  assert.match(await produce(refused, 3, world.deps()), /refuses the token/);
  access(true);
  world.takeEvents();
  const [, outcome] = await look();
  assert.match(outcome ?? '', /^commit bbbbbbb: 2 changed/);
});
