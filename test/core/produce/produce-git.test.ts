import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { HttpGit } from '../../../adapters/git.ts';
import { LocalRenderers } from '../../../adapters/renderers.ts';
import type { StackConfigInput } from '../../../core/contract/config.ts';
import { keys } from '../../../core/contract/keys.ts';
import { produce, type ProduceDeps } from '../../../core/produce.ts';
import { decodeSnapshot } from '../../../core/snapshot.ts';
import { findTools } from '../../cluster/tools.ts';
import { git } from '../../git/git-command.ts';
import { startGitServer, type GitServer } from '../../git/git-server.ts';
import { cloneWorktree, commitFiles, push } from '../../git/worktree.ts';
import { ProduceWorld, application, configMap } from './world.ts';

/** The same spine as in the other tests here, over a real Git host and the real kustomize. */

const token = 'a-token-of-the-test';
const tools = await findTools({ progress: () => undefined });
const renderers = await LocalRenderers.find(dirname(tools.kubectl));
let root = '';
let scratch = '';
let server: GitServer;
let count = 0;

before(async () => {
  root = await mkdtemp(join(tmpdir(), 'trueup-test-'));
  scratch = join(root, 'scratch');
  await mkdir(scratch);
  server = await startGitServer({ dir: join(root, 'host'), token });
});
after(async () => {
  await server.stop();
  await rm(root, { recursive: true, force: true });
});

const start = {
  'applications/web.yaml': application('web', { source: '{path: apps/web/overlays/prod}' }),
  'applications/api.yaml': application('api'),
  'apps/web/base/kustomization.yaml': 'resources: [web.yaml]\n',
  'apps/web/base/web.yaml': configMap('web', '1'),
  'apps/web/overlays/prod/kustomization.yaml': 'namespace: prod\nresources: [../../base]\n',
  'apps/api/api.yaml': configMap('api', '1'),
};

/** A repository on the host, a person's clone of it, and the function's world. */
async function setUp() {
  count += 1;
  const name = `fleet-${count}`;
  await server.createRepository(name);
  const clone = join(root, `clone-${count}`);
  await cloneWorktree(server.urlWithToken(name), clone);
  const world = new ProduceWorld();
  const config: StackConfigInput = {
    repositories: [{ name: 'fleet', url: server.url(name), tokenSecret: 'git/token' }],
    clusters: [{ name: 'prod', access: { type: 'eks', name: 'x' } }],
  };
  const secrets = { get: async () => ({ current: token }) };
  const host = new HttpGit({ secrets, scratch, path: process.env['PATH'] ?? '' });
  const deps: ProduceDeps = { ...world.deps(config), git: host, renderers };
  const commit = async (files: Record<string, string | null>) => {
    const sha = await commitFiles(clone, files, 'Change');
    await push(clone, 'main', { force: true });
    return sha;
  };
  const follow = async (head: string, previous?: string) =>
    produce(await world.pushed(head, previous), 1, deps);
  return { world, clone, commit, follow };
}

test('from a push to snapshots with the provenance of Git itself', async () => {
  const { world, commit, follow } = await setUp();
  const sha = await commit(start);
  assert.equal(await follow(sha), `commit ${sha.slice(0, 7)}: 2 changed (api on prod; web on prod)`);
  const { snapshot, commit: facts } = await world.pointer('web');
  assert.deepEqual([facts.sha, facts.subject, facts.author.name], [sha, 'Change', 'Ada Park']);
  const stored = await world.store.get(keys.snapshot('web', snapshot));
  const { objects, provenance } = decodeSnapshot(snapshot, stored?.text ?? '');
  assert.deepEqual(
    objects.map(({ metadata }) => metadata.namespace),
    ['prod'],
  );
  assert.equal(provenance.renderer, 'kustomize');
  assert.deepEqual(Object.keys(provenance.versions), ['kubectl', 'kustomize', 'trueup']);
  // Nothing of the checkout stays; what was fetched is kept for the next one.
  assert.deepEqual(await readdir(scratch), ['trueup-git-cache']);
});

test('events five times, late and in reverse all end at the head', async () => {
  const { world, commit, follow } = await setUp();
  const first = await commit(start);
  const second = await commit({ 'apps/web/base/web.yaml': configMap('web', '2') });
  const third = await commit({ 'apps/web/base/web.yaml': configMap('web', '3') });
  for (let time = 0; time < 5; time += 1) await follow(third, second);
  await follow(second, first);
  await follow(first);
  assert.deepEqual(world.takeRuns(), ['api on prod', 'web on prod']);
  assert.equal((await world.pointer('web')).commit.sha, third);
});

test('a force-push to an older commit takes its content back', async () => {
  const { world, clone, commit, follow } = await setUp();
  const first = await commit(start);
  await follow(first);
  const { snapshot } = await world.pointer('web');
  const second = await commit({ 'apps/web/base/web.yaml': configMap('web', '2') });
  await follow(second, first);
  await git(clone, ['reset', '--quiet', '--hard', first]);
  await push(clone, 'main', { force: true });
  await follow(first, second);
  assert.deepEqual(
    [(await world.pointer('web')).snapshot, (await world.pointer('web')).revision],
    [snapshot, 3],
  );
});

test('what leads out of the repository fails its own application only', async () => {
  const { world, clone, commit, follow } = await setUp();
  await follow(await commit(start));
  await symlink('/etc/passwd', join(clone, 'apps/web/overlays/prod/x.yaml'));
  const bad = await commit({ 'apps/api/api.yaml': configMap('api', '2') });
  assert.equal(
    await follow(bad),
    `commit ${bad.slice(0, 7)}: 1 changed (api on prod), 1 failed (web); ` +
      'apps/web/overlays/prod/x.yaml: is a symlink that leaves the repository; remove it',
  );
  const remote = 'namespace: prod\nresources: [../../../../../../etc]\n';
  const files = {
    'apps/web/overlays/prod/x.yaml': null,
    'apps/web/overlays/prod/kustomization.yaml': remote,
  };
  assert.match(
    await follow(await commit(files)),
    /1 failed \(web\); .*kustomization\.yaml:2: .* leads out of the repository/,
  );
  assert.equal((await world.pointer('web')).revision, 1);
});
