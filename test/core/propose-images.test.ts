import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { Blocked } from '../../core/errors.ts';
import { updateImages } from '../../core/update-images.ts';
import { MemoryGitHost } from '../memory-git-host.ts';
import { ProposingWorld, all, application, kustomization, shop, web } from './proposing-world.ts';

let world: ProposingWorld;
let git: ProposingWorld['git'];
let host: ProposingWorld['host'];
let deps: ProposingWorld['deps'];

function start(...how: ConstructorParameters<typeof ProposingWorld>): void {
  world = new ProposingWorld(...how);
  ({ git, host, deps } = world);
}
const push = (...images: readonly string[]) => world.push(...images);
const look = () => world.push();
const open = () => world.open();
const memory = () => world.memory();

describe('images proposed by one pull request', () => {
  beforeEach(() => start('repository', ['dependencies']));

  it('stand on one branch, a commit on top of the tracked one, whose text says what they are', async () => {
    const digest = `sha256:${'ab'.repeat(32)}`;
    world.registries.push('ghcr.io/acme/shop', '1.1.0', {
      digest,
      created: '2026-11-23T10:00:00.000Z',
      source: 'https://github.com/acme/shop',
      revision: '3f2a9c1',
    });
    await push('shop:1.1.0', 'web:1.1.0');
    assert.deepEqual(await open(), [`1 ${all}: Set shop to 1.1.0, and 1 other`]);
    assert.deepEqual(
      [git.filesOn(all)[shop], git.filesOn(all)[web]],
      [kustomization('shop', '1.1.0'), kustomization('web', '1.1.0')],
    );
    assert.equal(git.filesOn('main')[shop], kustomization('shop', '1.0.0'));
    assert.equal(
      git.messageOn(all),
      `Set shop to 1.1.0, and 1 other

${shop}:3 (shop:shop): 1.0.0 -> 1.1.0
${web}:3 (web:web): 1.0.0 -> 1.1.0

Image: ghcr.io/acme/shop:1.1.0@${digest}
Built: 2026-11-23T10:00:00.000Z
Source: https://github.com/acme/shop at 3f2a9c1
Image: ghcr.io/acme/web:1.1.0`,
    );
    const body = host.bodyOf('config', '1');
    assert.match(
      body,
      /\| `ghcr\.io\/acme\/shop:1\.1\.0@sha256:[ab]+` \| 2026-11-23T10:00:00\.000Z \| https:\/\/github\.com\/acme\/shop at `3f2a9c1` \|/,
    );
    assert.match(body, /\| `apps\/web\/kustomization\.yaml:3` \| `web:web` \| `1\.0\.0` \| `1\.1\.0` \|/);
    const pull = await host.pullRequest(world.repository, '1');
    assert.deepEqual([pull?.labels, pull?.base.branch], [['dependencies'], 'main']);
  });

  it('are kept current: newer images replace the commit, the others stay in it', async () => {
    await push('shop:1.1.0');
    await push('web:1.1.0');
    await push('shop:1.2.0');
    assert.deepEqual(await open(), [`1 ${all}: Set shop to 1.2.0, and 1 other`]);
    assert.deepEqual(
      [git.filesOn(all)[shop], git.filesOn(all)[web]],
      [kustomization('shop', '1.2.0'), kustomization('web', '1.1.0')],
    );
  });

  it('are not pushed again by doubled events, by a look, or when others commit elsewhere', async () => {
    await push('shop:1.1.0');
    git.edit('main', { 'README.md': 'new' });
    await push('shop:1.1.0');
    await look();
    assert.equal(git.pushes, 1);
    // The same file: else the pull request could not be merged.
    git.edit('main', { [shop]: `# ours\n${kustomization('shop', '1.0.0')}` });
    await look();
    assert.equal(git.pushes, 2);
    assert.equal(git.filesOn(all)[shop], `# ours\n${kustomization('shop', '1.1.0')}`);
  });

  it('are rejected by closing it: not proposed again, newer ones are', async () => {
    await push('shop:1.1.0', 'web:1.1.0');
    host.change('config', '1', { state: 'closed' });
    await look();
    const again = await push('shop:1.1.0');
    assert.match(again?.left[0]?.reason ?? '', /a person took 1\.1\.0 back/);
    assert.deepEqual(await open(), []);
    await push('shop:1.1.1');
    assert.deepEqual(await open(), [`2 ${all}: Set shop to 1.1.1`]);
    const { policies } = await memory();
    assert.deepEqual(
      [policies['shop:shop']?.rejected, policies['web:web']?.rejected],
      [['1.1.0'], ['1.1.0']],
    );
  });

  it('are rejected as well when the next event comes before the word of the closing', async () => {
    await push('shop:1.1.0');
    host.change('config', '1', { state: 'closed' });
    await push('shop:1.1.0');
    assert.deepEqual(await open(), []);
  });

  it('are done once it is merged, and what is taken back after that is not proposed again', async () => {
    await push('shop:1.1.0');
    git.merge(all, 'main');
    host.change('config', '1', { state: 'merged' });
    await look();
    const { proposals, policies } = await memory();
    assert.deepEqual([proposals, policies['shop:shop']?.last], [{}, '1.1.0']);
    git.edit('main', { [shop]: kustomization('shop', '1.0.0') });
    const again = await push('shop:1.1.0');
    assert.match(again?.left[0]?.reason ?? '', /a person took 1\.1\.0 back/);
    assert.deepEqual(await open(), []);
  });

  it('have it closed by us where nothing is left to change, which rejects nothing', async () => {
    await push('shop:1.1.0');
    git.edit('main', { [shop]: kustomization('shop', '1.1.0') });
    await look();
    assert.equal((await host.pullRequest(world.repository, '1'))?.state, 'closed');
    await look();
    const { proposals, policies } = await memory();
    assert.deepEqual([proposals, policies['shop:shop']?.rejected], [{}, []]);
  });

  it('leave a branch alone that a person pushed to, until it is merged or deleted', async () => {
    await push('shop:1.1.0');
    const theirs = git.edit(all, { 'notes.md': 'wait' });
    host.change('config', '1', { head: { branch: all, sha: theirs, isFork: false } });
    const outcome = await push('shop:1.2.0');
    assert.match(
      outcome?.left[0]?.reason ?? '',
      /somebody pushed to trueup\/images\/default\/config\/all; merge https.*, or close it and delete the branch/,
    );
    assert.equal(git.branches.get(all), theirs);
    // Merged, it brings what it held; what waited is proposed then.
    git.merge(all, 'main');
    host.change('config', '1', { state: 'merged' });
    await look();
    assert.deepEqual(await open(), [`2 ${all}: Set shop to 1.2.0`]);
    assert.equal((await memory()).policies['shop:shop']?.last, '1.1.0');
    const again = git.edit(all, { 'notes.md': 'wait' });
    host.change('config', '2', { head: { branch: all, sha: again, isFork: false } });
    await push('shop:1.3.0');
    host.change('config', '2', { state: 'closed' });
    // Closed, it stands nowhere else: it waits for the branch to go.
    const closed = await look();
    assert.match(closed?.left[0]?.reason ?? '', /somebody pushed to .*; delete it/);
    assert.deepEqual([git.branches.get(all), await open()], [again, []]);
    git.branches.delete(all);
    await look();
    assert.deepEqual(await open(), [`3 ${all}: Set shop to 1.3.0`]);
    assert.deepEqual((await memory()).policies['shop:shop']?.rejected, ['1.2.0']);
  });

  it('stay as they are while the checkout is faulty, and others go on', async () => {
    await push('shop:1.1.0');
    git.edit('main', { [shop]: 'images:\n  - name: a\n   newTag: b\n' });
    for (const tag of ['1.0.5', '1.1.0']) {
      const [outcome] = await updateImages([{ repository: 'ghcr.io/acme/web', tag }], deps);
      assert.match(outcome?.faults[0]?.subject ?? '', /apps\/shop\/kustomization\.yaml:3/);
    }
    assert.deepEqual(await open(), [`1 ${all}: Set web to 1.1.0`]);
    git.edit('main', { [shop]: kustomization('shop', '1.0.0') });
    await look();
    assert.deepEqual(await open(), [`1 ${all}: Set shop to 1.1.0, and 1 other`]);
    git.edit('main', {
      [shop]: 'images:\n  - name: a\n   newTag: b\n',
      [web]: kustomization('web', '1.1.0'),
    });
    await updateImages([], deps);
    assert.equal((await open()).length, 1, 'what is not understood is not closed');
  });

  it('two at once: both are in it, whoever pushes first', async () => {
    let other: Promise<unknown> | undefined;
    git.onPush = async () => {
      git.onPush = async () => undefined;
      other = push('web:1.1.0');
      await other;
    };
    await push('shop:1.1.0');
    await other;
    assert.deepEqual(
      [git.filesOn(all)[shop], git.filesOn(all)[web]],
      [kustomization('shop', '1.1.0'), kustomization('web', '1.1.0')],
    );
    assert.deepEqual(await open(), [`1 ${all}: Set shop to 1.1.0, and 1 other`]);
  });

  it('whatever line a function dies at, the next look finishes', async () => {
    for (const dies of ['push', 'propose'] as const) {
      start('repository');
      const propose: MemoryGitHost['propose'] = (...call) =>
        MemoryGitHost.prototype.propose.call(host, ...call);
      if (dies === 'push') git.onPush = async () => assert.fail('died');
      else host.propose = async () => assert.fail('died');
      await assert.rejects(push('shop:1.1.0'), /died/);
      git.onPush = async () => undefined;
      host.propose = propose;
      await push('shop:1.1.0');
      await look();
      assert.deepEqual(await open(), [`1 ${all}: Set shop to 1.1.0`], dies);
      assert.equal(git.pushes, 1);
    }
  });

  it('leave a branch alone that a person pushed to before its pull request was opened', async () => {
    host.fault = new Blocked({ subject: 'repository config', message: 'may not' });
    await updateImages([{ repository: 'ghcr.io/acme/shop', tag: '1.1.0' }], deps);
    const theirs = git.edit(all, { 'notes.md': 'mine' });
    Reflect.deleteProperty(host, 'fault');
    const outcome = await push('shop:1.2.0');
    assert.match(outcome?.left[0]?.reason ?? '', /somebody pushed to .*; delete it/);
    assert.equal(git.branches.get(all), theirs);
  });

  it('a host that refuses is told of, and nothing is pushed again meanwhile', async () => {
    await push('shop:1.1.0');
    host.fault = new Blocked({ subject: 'repository config', message: 'may not' });
    const [outcome] = await updateImages([{ repository: 'ghcr.io/acme/shop', tag: '1.2.0' }], deps);
    assert.equal(outcome?.faults[0]?.message, 'may not');
    assert.equal(git.pushes, 1);
  });
});

