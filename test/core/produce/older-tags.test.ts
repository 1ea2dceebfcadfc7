import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { keys } from '../../../core/contract/keys.ts';
import { isOlderTag } from '../../../core/contract/tracked-ref.ts';
import { parseDocument } from '../../../core/documents.ts';
import { Retry } from '../../../core/errors.ts';
import { repositoryStateSchema } from '../../../core/model/desired.ts';
import { produce } from '../../../core/produce.ts';
import { ProduceWorld, files } from './world.ts';

const config = {
  repositories: [{ name: 'fleet', url: 'https://git.example/fleet.git', semver: '^1' }],
  clusters: [{ name: 'prod', access: { type: 'eks' as const, name: 'x' } }],
};

/** Versions 1.0.0 (commit a) and 1.1.0 (commit b) were followed; then the host shows only the first again. */
async function steppedBack() {
  const world = new ProduceWorld();
  const follow = async (tag: string, sha: string, receiveCount = 1) => {
    const push = { ...(await world.pushed(sha)), ref: `refs/tags/v${tag}` };
    return produce(push, receiveCount, world.deps(config));
  };
  world.git.tag = 'v1.0.0';
  await follow('1.0.0', world.git.push('a', files('1')));
  world.git.tag = 'v1.1.0';
  await follow('1.1.0', world.git.push('b', files('2')));
  world.git.tag = 'v1.0.0';
  world.git.current = 'a'.repeat(40);
  const head = async () => {
    const stored = await world.store.get(keys.repository('fleet', 'semver:^1'));
    return parseDocument('state', stored?.text ?? '', repositoryStateSchema).head;
  };
  return { world, follow, head };
}

describe('a range of versions whose newest tag the host shows no more', () => {
  test('stays at the newer one while a replica may lag', async () => {
    const { world, follow, head } = await steppedBack();
    for (const receiveCount of [1, 2]) {
      await assert.rejects(follow('1.0.0', 'a'.repeat(40), receiveCount), (error: unknown) => {
        assert.ok(error instanceof Retry);
        assert.match(error.message, /still shows v1\.0\.0, and not the newer v1\.1\.0; it is asked again$/);
        return true;
      });
    }
    assert.equal((await world.pointer('web')).commit.sha, 'b'.repeat(40));
    assert.deepEqual([(await head()).sha, (await head()).tag], ['b'.repeat(40), 'refs/tags/v1.1.0']);
  });

  test('goes on when the replica has caught up while it was asked', async () => {
    const { world, follow } = await steppedBack();
    world.clock.sleep = async () => {
      world.git.tag = 'v1.2.0';
      world.git.push('c', files('3'));
    };
    assert.match(await follow('1.0.0', 'a'.repeat(40)), /^commit ccccccc: 1 changed/);
  });

  test('goes back once the host has said so time after time: the tag was taken away', async () => {
    const { world, follow, head } = await steppedBack();
    assert.match(await follow('1.0.0', 'a'.repeat(40), 3), /^commit aaaaaaa: 2 changed/);
    assert.equal((await world.pointer('web')).commit.sha, 'a'.repeat(40));
    assert.equal((await head()).tag, 'refs/tags/v1.0.0');
  });
});

for (const [one, two, isOlder] of [
  ['refs/tags/v1.2.0', 'refs/tags/1.10.0', true],
  ['refs/tags/v1.10.0', 'refs/tags/1.2.0', false],
  ['refs/tags/v1.2.0', 'refs/tags/v1.2.0', false],
  ['refs/tags/v1.2.0-rc.1', 'refs/tags/v1.2.0', true],
  ['refs/tags/v1.2.0+1', 'refs/tags/v1.2.0+2', true],
  ['refs/heads/main', 'refs/tags/v1.0.0', false],
  ['refs/tags/v1.0.0', 'refs/heads/main', false],
] as const) {
  test(`${one} is ${isOlder ? '' : 'not '}older than ${two}`, () =>
    assert.equal(isOlderTag(one, two), isOlder));
}
