import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { StackConfigInput } from '../../../core/contract/config.ts';
import { keys } from '../../../core/contract/keys.ts';
import type { Git } from '../../../core/ports.ts';
import { produce, type ProduceDeps } from '../../../core/produce.ts';
import { decodeSnapshot } from '../../../core/snapshot.ts';
import { MemoryGit } from '../../fakes/memory-git.ts';
import type { Files } from '../../fakes/memory-worktree.ts';
import { ProduceWorld, application, configMap } from './world.ts';

const config: StackConfigInput = {
  repositories: [
    { name: 'fleet', url: 'https://git.example/fleet.git' },
    { name: 'shop', url: 'https://git.example/shop.git' },
  ],
  clusters: [{ name: 'prod', access: { type: 'eks', name: 'x' } }],
};

/** Applications in `fleet`, of which some have their folders in `shop`. */
const fleet = {
  'applications/web.yaml': application('web', { source: '{repository: shop, path: deploy/web}' }),
  'applications/api.yaml': application('api', { source: '{repository: shop, path: deploy/api}' }),
  'applications/own.yaml': application('own', { source: '{repository: fleet, path: apps/own}' }),
  'apps/own/a.yaml': configMap('own', '1'),
};
const shop = { 'deploy/web/a.yaml': configMap('web', '1'), 'deploy/api/a.yaml': configMap('api', '1') };

class TwoRepositories {
  readonly world = new ProduceWorld();
  readonly shop = new MemoryGit();
  readonly #rendered = new Set<string>();
  readonly #deps: ProduceDeps;

  constructor() {
    const { world } = this;
    const of = (name: string) => (name === 'shop' ? this.shop : world.git);
    const git: Git = {
      head: (repository) => of(repository.name).head(),
      heads: (repositories) => of(repositories[0]?.name ?? '').heads(repositories),
      checkout: (repository, sha) => of(repository.name).checkout(repository, sha),
    };
    this.#deps = { ...world.deps(config), git };
    const get = world.store.get.bind(world.store);
    world.store.get = async (key) => {
      const [folder, name = ''] = key.split('/');
      if (folder === 'snapshots') this.#rendered.add(name);
      return get(key);
    };
  }

  /** A push to one of them, and all pushes that follow from it: which applications were rendered. */
  async push(repository: 'fleet' | 'shop', digit: string, files: Files): Promise<string[]> {
    const git = repository === 'shop' ? this.shop : this.world.git;
    const before = git.current;
    const event = await this.world.pushed(git.push(digit, files), before, repository);
    this.#rendered.clear();
    await produce(event, 1, this.#deps);
    for (const one of this.world.bus.events.splice(0)) {
      if (one.type === 'PushReceived') await produce(one.detail, 1, this.#deps);
    }
    return [...this.#rendered].sort();
  }

  async snapshot(name: string) {
    const { snapshot } = await this.world.pointer(name);
    return decodeSnapshot(snapshot, (await this.world.store.get(keys.snapshot(name, snapshot)))?.text ?? '');
  }
}

async function begin(): Promise<TwoRepositories> {
  const world = new TwoRepositories();
  await world.push('shop', 'a', shop);
  assert.deepEqual(await world.push('fleet', 'b', fleet), ['api', 'own', 'web']);
  return world;
}

test('a folder of another repository is rendered at its head, and both commits are known', async () => {
  const world = await begin();
  const { objects, provenance } = await world.snapshot('web');
  assert.deepEqual(objects[0]?.['data'], { value: '1' });
  assert.deepEqual(provenance.sources, [{ repository: 'shop', sha: 'a'.repeat(40) }]);
  assert.equal(provenance.commit.repository, 'fleet');
  assert.equal((await world.world.pointer('web')).repository, 'fleet');
});

test('a folder of its own repository, although named, is one like any other', async () => {
  const world = await begin();
  const { provenance } = await world.snapshot('own');
  assert.equal(provenance.sources, undefined);
});

test('a push there renders the applications whose folder changed, and no others', async () => {
  const world = await begin();
  const changed = { ...shop, 'deploy/web/a.yaml': configMap('web', '2') };
  assert.deepEqual(await world.push('shop', 'c', changed), ['web']);
  assert.deepEqual((await world.snapshot('web')).objects[0]?.['data'], { value: '2' });
  const { revision, commit } = await world.world.pointer('web');
  assert.deepEqual([revision, commit.sha], [2, 'b'.repeat(40)]);
  assert.deepEqual(await world.push('shop', 'd', { ...changed, 'src/main.c': '' }), []);
  assert.deepEqual(await world.push('fleet', 'e', { ...fleet, 'README.md': '' }), []);
});

test('a folder that is gone there fails its application, keeps its objects, and leaves the others alone', async () => {
  const world = await begin();
  const { 'deploy/web/a.yaml': _gone, ...rest } = shop;
  await world.push('shop', 'c', { ...rest, 'deploy/api/a.yaml': configMap('api', '2') });
  const web = await world.world.pointer('web');
  assert.equal(web.state, 'present');
  assert.equal(web.revision, 1);
  assert.match(web.failed?.faults[0]?.message ?? '', /no such folder|holds no/);
  assert.equal((await world.world.pointer('api')).revision, 2);
  await world.push('shop', 'd', shop);
  assert.equal((await world.world.pointer('web')).failed, undefined);
});

test('while the other repository has no such branch, what is there fails, and the rest goes on', async () => {
  const world = await begin();
  world.shop.current = undefined;
  await world.push('fleet', 'c', { ...fleet, 'apps/own/a.yaml': configMap('own', '2') });
  assert.match(
    (await world.world.pointer('web')).failed?.faults[0]?.message ?? '',
    /has no refs\/heads\/main/,
  );
  assert.equal((await world.world.pointer('own')).revision, 2);
});

test('a repository that is not configured is a fault with its place', async () => {
  const world = await begin();
  const file = application('web', { source: '{repository: nowhere, path: deploy/web}' });
  await world.push('fleet', 'c', { ...fleet, 'applications/web.yaml': file });
  const { failed } = await world.world.pointer('web');
  const [fault] = failed?.faults ?? [];
  assert.match(fault?.subject ?? '', /^applications\/web\.yaml:\d+$/);
  assert.match(fault?.message ?? '', /spec\.source\.repository: repository "nowhere" is not in the stack/);
});
