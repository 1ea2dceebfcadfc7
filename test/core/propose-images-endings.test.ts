import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { keys } from '../../core/contract/keys.ts';
import { Blocked } from '../../core/errors.ts';
import { updateImages } from '../../core/update-images.ts';
import { MemoryStore } from '../fakes/memory-store.ts';
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

describe('pull requests of images whose pushes failed, or met those of others', () => {
  beforeEach(() => start('repository'));

  it('are credited with what the branch truly held, where a newer one could not be pushed any more', async () => {
    for (const state of ['merged', 'closed'] as const) {
      start('repository');
      await push('shop:1.1.0', 'web:1.1.0');
      git.onPush = () => Promise.reject(new Blocked({ subject: 'repository config', message: 'expired' }));
      const [refused] = await updateImages([{ repository: 'ghcr.io/acme/shop', tag: '1.2.0' }], deps);
      assert.equal(refused?.faults[0]?.message, 'expired');
      git.onPush = async () => undefined;
      if (state === 'merged') git.merge(all, 'main');
      host.change('config', '1', { state });
      await look();
      const { policies } = await memory();
      const { last, rejected } = policies['shop:shop'] ?? {};
      assert.deepEqual(state === 'merged' ? last : rejected, state === 'merged' ? '1.1.0' : ['1.1.0']);
      assert.deepEqual(await open(), [`2 ${all}: Set shop to 1.2.0`], state);
      assert.equal(git.filesOn(all)[shop], kustomization('shop', '1.2.0'));
    }
  });

  it('are credited with what was pushed, though the function died before it could remember that', async () => {
    for (const tag of ['1.2.0', '1.1.0']) {
      start('repository');
      await push('shop:1.1.0');
      const { store } = deps;
      const put = store.put.bind(store);
      let isPushed = false;
      git.onPush = async () => {
        isPushed = true;
      };
      store.put = (...call) => (isPushed ? assert.fail('died') : put(...call));
      await assert.rejects(push('shop:1.2.0'), /died/);
      store.put = put;
      // Closed at what was pushed, or in the moment before.
      const [sha] =
        tag === '1.2.0'
          ? [git.branches.get(all) ?? '']
          : [(await host.pullRequest(world.repository, '1'))?.head.sha ?? ''];
      host.change('config', '1', { state: 'closed', head: { branch: all, sha, isFork: false } });
      world.now += 60_000;
      await look();
      assert.deepEqual((await memory()).policies['shop:shop']?.rejected, [tag]);
      assert.deepEqual(await open(), tag === '1.2.0' ? [] : [`2 ${all}: Set shop to 1.2.0`]);
    }
  });

  it('are rejected by a closing that came between our look and our push', async () => {
    await push('shop:1.1.0', 'web:1.1.0');
    git.onPush = async () => {
      git.onPush = async () => undefined;
      host.change('config', '1', { state: 'closed' });
    };
    await push('web:1.2.0');
    const { policies } = await memory();
    assert.deepEqual(
      [policies['shop:shop']?.rejected, policies['web:web']?.rejected],
      [['1.1.0'], ['1.1.0']],
    );
    assert.deepEqual(await open(), [`2 ${all}: Set web to 1.2.0`]);
    assert.equal(git.filesOn(all)[shop], kustomization('shop', '1.0.0'));
  });

  it('stand on branches of one installation: another has its own, and of the same name it pushes over nothing', async () => {
    const other = { ...deps, store: new MemoryStore() };
    const pushed = [{ repository: 'ghcr.io/acme/shop', tag: '1.1.0' }];
    await updateImages(pushed, deps);
    const theirs = git.branches.get(all);
    world.now += 60_000;
    await updateImages(pushed, other);
    assert.deepEqual([git.branches.get(all), git.pushes], [theirs, 1], 'the same is not pushed again');
    await updateImages([{ repository: 'ghcr.io/acme/web', tag: '1.1.0' }], deps);
    for (let round = 0; round < 3; round += 1) {
      world.now += 60_000;
      const [outcome] = await updateImages([{ repository: 'ghcr.io/acme/shop', tag: '1.2.0' }], other);
      assert.match(outcome?.left[0]?.reason ?? '', /somebody pushed to/);
      await look();
    }
    assert.equal(git.pushes, 2);
    assert.equal(git.filesOn(all)[web], kustomization('web', '1.1.0'));
    await updateImages(pushed, {
      ...other,
      store: new MemoryStore(),
      config: { ...deps.config, fleet: 'west' },
    });
    assert.ok(git.branches.has('trueup/images/west/config/all'));
  });

  it('leave alone what a person pushed to the branch after it was merged', async () => {
    await push('shop:1.1.0');
    git.merge(all, 'main');
    host.change('config', '1', { state: 'merged' });
    await look();
    const theirs = git.edit(all, { 'notes.md': 'mine' });
    const outcome = await push('shop:1.2.0');
    assert.match(outcome?.left[0]?.reason ?? '', /somebody pushed to .*; delete it/);
    assert.equal(git.branches.get(all), theirs);
    git.branches.delete(all);
    await look();
    assert.deepEqual(await open(), [`2 ${all}: Set shop to 1.2.0`]);
  });

  it('wait once each for a branch that a person pushed to, whatever number of looks finds the checkout faulty', async () => {
    await push('shop:1.1.0', 'web:1.1.0');
    git.edit(all, { 'notes.md': 'mine' });
    const broken = application('shop').replace('range: 1.x', 'range: "no range"');
    git.edit('main', { 'applications/shop.yaml': broken });
    for (let round = 0; round < 3; round += 1) await updateImages([], deps);
    await updateImages([{ repository: 'ghcr.io/acme/web', tag: '1.2.0' }], deps);
    await updateImages([], deps);
    const { images = [], waiting = [] } = (await memory()).proposals?.[all] ?? {};
    const told = [images, waiting].map((some) => some.map(({ policy, tag }) => `${policy} ${tag}`));
    assert.deepEqual(told, [['shop:shop 1.1.0', 'web:web 1.1.0'], ['web:web 1.2.0']]);
  });

  it('are known still where the version before ours proposed them from a branch of its own', async () => {
    for (const state of ['closed', 'open'] as const) {
      start('repository');
      const branch = 'trueup/images/config/all';
      const sha = git.edit(branch, { [shop]: kustomization('shop', '1.1.0') });
      const id = host.open('config', { branch, sha });
      host.change('config', id, { state });
      const image = { policy: 'shop:shop', repository: 'ghcr.io/acme/shop', tag: '1.1.0', rejects: '1.1.0' };
      const proposals = { [branch]: { images: [image], content: 'x', sha, pullRequest: id } };
      const former = { version: 1, seq: 3, repository: 'config', policies: {}, proposals };
      await deps.store.put(keys.images('config'), JSON.stringify(former), 'absent');
      await look();
      const { policies } = await memory();
      assert.deepEqual(policies['shop:shop']?.rejected ?? [], state === 'closed' ? ['1.1.0'] : []);
      assert.deepEqual(await open(), state === 'closed' ? [] : [`2 ${all}: Set shop to 1.1.0`], 'not both');
    }
  });

  it('one branch that is refused leaves what is known of the others', async () => {
    start('application');
    git.onPush = (branch) =>
      branch.endsWith('web')
        ? Promise.reject(new Blocked({ subject: 'repository config', message: 'protected' }))
        : Promise.resolve();
    await updateImages(
      [
        { repository: 'ghcr.io/acme/shop', tag: '1.1.0' },
        { repository: 'ghcr.io/acme/web', tag: '1.1.0' },
      ],
      deps,
    );
    git.onPush = async () => undefined;
    await look();
    assert.deepEqual([(await open()).length, git.pushes], [2, 2]);
  });
});
