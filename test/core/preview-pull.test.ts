import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { keys } from '../../core/contract/keys.ts';
import { Retry, Stop } from '../../core/errors.ts';
import { pollPulls } from '../../core/poll-pulls.ts';
import { previewPull } from '../../core/preview-pull.ts';
import { ManualClock } from '../fakes/manual-clock.ts';
import { MemoryCluster } from '../fakes/memory-cluster.ts';
import { PullWorld, stackWith } from './previews/pull-world.ts';
import { application, configMap, files } from './produce/world.ts';

/** A world whose branch has `web` and `api`, and a pull request that changes `web`. */
async function opened(world = new PullWorld(), more?: Parameters<typeof world.host.open>[1]) {
  await world.followed('a', files('1'));
  const head = world.proposed('b', files('2'));
  world.host.open('fleet', { branch: 'topic', sha: head, ...more });
  return { world, head };
}

describe('a pull request', () => {
  it('gets one comment and a status of what it changes; then what the clusters say', async () => {
    const { world, head } = await opened();
    const prod = await world.withNamespaces();
    const before = await world.produce.store.entries('');
    assert.equal(await world.changed(), '1 application on 1 cluster');
    assert.equal(world.status(head), 'success: 1 application on 1 cluster');
    const first = world.comment();
    assert.match(first, /`web` \| `prod` \| 0 \| 1 \| 0/);
    assert.match(first, /-     "1"\n\+     "2"/);
    assert.match(first, /⏳ `prod` is being asked/);
    assert.doesNotMatch(first, /`api`/);
    assert.deepEqual(
      world.questions.map(({ cluster }) => cluster),
      ['prod'],
    );
    assert.equal(world.dues.length, 1);
    // Nothing of ours but the preview itself was written.
    const written = [...(await world.produce.store.entries(''))].filter(
      ([key, etag]) => before.get(key) !== etag,
    );
    assert.ok(written.length > 0);
    assert.deepEqual(
      written.filter(([key]) => !key.startsWith('previews/')),
      [],
    );

    assert.deepEqual(await world.answered(), ['1 application on 1 cluster']);
    const second = world.comment();
    assert.doesNotMatch(second, /being asked/);
    assert.match(second, /As the clusters are now/);
    assert.match(second, /\| `web` \| `prod` \| 1 \| 0 \| 0 \| 0 \| 0 \|/);
    assert.deepEqual(prod.effects, [], 'nothing was changed there');
  });

  it('is not looked at twice for the same head, and anew for another', async () => {
    const { world, head } = await opened();
    await world.changed();
    const worktrees = world.produce.git.worktrees.length;
    await world.changed();
    assert.equal(world.produce.git.worktrees.length, worktrees);
    const next = world.proposed('c', files('3'));
    world.host.change('fleet', '1', { head: { branch: 'topic', sha: next, isFork: false } });
    await world.changed();
    assert.match(world.comment(), /`aaaaaaa` → `ccccccc`/);
    assert.notEqual(world.status(next), 'none');
    // The answer of a cluster to the older head says nothing any more.
    const late = { version: 1 as const, preview: 'due' as const, repository: 'fleet', id: '1', head };
    assert.equal(await previewPull({ kind: 'due', ...late }, world.deps), 'a newer head is previewed');
  });

  it('that changes nothing gets a status and no comment; one that it had is kept current', async () => {
    const { world } = await opened();
    const same = world.proposed('d', { ...files('1'), 'README.md': 'words' });
    world.host.open('fleet', { branch: 'words', sha: same });
    assert.equal(await world.changed('2'), 'nothing changes on any cluster');
    assert.equal(world.comment('2'), '');
    assert.equal(world.status(same), 'success: nothing changes on any cluster');
    await world.changed('1');
    world.host.change('fleet', '1', { head: { branch: 'topic', sha: same, isFork: false } });
    await world.changed('1');
    assert.match(world.comment('1'), /nothing changes on any cluster/);
  });

  it('of what cannot be rendered fails, with file and line; what failed before does not', async () => {
    const { world } = await opened();
    const broken = { ...files('2'), 'apps/web/a.yaml': 'kind: [', 'applications/more.yaml': 'kind: Nothing' };
    const head = world.proposed('e', broken);
    world.host.change('fleet', '1', { head: { branch: 'topic', sha: head, isFork: false } });
    await world.changed();
    assert.match(world.status(head), /^failure: 2 faults/);
    assert.match(world.comment(), /apps\/web\/a\.yaml/);
    assert.match(world.comment(), /applications\/more\.yaml/);
    assert.equal(world.questions.length, 0, 'what stays as it is need not be asked for');
    await world.followed('e', broken);
    const next = world.proposed('f', { ...broken, 'apps/api/a.yaml': configMap('api', '9') });
    world.host.change('fleet', '1', { head: { branch: 'topic', sha: next, isFork: false } });
    await world.changed();
    assert.match(world.status(next), /^success: 1 application/);
  });

  it('is compared with where it began, and told of what moved on meanwhile', async () => {
    const { world } = await opened();
    world.began = 'a'.repeat(40);
    await world.followed('c', { ...files('7', '5') });
    await world.changed();
    assert.match(world.comment(), /`aaaaaaa` → `bbbbbbb`/);
    assert.doesNotMatch(world.comment(), /`api`/, 'what others changed is not shown as taken back');
    assert.match(world.comment(), /`web` on `prod` has changed on the tracked branch meanwhile/);
  });

  it('that gives up an application shows what goes, and what the cluster would lose', async () => {
    const { world } = await opened();
    const { 'applications/web.yaml': _, ...left } = files('1');
    const head = world.proposed('c', left);
    world.host.change('fleet', '1', { head: { branch: 'topic', sha: head, isFork: false } });
    await world.changed();
    assert.match(world.comment(), /`web` \(gone\)/);
    await world.answered();
    assert.match(world.comment(), /As the clusters are now/);
  });

  it('that is closed, or for another branch, is left; a comment that is there says so', async () => {
    const { world } = await opened();
    await world.changed();
    world.host.change('fleet', '1', { base: { branch: 'release' } });
    await world.changed();
    assert.match(world.comment(), /is for another branch now/);
    world.host.change('fleet', '1', { base: { branch: 'main' } });
    await world.changed();
    assert.match(world.comment(), /1 application on 1 cluster/);
    world.host.change('fleet', '1', { state: 'merged' });
    const calls = world.host.calls.length;
    assert.equal(await world.changed(), 'it is not open');
    assert.deepEqual(world.host.calls.slice(calls), ['pullRequest fleet#1']);
    assert.equal(await world.changed('9'), 'nothing is said to it: closed');
  });

  it('of a pinned target says that nothing is applied there, and asks nobody', async () => {
    const { world } = await opened();
    const pointer = await world.produce.pointer('web');
    const pin = { by: 'ada', reason: 'an outage', at: '2026-11-23T11:00:00.000Z' };
    const { state, snapshot, objects, settings, commit } = pointer;
    const held = { state, snapshot, objects, settings, commit };
    const key = keys.desired(pointer.target);
    await world.produce.store.put(key, JSON.stringify({ ...pointer, pin, held }), 'any');
    await world.changed();
    assert.match(world.comment(), /📌 `web` on `prod` is pinned by ada \(an outage\)/);
    assert.match(world.comment(), /\+     "2"/);
    assert.equal(world.questions.length, 0);
  });
});

