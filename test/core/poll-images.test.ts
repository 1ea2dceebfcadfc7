import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { parseStackConfig, type StackConfigInput } from '../../core/contract/config.ts';
import { keys } from '../../core/contract/keys.ts';
import { Blocked, Retry } from '../../core/errors.ts';
import { pollImages } from '../../core/poll-images.ts';
import { updateImages, type UpdateImagesDeps } from '../../core/update-images.ts';
import { MemoryRegistries } from '../fakes/memory-registries.ts';
import { MemoryRepository } from '../fakes/memory-repository.ts';
import { MemoryStore } from '../fakes/memory-store.ts';
import { MemoryGitHost } from '../memory-git-host.ts';

const image = 'ghcr.io/acme/shop';
const file = 'apps/shop/kustomization.yaml';
const digests = new Map<string, string>();
const digestOf = (tag: string) => {
  const known = digests.get(tag) ?? `sha256:${String(digests.size).padStart(64, '0')}`;
  digests.set(tag, known);
  return known;
};

let git: MemoryRepository;
let registries: MemoryRegistries;
let deps: UpdateImagesDeps;
let host: MemoryGitHost;
let now = 0;

function start(
  policy: string,
  tag: string,
  images: StackConfigInput['repositories'][number]['images'] = {},
): void {
  now = Date.parse('2026-11-23T12:00:00Z');
  git = new MemoryRepository();
  registries = new MemoryRegistries();
  git.edit('main', {
    'applications/shop.yaml': `apiVersion: trueup.dev/v1
kind: Application
metadata: {name: shop}
spec:
  source: {path: apps/shop}
  clusters: {names: [prod]}
  namespace: shop
  images:
    - {image: ${image}, ${policy}}
`,
    [file]: `images:\n  - name: ${image}\n    newTag: ${tag}\n`,
  });
  host = new MemoryGitHost();
  host.headOf = (branch) => git.branches.get(branch) ?? '';
  deps = {
    store: new MemoryStore(),
    git,
    writer: git,
    host,
    registries,
    clock: {
      now: () => now,
      // Longer waits are those for registries, which answer at once.
      sleep: (ms) => (ms > 2_000 ? new Promise(() => undefined) : Promise.resolve()),
    },
    config: parseStackConfig({
      repositories: [{ name: 'config', url: 'https://git.example/config.git', images }],
      clusters: [{ name: 'prod', access: { type: 'eks', name: 'prod' } }],
    }),
  };
}

const there = (tag: string, created?: string) =>
  registries.push(image, tag, { digest: digestOf(tag), ...(created !== undefined && { created }) });
const poll = async () => {
  now += 900_000;
  return pollImages(deps);
};
const standing = (branch = 'main') => /newTag: (.*)/.exec(git.filesOn(branch)[file] ?? '')?.[1];

