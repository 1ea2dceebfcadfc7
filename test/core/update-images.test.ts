import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { HttpGit } from '../../adapters/git.ts';
import { parseStackConfig } from '../../core/contract/config.ts';
import { keys } from '../../core/contract/keys.ts';
import { updateImages, type UpdateImagesDeps } from '../../core/update-images.ts';
import { MemoryRegistries } from '../fakes/memory-registries.ts';
import { MemoryStore } from '../fakes/memory-store.ts';
import { git } from '../git/git-command.ts';
import { startGitServer, type GitServer } from '../git/git-server.ts';
import { cloneWorktree, commitFiles, push } from '../git/worktree.ts';
import { MemoryGitHost } from '../memory-git-host.ts';

const token = 'a-token-of-the-test';
const author = { name: 'trueup', email: 'trueup@noreply.invalid' };
const root = await mkdtemp(join(tmpdir(), 'trueup-test-'));
const names = Array.from({ length: 20 }, (_, index) => `app${index}`);
let server: GitServer;
let clone = '';
let deps: UpdateImagesDeps;

const application = (name: string) => `apiVersion: trueup.dev/v1
kind: Application
metadata: {name: ${name}}
spec:
  source: {path: apps/${name}}
  namespace: ${name}
  clusters: {names: [prod]}
  images:
    - {image: ghcr.io/acme/${name}, policy: {semver: {range: 1.x}}}
`;
const kustomization = (name: string, tag: string) =>
  `# ${name}\nimages:\n  - name: ghcr.io/acme/${name}\n    newTag: ${tag} # kept\n`;

before(async () => {
  server = await startGitServer({ dir: join(root, 'host'), token });
  await server.createRepository('config');
  clone = join(root, 'clone');
  await cloneWorktree(server.urlWithToken('config'), clone);
  const files = names.flatMap((name) => [
    [`applications/${name}.yaml`, application(name)],
    [`apps/${name}/kustomization.yaml`, kustomization(name, '1.0.0')],
  ]);
  await commitFiles(clone, { ...Object.fromEntries(files), 'big/other.yaml': 'a: 1\n' }, 'Start');
  await push(clone);
  const scratch = join(root, 'scratch');
  await mkdir(scratch);
  const host = new HttpGit({
    secrets: { get: async () => ({ current: token }) },
    scratch,
    path: process.env['PATH'] ?? '',
  });
  deps = {
    store: new MemoryStore(),
    git: host,
    writer: host,
    host: new MemoryGitHost(),
    registries: new MemoryRegistries(),
    clock: {
      now: () => Date.now(),
      // Longer waits are those for registries, which answer at once.
      sleep: (ms) => new Promise((resolve) => (ms < 2_000 ? setTimeout(resolve, ms) : undefined)),
    },
    config: parseStackConfig({
      repositories: [
        { name: 'config', url: server.url('config'), tokenSecret: 'git/token', images: {} },
        { name: 'other', url: server.url('config'), tokenSecret: 'git/token' },
      ],
      clusters: [{ name: 'prod', access: { type: 'eks', name: 'prod' } }],
    }),
  };
});
after(async () => {
  await server.stop();
  await rm(root, { recursive: true, force: true });
});

const pushed = (name: string, tag: string) => ({ repository: `ghcr.io/acme/${name}`, tag });
const text = async (path: string) => git(clone, ['show', `origin/main:${path}`]);
const pull = async () => git(clone, ['pull', '--quiet', '--rebase', 'origin', 'main']);