describe('clusters', () => {
  it('that do not answer cost their own line alone', async () => {
    const both = { 'applications/web.yaml': application('web', { clusters: '{names: [dev, prod]}' }) };
    const world = new PullWorld();
    await world.followed('a', { ...files('1'), ...both });
    world.host.open('fleet', { branch: 'topic', sha: world.proposed('b', { ...files('2'), ...both }) });
    await world.withNamespaces();
    const dead = new MemoryCluster(new ManualClock());
    dead.resources = async () => {
      throw new Retry({ subject: 'cluster dev', message: 'did not answer' });
    };
    world.clusters.set('dev', dead);
    await world.changed();
    assert.equal(world.questions.length, 2);
    assert.deepEqual((await world.answered()).toSorted(), [
      '1 application on 2 clusters',
      '1 application on 2 clusters',
    ]);
    assert.match(world.comment(), /🔌 `dev` could not be asked: cluster dev: did not answer/);
    assert.match(world.comment(), /\| `web` \| `prod` \| 1 \| 0/);
  });

  it('that never answer are told of when their time is over', async () => {
    const { world, head } = await opened();
    await world.changed();
    world.produce.clock.advance(301_000);
    const due = { version: 1 as const, preview: 'due' as const, repository: 'fleet', id: '1', head };
    await previewPull({ kind: 'due', ...due }, world.deps);
    assert.match(world.comment(), /🔌 `prod` did not answer in time/);
  });

  it('are not asked where the configuration says so', async () => {
    const { world } = await opened(new PullWorld(stackWith({ preview: { clusters: false } })));
    await world.changed();
    assert.equal(world.questions.length, 0);
    assert.match(world.comment(), /No cluster was asked: the stack configuration says so/);
  });
});

