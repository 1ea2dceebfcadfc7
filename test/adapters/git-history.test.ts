import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { HttpGit } from '../../adapters/git.ts';
import type { RepositoryConfig } from '../../core/contract/config.ts';
import { git as runGit } from '../git/git-command.ts';
import { startGitServer, type GitServer } from '../git/git-server.ts';
import { cloneWorktree, commitFiles, push } from '../git/worktree.ts';

const token = 'a-token-of-the-test';
let root = '';
let server: GitServer;
let repository: RepositoryConfig;
let clone = '';
const sha: Record<string, string> = {};

before(async () => {
  root = await mkdtemp(join(tmpdir(), 'trueup-test-'));
  await mkdir(join(root, 'scratch'));
  server = await startGitServer({ dir: join(root, 'host'), token });
  await server.createRepository('fleet');
  clone = join(root, 'clone');
  await cloneWorktree(server.urlWithToken('fleet'), clone);
  repository = {
    name: 'fleet',
    provider: 'github',
    url: server.url('fleet'),
    branch: 'main',
    applications: 'applications',
    tokenSecret: 'git/token',
  };
  sha['root'] = await commitFiles(clone, { a: '1' }, 'root');
  sha['began'] = await commitFiles(clone, { a: '2' }, 'began');
  await push(clone, 'main', { force: true });
  await runGit(clone, ['checkout', '--quiet', '-b', 'topic']);
  for (let count = 0; count < 32; count += 1) {
    sha['topic'] = await commitFiles(clone, { b: String(count) }, `topic ${count}`);
  }
  await push(clone, 'topic', { force: true });
  await runGit(clone, ['checkout', '--quiet', 'main']);
  sha['main'] = await commitFiles(clone, { c: '1' }, 'main goes on');
  await push(clone, 'main', { force: true });
  await runGit(clone, ['checkout', '--quiet', '--orphan', 'other']);
  sha['other'] = await commitFiles(clone, { d: '1' }, 'no common root');
  await push(clone, 'other', { force: true });
});
after(async () => {
  await server.stop();
  await rm(root, { recursive: true, force: true });
});

function gitOf(): HttpGit {
  const secrets = { get: async () => ({ current: token }) };
  return new HttpGit({ secrets, scratch: join(root, 'scratch'), path: process.env['PATH'] ?? '' });
}

const placed = (name: string, branch = name) => ({ sha: sha[name] ?? '', ref: `refs/heads/${branch}` });

for (const [one, other, branch, found] of [
  ['main', 'topic', 'topic', 'began'],
  ['topic', 'topic', 'topic', 'topic'],
  ['main', 'other', 'other', undefined],
] as const) {
  test(`the merge base of ${one} and ${other} is ${found ?? 'not there'}`, async () => {
    const base = await gitOf().mergeBase(repository, placed(one), placed(other, branch));
    assert.equal(base, found === undefined ? undefined : sha[found]);
    assert.deepEqual(await readdir(join(root, 'scratch')).then((all) => all.filter(isCheckout)), []);
  });
}

const isCheckout = (name: string): boolean => name.startsWith('trueup-checkout-');

test('of a commit that the host has not there is none', async () => {
  const absent = { sha: 'd'.repeat(40), ref: 'refs/heads/gone' };
  assert.equal(await gitOf().mergeBase(repository, placed('main'), absent), undefined);
});

test('the tip of a branch is told from a commit below it', async () => {
  const at = async (name: string) => gitOf().isTip(repository, sha[name] ?? '');
  assert.deepEqual([await at('topic'), await at('began')], [true, false]);
});
