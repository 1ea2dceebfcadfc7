import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { parseStackConfig, type StackConfigInput } from '../../core/contract/config.ts';
import { Retry } from '../../core/errors.ts';
import { pollImages } from '../../core/poll-images.ts';
import { updateImages, type UpdateImagesDeps } from '../../core/update-images.ts';
import { MemoryRegistries } from '../fakes/memory-registries.ts';
import { MemoryRepository } from '../fakes/memory-repository.ts';
import { MemoryStore } from '../fakes/memory-store.ts';
import { Blocked } from '../../core/errors.ts';
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
  const host = new MemoryGitHost();
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
  return pollImages(deps, 15);
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

  it('proposes where that is asked for, and tells of it once', async () => {
    start('policy: {semver: {range: 1.x}}', '1.0.0', { pullRequest: {} });
    there('1.1.0');
    assert.deepEqual((await poll()).told, [`missed: ${image}:1.1.0`]);
    assert.deepEqual([(await poll()).told, git.pushes], [[], 1]);
    assert.deepEqual([standing(), standing('trueup/images/config/all')], ['1.0.0', '1.1.0']);
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