describe('images pushed to a registry', () => {
  it('are each one commit, whose message says which image and where', async () => {
    const [outcome] = await updateImages([pushed('app1', '1.1.0')], deps);
    assert.equal(outcome?.changes.length, 1);
    await pull();
    assert.equal(await text('apps/app1/kustomization.yaml'), kustomization('app1', '1.1.0').trimEnd());
    assert.equal(
      await git(clone, ['log', '-1', '--format=%an%n%B', 'origin/main']),
      `trueup
Set app1 to 1.1.0

apps/app1/kustomization.yaml:4 (app1:app1): 1.0.0 -> 1.1.0

Image: ghcr.io/acme/app1:1.1.0`,
    );
  });

  it('change nothing when they come again, late, or for nobody', async () => {
    const count = async () => git(clone, ['rev-list', '--count', 'origin/main']);
    const earlier = await count();
    for (const image of [pushed('app1', '1.1.0'), pushed('app1', '1.0.5'), pushed('nobody', '9.9.9')]) {
      const [outcome] = await updateImages([image], deps);
      assert.equal(outcome?.sha, undefined);
    }
    await pull();
    assert.equal(await count(), earlier);
  });

  it('are not written again once a person took them back', async () => {
    await pull();
    await commitFiles(clone, { 'apps/app1/kustomization.yaml': kustomization('app1', '1.0.0') }, 'Back');
    await push(clone);
    const [again] = await updateImages([pushed('app1', '1.1.0')], deps);
    const reason = 'a person took 1.1.0 back; write it by hand, or push another tag';
    assert.deepEqual(again?.left, [{ policy: 'app1:app1', reason }]);
    const [next] = await updateImages([pushed('app1', '1.1.1')], deps);
    assert.ok(next?.sha !== undefined);
    assert.match((await deps.store.get(keys.images('config')))?.text ?? '', /"rejected":\["1\.1\.0"\]/);
  });

  it('are proposed from a branch of ours, which is replaced and never where it moved meanwhile', async () => {
    const [{ ...config } = assert.fail()] = deps.config.repositories;
    const images = { ...config.images, pullRequest: { group: 'repository' as const, labels: [] } };
    const repositories = [{ ...config, name: 'proposed', images: { paths: [], author, ...images } }];
    const host = new MemoryGitHost();
    const proposing = { ...deps, host, config: { ...deps.config, repositories } };
    const branch = 'trueup/images/default/proposed/all';
    const there = async () => git(clone, ['ls-remote', 'origin', `refs/heads/${branch}`]);
    for (const tag of ['1.1.0', '1.2.0']) {
      const earlier = await there();
      host.headOf = () => '';
      const [outcome] = await updateImages([pushed('app3', tag)], proposing);
      assert.deepEqual(outcome?.faults, []);
      assert.notEqual(await there(), earlier);
    }
    await git(clone, ['fetch', '--quiet', 'origin']);
    const log = await git(clone, ['log', '--format=%s', `origin/main..origin/${branch}`]);
    assert.equal(log, 'Set app3 to 1.2.0');
    const head = await git(clone, ['rev-parse', 'origin/main']);
    const commit = {
      parent: head,
      files: new Map([['big/other.yaml', 'a: 3\n']]),
      message: 'x',
      author,
      at: 0,
    };
    for (const expected of [null, head]) {
      const at = { name: branch, replaces: true, expected };
      assert.deepEqual(await deps.writer.commit(config, commit, at), { kind: 'moved' });
    }
  });

  it('fifty at once over twenty applications: none is lost, and people push meanwhile', async (t) => {
    await pull();
    const earlier = Number(await git(clone, ['rev-list', '--count', 'origin/main']));
    const events = Array.from({ length: 50 }, (_, index) =>
      pushed(names[index % names.length] ?? '', `1.${2 + Math.floor(index / names.length)}.${index}`),
    );
    const person = (async () => {
      await commitFiles(clone, { 'big/other.yaml': 'a: 2\n' }, 'A person');
      await push(clone);
    })();
    // As the function gets them: ten messages at a time, two functions at once.
    const queue = [...events];
    const work = async (): Promise<void> => {
      for (let images = queue.splice(0, 10); images.length > 0; images = queue.splice(0, 10))
        await updateImages(images, deps);
    };
    await Promise.all([person, work(), work()]);
    await pull();
    for (const [index, name] of names.entries()) {
      const newest = events.filter(({ repository }) => repository.endsWith(`/${name}`)).at(-1)?.tag ?? '';
      assert.equal(
        await text(`apps/${name}/kustomization.yaml`),
        kustomization(name, newest).trimEnd(),
        `application ${index}`,
      );
    }
    assert.equal(await text('big/other.yaml'), 'a: 2');
    const commits = Number(await git(clone, ['rev-list', '--count', 'origin/main'])) - earlier;
    t.diagnostic(`${commits} commits, one of them by a person`);
    assert.ok(commits <= 6, `${commits} commits, theirs among them`);
  });
});
