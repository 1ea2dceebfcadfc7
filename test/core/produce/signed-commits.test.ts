import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { parseStackConfig } from '../../../core/contract/config.ts';
import { produce } from '../../../core/produce.ts';
import { signHead, sshSigner } from '../../git/signed-commit.ts';
import { newSshKey } from '../../git/ssh-server.ts';
import { commitFiles, push } from '../../git/worktree.ts';
import { GitHost, GitWorld } from './git-world.ts';
import { files } from './world.ts';

/** Signature policies over the whole spine, with a real Git host and real signatures. */

let host: GitHost;
const key = newSshKey();
const stranger = newSshKey();

before(async () => {
  host = await GitHost.start();
});
after(() => host.stop());

async function setUp(name: string, mode: 'require' | 'warn') {
  const made = await GitWorld.start(host, name);
  const verify = { mode, sshKeys: [`ada@example.com ${key.public}`] };
  const config = parseStackConfig({
    repositories: [{ name: 'fleet', url: host.url(name), tokenSecret: 'git/token', verify }],
    clusters: [{ name: 'prod', access: { type: 'eks', name: 'x' } }],
  });
  const { world } = made;
  const follow = async (content: Record<string, string>, signer?: { private: string }): Promise<string> => {
    let sha = await commitFiles(made.clone, content, 'Change');
    if (signer !== undefined) sha = await signHead(made.clone, sshSigner(signer.private));
    await push(made.clone, 'main', { force: true });
    return produce(await world.pushed(sha), 1, { ...made.deps, config });
  };
  return { world, follow };
}

for (const [what, signer, reason] of [
  ['an unsigned commit', undefined, /it is not signed/],
  ['a commit of a stranger', stranger, /it is signed with SSH key SHA256:\S+, which is not on the list/],
] as const) {
  test(`require: ${what} changes nothing, is told with its reason, and alarms until a good one`, async () => {
    const { world, follow } = await setUp(
      `require-${signer === undefined ? 'unsigned' : 'stranger'}`,
      'require',
    );
    assert.match(await follow(files('1'), key), /2 changed/);
    const good = await world.pointer('web');
    assert.deepEqual(good.commit.signature?.verdict, 'good');
    const [runs, written] = [world.queues.runs.length, world.metrics.data.length];

    const outcome = await follow({ ...files('2'), 'applications/api.yaml': 'nonsense' }, signer);
    assert.match(outcome, /is not followed, since/);
    assert.match(outcome, reason);
    const later = await world.pointer('web');
    assert.deepEqual(
      [later.snapshot, later.revision, later.state],
      [good.snapshot, good.revision, 'present'],
    );
    assert.match(later.failed?.faults[0]?.message ?? '', reason);
    assert.equal(world.queues.runs.length, runs);
    const failed = world.bus.events.findLast(({ type }) => type === 'SnapshotFailed');
    assert.ok(failed?.type === 'SnapshotFailed');
    assert.match(failed.detail.faults[0]?.message ?? '', reason);
    const metric = world.metrics.data.slice(written).map(({ name, value }) => [name, value]);
    assert.deepEqual(metric, [['FailedSnapshots', 1]]);

    assert.match(await follow(files('3'), key), /changed/);
    assert.equal(world.metrics.data.at(-1)?.value, 0);
    assert.equal((await world.pointer('web')).failed, undefined);
  });
}

test('warn: an unsigned commit is followed, and says so where it came from', async () => {
  const { world, follow } = await setUp('warn', 'warn');
  assert.match(await follow(files('1')), /2 changed/);
  const { commit } = await world.pointer('web');
  assert.deepEqual(commit.signature, { verdict: 'refused', reason: 'it is not signed' });
});