describe('signatures', () => {
  for (const [what, isSigned] of [
    ['an unsigned commit is rendered, and asks no cluster', false],
    ['a signed commit asks clusters', true],
  ] as const) {
    it(what, async () => {
      const verify = { mode: 'require' as const, sshKeys: ['ssh-ed25519 AAAA ada@example.com'] };
      const { world, head } = await opened(new PullWorld(stackWith({ verify })));
      const { deps } = world;
      // As the adapter does: whoever asks with `verify` is told of a commit without a good signature.
      const { git } = world.produce;
      const strict: typeof deps.git = {
        head: async () => git.head(),
        heads: async (all) => git.heads(all),
        checkout: async (repository, sha) => {
          if (repository.verify !== undefined && !isSigned)
            throw new Stop({ subject: `commit ${sha.slice(0, 7)}`, message: 'is not signed' });
          return git.checkout(repository, sha);
        },
      };
      const look = { kind: 'changed', version: 1, preview: 'look', repository: 'fleet', id: '1' } as const;
      await previewPull(look, { ...deps, git: strict });
      assert.equal(world.status(head), 'success: 1 application on 1 cluster');
      assert.equal(world.questions.length, isSigned ? 1 : 0);
      assert.equal(/not signed as the repository requires/.test(world.comment()), !isSigned);
    });
  }
});

describe('the poll', () => {
  it('asks for those whose head nobody told of, and for nothing else', async () => {
    const { world } = await opened();
    const poll = async () => pollPulls({ ...world.deps, host: world.host });
    assert.equal(await poll(), 'fleet 1');
    assert.deepEqual(world.dues.splice(0), [{ version: 1, preview: 'look', repository: 'fleet', id: '1' }]);
    await world.changed();
    world.host.open('fleet', { branch: 'other', into: 'release' });
    assert.equal(await poll(), 'nothing was missed');
    world.host.fault = new Retry({ subject: 'repository fleet', message: 'is busy' });
    assert.equal(await poll(), 'fleet not asked: repository fleet: is busy');
  });
});

describe('races', () => {
  it('an older head never overwrites a newer one', async () => {
    const { world } = await opened();
    const next = world.proposed('c', files('3'));
    const newer = { head: { branch: 'topic', sha: next, isFork: false } };
    // While the older one is rendered the newer one comes, and is done first.
    let isFirst = true;
    world.produce.git.onHead = async () => {
      if (!isFirst) return;
      isFirst = false;
      world.host.change('fleet', '1', newer);
      await world.changed();
    };
    await world.changed();
    assert.match(world.comment(), /→ `ccccccc`/);
    assert.equal(world.questions.length, 1);
  });

  it('a handler that dies half-way is made up for by its message, which comes again', async () => {
    const { world, head } = await opened();
    world.host.fault = undefined;
    const { deps } = world;
    const dying = {
      ...deps,
      host: { ...hostOf(world), comment: async () => Promise.reject(new Error('killed')) },
    };
    const message = { kind: 'changed', repository: 'fleet', id: '1' } as const;
    const detail = {
      ...message,
      version: 1 as const,
      at: '2026-11-23T12:00:00.000Z',
      deliveryId: 'd',
      provider: 'github',
      action: 'opened' as const,
      head: { branch: 'topic', sha: head },
      base: { branch: 'main' },
    };
    await assert.rejects(previewPull(detail, dying), /killed/);
    assert.equal(world.comment(), '');
    await previewPull(detail, deps);
    assert.match(world.comment(), /1 application on 1 cluster/);
  });
});