describe('registries asked for what nobody told of', () => {
  beforeEach(() => start('policy: {semver: {range: 1.x}}', '1.0.0'));

  it('the highest version that the policy follows is written, once', async () => {
    for (const tag of ['1.0.0', '1.10.0', '1.9.0', '2.0.0', 'latest']) there(tag);
    const { told } = await poll();
    assert.deepEqual([standing(), told], ['1.10.0', [`missed: ${image}:1.10.0`]]);
    assert.deepEqual([(await poll()).told, git.pushes], [[], 1]);
  });

  it('where all is as it should be, a registry is asked for its tags and nothing else', async () => {
    there('1.0.0');
    await poll();
    assert.deepEqual(registries.asked, [`${image} tags`]);
  });

  it('what a person took back stays back', async () => {
    there('1.1.0');
    await poll();
    git.edit('main', { [file]: `images:\n  - name: ${image}\n    newTag: 1.0.0\n` });
    await poll();
    await poll();
    assert.deepEqual([standing(), git.pushes], ['1.0.0', 1]);
    there('1.1.1');
    await poll();
    assert.equal(standing(), '1.1.1');
  });

  it('a registry that does not answer, or is not declared, is left alone, and told of', async () => {
    assert.deepEqual((await poll()).told, [], 'it is not declared');
    registries.fault = new Retry({ subject: 'registry ghcr.io', message: 'answered 429' });
    assert.deepEqual((await poll()).told, [`config: ${image}: not asked: registry ghcr.io: answered 429`]);
    registries.fault = undefined;
    there('1.1.0');
    await poll();
    assert.equal(standing(), '1.1.0');
  });

  it('has no more than its time, and the next poll goes on where it stopped', async () => {
    const names = ['a', 'b', 'c', 'd', 'e'];
    const policies = names.map(
      (name) => `    - {image: ghcr.io/acme/${name}, policy: {semver: {range: 1.x}}}\n`,
    );
    const text = git.filesOn('main')['applications/shop.yaml'] ?? '';
    const own = names.map((name) => `  - name: ghcr.io/acme/${name}\n    newTag: 1.0.0\n`);
    git.edit('main', {
      'applications/shop.yaml': text.replace(/ {4}- .*\n/, policies.join('')),
      [file]: `images:\n${own.join('')}`,
    });
    for (const name of names) registries.push(`ghcr.io/acme/${name}`, '1.1.0', { digest: digestOf(name) });
    const ask = registries.tags.bind(registries);
    registries.tags = (one) => {
      now += 50_000;
      return ask(one);
    };
    const { told } = await poll();
    assert.deepEqual(told, [
      'config: 2 of 5 images are left for the next poll',
      `missed: ${['a', 'b', 'c'].map((name) => `ghcr.io/acme/${name}:1.1.0`).join(', ')}`,
    ]);
    await poll();
    assert.doesNotMatch(git.filesOn('main')[file] ?? '', /1\.0\.0/);
    assert.deepEqual(
      registries.asked.flatMap((question) => /acme.(.) tags/.exec(question)?.[1] ?? []),
      ['a', 'b', 'c', 'd', 'e', 'a'],
    );
  });

  it('one faulty policy of an image leaves the others of the same image theirs', async () => {
    const text = git.filesOn('main')['applications/shop.yaml'] ?? '';
    git.edit('main', {
      'applications/aaa.yaml': text.replace('{name: shop}', '{name: aaa}').replace('1.x', '"no range"'),
    });
    there('1.1.0');
    const { told } = await poll();
    assert.deepEqual(
      [standing(), told],
      [
        '1.1.0',
        [
          'config: aaa:shop: not looked at: aaa:shop: "no range" is no range of versions; write one such as ">=1.2 <2"',
          `missed: ${image}:1.1.0`,
        ],
      ],
    );
  });

  it('where one repository is refused for a while, the next poll of the others goes on where it stopped', async () => {
    const names = ['b0', 'b1', 'b2', 'b3', 'b4'];
    const text = git.filesOn('main')['applications/shop.yaml'] ?? '';
    const policies = names.map((name) => `    - {image: ghcr.io/acme/${name}, policy: {newest: {}}}\n`);
    const own = names.map((name) => `  - name: ghcr.io/acme/${name}\n    newTag: main-0\n`);
    const many = new MemoryRepository();
    many.edit('main', {
      'applications/shop.yaml': text.replace(/ {4}- .*\n/, policies.join('')),
      [file]: `images:\n${own.join('')}`,
    });
    for (const name of names) registries.push(`ghcr.io/acme/${name}`, 'main-0', { digest: digestOf(name) });
    there('1.1.0');
    const of = ({ name }: { readonly name: string }) => (name === 'many' ? many : git);
    const { config: before } = deps;
    const [repository] = before.repositories;
    assert.ok(repository !== undefined);
    deps = {
      ...deps,
      git: {
        head: (one) => of(one).head(one),
        heads: (all) => git.heads(all),
        checkout: (one, sha) => of(one).checkout(one, sha),
      },
      config: { ...before, repositories: [repository, { ...repository, name: 'many' }] },
    };
    git.onPush = () => Promise.reject(new Retry({ subject: 'repository config', message: 'is locked' }));
    const ask = registries.tags.bind(registries);
    registries.tags = (one) => {
      now += 50_000;
      return ask(one);
    };
    for (let round = 0; round < 4; round += 1) await assert.rejects(poll(), /is locked/);
    const asked = new Set(registries.asked.flatMap((question) => /(b\d+) tags/.exec(question)?.[1] ?? []));
    assert.equal(asked.size, names.length);
    const seen = (await deps.store.get(keys.imageTags('many')))?.text ?? '';
    assert.match(seen, /"shop:b4":\["main-0"\]/);
    assert.doesNotMatch((await deps.store.get(keys.imageTags('config')))?.text ?? '', /1\.1\.0/);
  });

  it('proposes where that is asked for, and tells of it once', async () => {
    start('policy: {semver: {range: 1.x}}', '1.0.0', { pullRequest: {} });
    there('1.1.0');
    assert.deepEqual((await poll()).told, [`missed: ${image}:1.1.0`]);
    assert.deepEqual([(await poll()).told, git.pushes], [[], 1]);
    assert.deepEqual([standing(), standing('trueup/images/default/config/all')], ['1.0.0', '1.1.0']);
  });
});