describe('images proposed by a pull request for each application', () => {
  beforeEach(() => start('application'));

  it('stand on branches of their own, each with its own changes', async () => {
    await push('shop:1.1.0', 'web:1.1.0');
    assert.deepEqual((await open()).toSorted(), [
      '1 trueup/images/default/config/application/shop: Set shop to 1.1.0',
      '2 trueup/images/default/config/application/web: Set web to 1.1.0',
    ]);
    const own = git.filesOn('trueup/images/default/config/application/web');
    assert.deepEqual([own[shop], own[web]], [kustomization('shop', '1.0.0'), kustomization('web', '1.1.0')]);
    host.change('config', '1', { state: 'closed' });
    await push('shop:1.1.0', 'web:1.2.0');
    assert.deepEqual(await open(), ['2 trueup/images/default/config/application/web: Set web to 1.2.0']);
  });
});

describe('a tag that moves', () => {
  it('is rejected by its digest, and followed still', async () => {
    start('repository');
    const [one, two, three] = ['1', '2', '3'].map((digit) => `sha256:${digit.repeat(64)}`);
    const pinned = (digest: string | undefined) =>
      `images:\n  - name: ghcr.io/acme/shop\n    newTag: main\n    digest: ${digest}\n`;
    const policy = application('shop', ', digest: always').replace('{semver: {range: 1.x}}', '{newest: {}}');
    git.edit('main', { 'applications/shop.yaml': policy, [shop]: pinned(one) });
    const moved = async (digest = '') =>
      updateImages([{ repository: 'ghcr.io/acme/shop', tag: 'main', digest }], deps);
    await moved(two);
    assert.equal(git.filesOn(all)[shop], pinned(two));
    host.change('config', '1', { state: 'closed' });
    await moved(two);
    assert.deepEqual(await open(), []);
    await moved(three);
    assert.equal(git.filesOn(all)[shop], pinned(three));
    assert.equal((await open()).length, 1);
  });
});