function hostOf({ host }: PullWorld) {
  return {
    pullRequest: host.pullRequest.bind(host),
    openPullRequests: host.openPullRequests.bind(host),
    status: host.status.bind(host),
    comment: host.comment.bind(host),
  };
}

describe('a fork', () => {
  it('is not looked at by default, and its status says so', async () => {
    const { world, head } = await opened(undefined, { branch: 'topic', isFork: true });
    assert.match(await world.changed(), /^not previewed/);
    assert.equal(world.status(head), 'success: not previewed: it comes from a fork');
    assert.equal(world.comment(), '');
    assert.deepEqual(
      world.host.calls.filter((call) => call.startsWith('comment')),
      [],
    );
  });

  it('of a commit that is in a pull request of our own says nothing about it', async () => {
    const { world, head } = await opened();
    await world.changed();
    const said = world.status(head);
    const fork = world.host.open('fleet', { branch: 'theirs', into: 'main', sha: head, isFork: true });
    const look = { kind: 'changed', version: 1, preview: 'look', repository: 'fleet', id: fork } as const;
    assert.match(await previewPull(look, world.deps), /the repository itself, which has the say/);
    assert.equal(world.status(head), said);
    // So many came since that the host does not list ours any more.
    for (let other = 0; other < 100; other += 1) world.host.open('fleet', { branch: `other-${other}` });
    world.tips.push(head);
    assert.match(await previewPull(look, world.deps), /^100 or more are open, .* is at the same commit$/);
    assert.equal(world.status(head), said);
  });

  it('gets its status while a hundred and more are open, if no branch of our own is at its commit', async () => {
    const { world, head } = await opened(undefined, { branch: 'topic', isFork: true });
    for (let other = 0; other < 120; other += 1) world.host.open('fleet', { branch: `other-${other}` });
    await world.changed();
    assert.equal(world.status(head), 'success: not previewed: it comes from a fork');
  });

  it('gets its status although the host was busy when it was to be said', async () => {
    const { world, head } = await opened(undefined, { branch: 'topic', isFork: true });
    const busy = async () => {
      throw new Retry({ subject: 'repository fleet', message: 'is busy' });
    };
    const look = { kind: 'changed', version: 1, preview: 'look', repository: 'fleet', id: '1' } as const;
    const failing = { ...world.deps, host: { ...hostOf(world), status: busy } };
    await assert.rejects(previewPull(look, failing), /is busy/);
    await previewPull(look, world.deps);
    assert.match(world.status(head), /^success: not previewed/);
  });

  it('is rendered where the configuration says so, and asks no cluster', async () => {
    const stack = stackWith({ preview: { forks: 'render' } });
    const { world, head } = await opened(new PullWorld(stack), { branch: 'topic', isFork: true });
    await world.changed();
    assert.match(world.comment(), /\+     "2"/);
    assert.match(world.comment(), /No cluster was asked: it comes from a fork/);
    assert.equal(world.status(head), 'success: 1 application on 1 cluster');
    assert.equal(world.questions.length, 0);
  });

  it('reads neither charts, nor other repositories, nor lookups; and fails for it', async () => {
    const stack = stackWith({ preview: { forks: 'render' } });
    stack.repositories.push({ name: 'private', url: 'https://git.example/private.git' });
    const world = new PullWorld(stack);
    await world.followed('a', files('1'));
    const chart = 'chart: {repository: https://charts.example/private, name: web, version: 1.0.0}';
    const head = world.proposed('b', {
      ...files('1'),
      'applications/web.yaml': application('web', { source: `{path: apps/web, ${chart}}` }),
      'applications/api.yaml': application('api', { source: '{repository: private, path: .}' }),
    });
    world.host.open('fleet', { branch: 'topic', sha: head, isFork: true });
    await world.changed();
    assert.match(world.status(head), /^failure: 2 faults/);
    assert.equal(
      world.comment().match(/is not for previews: this pull request comes from a fork/g)?.length,
      2,
    );
  });
});