describe('images that a person took back', () => {
  it('stay back where a tag that moves is pinned', async () => {
    start("policy: {newest: {}}, filter: {pattern: '^main$'}, digest: always", 'main');
    const pin = (to: string) =>
      `images:\n  - name: ${image}\n    newTag: main\n    digest: ${digestOf(to)}\n`;
    git.edit('main', { [file]: pin('one') });
    registries.push(image, 'main', { digest: digestOf('two') });
    await poll();
    assert.equal(git.filesOn('main')[file], pin('two'));
    git.edit('main', { [file]: pin('one') });
    await poll();
    await poll();
    assert.deepEqual([git.filesOn('main')[file], git.pushes], [pin('one'), 1]);
    registries.push(image, 'main', { digest: digestOf('three') });
    await poll();
    assert.equal(git.filesOn('main')[file], pin('three'));
  });

  it('stay back in one of two places, and rejected by closing what proposed them for one', async () => {
    const prod = 'apps/shop/prod.yaml';
    const marked = (tag: string) => `tag: ${tag} # {"$imagepolicy": "shop:shop:tag"}\n`;
    start('policy: {semver: {range: 1.x}}', '1.0.0');
    git.edit('main', { [prod]: marked('1.0.0') });
    there('1.1.0');
    await poll();
    git.edit('main', { [prod]: marked('1.0.0') });
    await poll();
    await poll();
    assert.deepEqual([standing(), git.filesOn('main')[prod], git.pushes], ['1.1.0', marked('1.0.0'), 1]);
    start('policy: {semver: {range: 1.x}}', '1.1.0', { pullRequest: {} });
    git.edit('main', { [prod]: marked('1.0.0') });
    there('1.1.0');
    await poll();
    host.change('config', '1', { state: 'closed' });
    await poll();
    await poll();
    assert.equal(git.pushes, 1);
  });
});

