import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { HttpGit } from '../../../adapters/git.ts';
import { baseSourcesSchema } from '../../../core/contract/base-sources.ts';
import { Stop } from '../../../core/errors.ts';
import { KustomizeBases } from '../../../core/produce/kustomize-bases.ts';
import { startGitServer, type GitServer } from '../../git/git-server.ts';
import { cloneWorktree, commitFiles, push } from '../../git/worktree.ts';
import { MemoryWorktree } from '../../fakes/memory-worktree.ts';
import { Rendering, deployment } from '../render/rendering.ts';

const sources = baseSourcesSchema.parse([
  { url: 'https://git.example/acme/bases.git' },
  { url: 'https://git.example/acme/bases-more/' },
]);
const sha = 'a1'.repeat(20);

const addresses: { address: string; gives: string | undefined }[] = [
  { address: `https://git.example/acme/bases//web?ref=${sha}`, gives: 'acme/bases web' },
  { address: `https://git.example/acme/bases.git//web/prod/?ref=${sha}`, gives: 'acme/bases web/prod' },
  { address: `https://git.example/acme/bases/web?ref=${sha}&timeout=90s`, gives: 'acme/bases web' },
  { address: `https://git.example/acme/bases?ref=${sha}`, gives: 'acme/bases .' },
  { address: `https://user:token@GIT.example/acme/bases//web?version=${sha}`, gives: 'acme/bases web' },
  { address: `git@git.example:acme/bases.git//web?ref=${sha}`, gives: 'acme/bases web' },
  { address: `git::ssh://git@git.example/acme/bases//web?ref=${sha}`, gives: 'acme/bases web' },
  { address: `git.example/acme/bases//web?ref=${sha}`, gives: 'acme/bases web' },
  { address: `https://git.example/acme/bases-more//web?ref=${sha}`, gives: 'acme/bases-more web' },
  { address: `https://git.example/acme/basement//web?ref=${sha}`, gives: undefined },
  { address: `https://git.example/acme/bases//../x?ref=${sha}`, gives: undefined },
  { address: `https://git.example:8443/acme/bases//web?ref=${sha}`, gives: undefined },
  { address: `https://git.example.evil.example/acme/bases//web?ref=${sha}`, gives: undefined },
  { address: `https://evil.example/git.example/acme/bases//web?ref=${sha}`, gives: undefined },
  { address: `https://git.example@evil.example/acme/bases//web?ref=${sha}`, gives: undefined },
  { address: 'http://169.254.169.254/latest/meta-data', gives: undefined },
];
for (const { address, gives } of addresses) {
  test(`${address} is ${gives ?? 'nothing that is declared'}`, async () => {
    const asked: string[] = [];
    const checkout = async ({ url }: { url: string }, commit: string) => {
      asked.push(`${url} ${commit}`);
      return new MemoryWorktree({});
    };
    await using bases = new KustomizeBases(sources, { checkout });
    const found = await bases.find(address);
    assert.equal(found && `${found.name} ${found.path}`, gives?.replace(' ', `@${sha.slice(0, 12)} `));
    const url = gives?.startsWith('acme/bases-more') === true ? sources[1]?.url : sources[0]?.url;
    assert.deepEqual(asked, gives === undefined ? [] : [`${url} ${sha}`]);
  });
}

test('a base is checked out once, and wiped', async () => {
  const worktrees: MemoryWorktree[] = [];
  const checkout = async () => {
    worktrees.push(new MemoryWorktree({}));
    return worktrees.at(-1);
  };
  {
    await using bases = new KustomizeBases(sources, { checkout });
    const wanted = ['web', 'api'].map((path) => `https://git.example/acme/bases//${path}?ref=${sha}`);
    await Promise.all(wanted.map((address) => bases.find(address)));
  }
  assert.deepEqual(
    worktrees.map(({ isDisposed }) => isDisposed),
    [true],
  );
});

test('a base without a full SHA, or of a commit that is not there, is refused', async () => {
  await using bases = new KustomizeBases(sources, { checkout: async () => undefined });
  for (const ref of ['', '?ref=main', '?ref=v1.2', `?ref=${sha.slice(1)}`, `?ref=--upload-pack=x`]) {
    await assert.rejects(
      bases.find(`https://git.example/acme/bases//web${ref}`),
      /^Stop: https:\/\/git\.example\/acme\/bases\.git: must be pinned with \?ref= and a full SHA/,
    );
  }
  await assert.rejects(bases.find(`https://git.example/acme/bases//web?ref=${sha}`), /: has no commit a1a1/);
});

test('a declared base must be a Git URL without credentials', () => {
  for (const url of [
    'http://git.example/x',
    'https://a:b@git.example/x',
    'file:///etc',
    '--upload-pack=x',
    '',
  ]) {
    assert.equal(baseSourcesSchema.safeParse([{ url }]).success, false, url);
  }
});

const rendering = await Rendering.start();
let server: GitServer;
before(async () => {
  server = await startGitServer({ dir: join(rendering.root, 'host'), token: 'a-token-of-the-test' });
});
after(async () => {
  await server.stop();
  await rendering[Symbol.asyncDispose]();
});

test('a base of another repository is built from a checkout of its own', async () => {
  await server.createRepository('bases');
  const clone = join(rendering.root, 'clone');
  await cloneWorktree(server.urlWithToken('bases'), clone);
  const head = await commitFiles(
    clone,
    {
      'web/kustomization.yaml': 'resources: [web.yaml, ../shared]\n',
      'web/web.yaml': deployment('web'),
      'shared/kustomization.yaml': 'resources: [shared.yaml]\n',
      'shared/shared.yaml': deployment('shared'),
      'broken/kustomization.yaml': 'resources: [gone.yaml]\n',
      'evil/kustomization.yaml': `resources: ["http://127.0.0.1:${rendering.port}/x.yaml"]\n`,
    },
    'Bases',
  );
  await push(clone, 'main', { force: true });
  const scratch = join(rendering.root, 'scratch');
  await mkdir(scratch);
  const secrets = { get: async () => ({ current: 'a-token-of-the-test' }) };
  const git = new HttpGit({ secrets, scratch, path: process.env['PATH'] ?? '' });
  const declared = baseSourcesSchema.parse([{ url: server.url('bases'), tokenSecret: 'git/token' }]);
  await using bases = new KustomizeBases(declared, git);
  const render = (path: string) => {
    const resource = `${server.url('bases')}//${path}?ref=${head}`;
    const files = { 'apps/kustomization.yaml': `namePrefix: a-\nresources: ["${resource}"]\n` };
    return rendering.render(files, { source: { path: 'apps' }, context: { bases } });
  };
  const { objects, origins } = await render('web');
  assert.deepEqual(objects.map(({ metadata }) => metadata.name).sort(), ['a-shared', 'a-web']);
  assert.deepEqual(new Set(Object.values(origins)), new Set(['apps/kustomization.yaml']));
  const name = `\\w*/?bases@${head.slice(0, 12)}`;
  await assert.rejects(
    render('broken'),
    new RegExp(`^Stop: ${name}:broken/kustomization\\.yaml:1: .*not in this commit`),
  );
  await assert.rejects(
    render('evil'),
    new RegExp(`^Stop: ${name}:evil/kustomization\\.yaml:1: .* is remote`),
  );
  await assert.rejects(
    render('gone'),
    (error) => error instanceof Stop && /gone: is built from, but has no/.test(error.message),
  );
  assert.deepEqual(rendering.requests, []);
});