describe('the newest of a registry that tells no order', () => {
  beforeEach(() => start("policy: {newest: {}}, filter: {pattern: '^main-'}", 'main-a'));

  it('is the one built last of those that came since the last look', async () => {
    there('main-a', '2026-11-23T10:00:00.000Z');
    there('main-z', '2026-11-23T09:00:00.000Z');
    there('other', '2026-11-23T11:00:00.000Z');
    await poll();
    assert.equal(standing(), 'main-a');
    there('main-c', '2026-11-23T12:00:00.000Z');
    there('main-b', '2026-11-23T13:00:00.000Z');
    await poll();
    assert.equal(standing(), 'main-b');
    const asked = registries.asked.length;
    await poll();
    assert.equal(registries.asked.length, asked + 1, 'tags alone');
  });

  it('is looked at again where it could not be written', async () => {
    start("policy: {newest: {}}, filter: {pattern: '^main-'}", 'main-0');
    there('main-0');
    await poll();
    there('main-1', '2026-11-23T11:00:00.000Z');
    git.onPush = () => Promise.reject(new Blocked({ subject: 'repository config', message: 'expired' }));
    await updateImages([{ repository: image, tag: 'main-1', at: '2026-11-23T12:20:00.000Z' }], deps);
    await poll();
    git.onPush = () => Promise.resolve();
    await poll();
    assert.equal(standing(), 'main-1');
  });

  it('was told of already where the event came', async () => {
    there('main-a', '2026-11-23T10:00:00.000Z');
    await poll();
    there('main-b', '2026-11-23T11:00:00.000Z');
    await updateImages([{ repository: image, tag: 'main-b', at: '2026-11-23T12:20:00.000Z' }], deps);
    await poll();
    assert.deepEqual([standing(), git.pushes], ['main-b', 1]);
  });

  it('stays what was written last where a function remembers an earlier one late', async () => {
    const event = (tag: string, minute: number) =>
      updateImages([{ repository: image, tag, at: `2026-11-23T12:${minute}:00.000Z` }], deps);
    const { store } = deps;
    const put = store.put.bind(store);
    store.put = async (...call) => {
      store.put = put;
      await event('main-3', 30);
      return put(...call);
    };
    await event('main-1', 10);
    await event('main-2', 20);
    assert.deepEqual([standing(), git.pushes], ['main-3', 2]);
  });

  it('is what was pushed last by events, whatever was built when and in whatever order tags are listed', async () => {
    const event = async (tag: string, minutes: number) => {
      const at = new Date(now + minutes * 60_000).toISOString();
      const [outcome] = await updateImages([{ repository: image, tag, at }], deps);
      assert.deepEqual(outcome?.faults, []);
    };
    for (const built of [undefined, '2026-11-23T11:00:00.000Z']) {
      start("policy: {newest: {}}, filter: {pattern: '^main-'}", 'main-0');
      there('main-0');
      await poll();
      there('main-a', built && '2026-11-20T11:00:00.000Z');
      there('main-f', built);
      await event('main-f', 1);
      await event('main-a', 2);
      await poll();
      await poll();
      assert.deepEqual([standing(), git.pushes], ['main-a', 2], built);
    }
    // One that no event told of may have been pushed before: it is taken where it was built later, and where that is known.
    there('main-b');
    there('main-c', '2026-11-21T11:00:00.000Z');
    await event('main-d', 3);
    there('main-d', '2026-11-22T11:00:00.000Z');
    await poll();
    assert.equal(standing(), 'main-d');
    there('main-e');
    await poll();
    assert.equal(standing(), 'main-e');
  });

  it('is not guessed among more than can be asked about', async () => {
    for (let index = 0; index < 40; index += 1) there(`main-${index}`);
    const { told } = await poll();
    assert.match(told.join(), /40 tags at once are more than are asked about/);
    there('main-new');
    await poll();
    assert.equal(standing(), 'main-new');
  });

  it('is where one tag leads to, if that is pinned', async () => {
    start("policy: {newest: {}}, filter: {pattern: '^main$'}, digest: always", 'main');
    const pinned = () => /digest: (.*)/.exec(git.filesOn('main')[file] ?? '')?.[1];
    there('main');
    await poll();
    assert.equal(pinned(), digestOf('main'));
    registries.push(image, 'main', { digest: digestOf('moved') });
    await poll();
    assert.equal(pinned(), digestOf('moved'));
    await poll();
    assert.equal(git.pushes, 2);
  });
});
