import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readdir, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, test } from 'node:test';
import { HttpGit, type GitLimits } from '../../adapters/git.ts';
import type { RepositoryConfig } from '../../core/contract/config.ts';
import { Stop } from '../../core/errors.ts';
import type { Worktree } from '../../core/ports.ts';
import { git as runGit } from '../git/git-command.ts';
import { startGitServer, type GitServer } from '../git/git-server.ts';
import { cloneWorktree, commitFiles, push } from '../git/worktree.ts';

const token = 'a-token-of-the-test';
let root = '';
let scratch = '';
let server: GitServer;
let count = 0;
/** A fresh repository for each test, and a person's clone of it. */
let repository: RepositoryConfig;
let clone = '';

function gitWith(limits: Partial<GitLimits> = {}): HttpGit {
  const path = process.env['PATH'] ?? '';
  return new HttpGit({ secrets: { get: async () => ({ current: `${token}\n` }) }, scratch, path, limits });
}

/** What lies in scratch space for one checkout; what is kept for the next ones left out. */
async function leftOver(): Promise<string[]> {
  return (await readdir(scratch)).filter((name) => name !== 'trueup-git-cache');
}

async function checkedOut(sha: string, limits: Partial<GitLimits> = {}): Promise<Worktree> {
  const worktree = await gitWith(limits).checkout(repository, sha);
  assert.ok(worktree !== undefined);
  return worktree;
}

async function commitAndPush(files: Record<string, string | null>, message = 'Change'): Promise<string> {
  const sha = await commitFiles(clone, files, message);
  await push(clone, 'main', { force: true });
  return sha;
}

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
beforeEach(async () => {
  count += 1;
  const name = `fleet-${count}`;
  await server.createRepository(name);
  clone = join(root, `clone-${count}`);
  await cloneWorktree(server.urlWithToken(name), clone);
  repository = {
    name,
    provider: 'github',
    url: server.url(name),
    branch: 'main',
    applications: 'applications',
    tokenSecret: 'git/token',
  };
});

test('head is the branch of exactly that name, undefined when there is none', async () => {
  assert.equal(await gitWith().head(repository), undefined);
  const sha = await commitAndPush({ 'a.yaml': 'a' });
  await push(clone, 'x/refs/heads/main');
  await commitFiles(clone, { 'a.yaml': 'b' }, 'On a branch whose name ends alike');
  await push(clone, 'feature/main');
  assert.equal(await gitWith().head(repository), sha);
  assert.equal(await gitWith().head({ ...repository, branch: 'missing' }), undefined);
});

test('a checkout tells the commit as Git does and gives exactly its files', async () => {
  const author = { name: 'Zoë Ash', email: 'zoe@example.com' };
  const sha = await commitFiles(clone, { 'apps/web/a.yaml': 'a: 1\n' }, 'Add web\n\nBody.', author);
  await push(clone);
  await commitAndPush({ 'apps/web/a.yaml': 'a: 2\n' });
  await using worktree = await checkedOut(sha);
  const { commit } = worktree;
  assert.deepEqual(await worktree.files('apps'), ['apps/web/a.yaml']);
  assert.equal(await worktree.text('apps/web/a.yaml'), 'a: 1\n');
  assert.deepEqual(
    [commit.sha, commit.ref, commit.repository, commit.subject, commit.author.name, commit.committer.email],
    [sha, 'refs/heads/main', repository.name, 'Add web', author.name, author.email],
  );
  assert.match(commit.committer.at, /^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d[+-Z]/);
});

test('files are written as they were committed, whatever .gitattributes says of them', async () => {
  const files = { 'a/a.txt': '$Id$\n', 'a/b.txt': 'one\r\ntwo\n', 'a/c.txt': 'plain\n' };
  // As attributes, since they would have Git change them on their way in too.
  await commitAndPush(files);
  const attributes = '*.txt ident\nc.txt text eol=crlf\n';
  const sha = await commitAndPush({ '.gitattributes': attributes, 'a/.gitattributes': attributes });
  await using worktree = await checkedOut(sha);
  await worktree.prepare(['.']);
  const read = await Promise.all(Object.keys(files).map((path) => worktree.text(path)));
  const committed = await Promise.all(
    Object.keys(files).map((path) => runGit(clone, ['cat-file', 'blob', `${sha}:${path}`])),
  );
  assert.deepEqual(
    read.map((text) => text.trimEnd()),
    committed,
  );
});

test('only the folders that are asked for are fetched and on disk', async () => {
  const sha = await commitAndPush({ 'apps/a.yaml': 'a', 'video/b.bin': 'x'.repeat(3_000_000), 'c.txt': 'c' });
  await using worktree = await checkedOut(sha, { bytes: 1_000_000 });
  assert.deepEqual(await worktree.files('apps'), ['apps/a.yaml']);
  assert.deepEqual(await readdir(worktree.directory), ['apps']);
  assert.deepEqual(await worktree.files('nowhere'), []);
  assert.deepEqual(await worktree.files('apps/a.yaml'), []);
  await assert.rejects(worktree.files('.'), (error: Error) => {
    return error instanceof Stop && /3000002 bytes below \., and up to 1000000/.test(error.message);
  });
});

test('a host that leaves nothing out is served as well', async () => {
  const sha = await commitAndPush({ 'apps/a.yaml': 'a' });
  await runGit(join(root, 'host', 'acme', `${repository.name}.git`), [
    'config',
    'uploadpack.allowFilter',
    'false',
  ]);
  await using worktree = await checkedOut(sha);
  assert.equal(await worktree.text('apps/a.yaml'), 'a');
});

test('a commit that was force-pushed away is undefined once the host has dropped it', async () => {
  await commitAndPush({ 'a.yaml': 'a' });
  assert.equal(await gitWith().checkout(repository, '0123456789'.repeat(4)), undefined);
  assert.deepEqual(await leftOver(), []);
});

test('scratch space is wiped at the end, and after a failure', async () => {
  const sha = await commitAndPush({ 'a.yaml': 'a' });
  {
    await using worktree = await checkedOut(sha);
    assert.deepEqual(await worktree.files('.'), ['a.yaml']);
    assert.equal((await leftOver()).length, 1);
  }
  await assert.rejects(gitWith({ bytes: -1 }).checkout({ ...repository, url: `${repository.url}x` }, sha));
  assert.deepEqual(await leftOver(), []);
});

test('what a killed function left behind is wiped once nobody can be at work there', async () => {
  const sha = await commitAndPush({ 'a.yaml': 'a' });
  const [old, young] = [join(scratch, 'trueup-checkout-old'), join(scratch, 'trueup-checkout-young')];
  await mkdir(old);
  await mkdir(young);
  const hourAgo = Date.now() / 1000 - 3600;
  await utimes(old, hourAgo, hourAgo);
  assert.equal(await gitWith().head(repository), sha);
  assert.deepEqual(await leftOver(), ['trueup-checkout-young']);
  await rm(young, { recursive: true });
});

const symlinks: { why: string; path: string; target: string; expected: string[] | RegExp }[] = [
  {
    why: 'to a file in the tree',
    path: 'apps/web/l.yaml',
    target: '../../base/b.yaml',
    expected: ['apps/web/l.yaml'],
  },
  {
    why: 'to a folder in the tree',
    path: 'apps/web/l',
    target: '../../base',
    expected: ['apps/web/l/b.yaml'],
  },
  {
    why: 'out of the tree',
    path: 'apps/web/l.yaml',
    target: `${'../'.repeat(20)}etc/passwd`,
    expected: /^apps\/web\/l\.yaml: .*leaves the repository/,
  },
  {
    why: 'to an absolute path',
    path: 'apps/web/l.yaml',
    target: '/etc/passwd',
    expected: /^apps\/web\/l\.yaml: .*leaves the repository/,
  },
  {
    why: "into Git's own folder",
    path: 'apps/web/l',
    target: '../../../git',
    expected: /^apps\/web\/l: .*leaves the repository/,
  },
  {
    why: 'to nothing',
    path: 'apps/web/l.yaml',
    target: '../gone.yaml',
    expected: /^apps\/web\/l\.yaml: .*not in this commit/,
  },
  {
    why: 'to the folder it is in',
    path: 'apps/web/l',
    target: '..',
    expected: /^apps\/web\/l: .*folder that it is in/,
  },
];
for (const { why, path, target, expected } of symlinks) {
  test(`a symlink ${why}`, async () => {
    await mkdir(join(clone, 'apps/web'), { recursive: true });
    await symlink(target, join(clone, path));
    const sha = await commitAndPush({ 'base/b.yaml': 'b', 'other/o.yaml': 'o' });
    await using worktree = await checkedOut(sha);
    assert.deepEqual(await worktree.files('other'), ['other/o.yaml']);
    if (Array.isArray(expected)) assert.deepEqual(await worktree.files('apps/web'), expected);
    else {
      await assert.rejects(worktree.files('apps/web'), (error: Error) => {
        return error instanceof Stop && expected.test(error.message);
      });
    }
  });
}

test('paths that climb out are refused', async () => {
  const sha = await commitAndPush({ 'apps/a.yaml': 'a' });
  await using worktree = await checkedOut(sha);
  for (const path of ['..', '../x', 'apps/../../x', '/etc']) {
    await assert.rejects(worktree.files(path), /leads out of the repository/);
    await assert.rejects(worktree.read(path), /leads out of the repository/);
  }
  assert.deepEqual(await worktree.files('./apps/../apps/'), ['apps/a.yaml']);
});

test('a file that is too large, and one that is no text, are named', async () => {
  await mkdir(join(clone, 'apps'));
  await writeFile(join(clone, 'apps/latin.yaml'), Buffer.from([0x61, 0x3a, 0x20, 0xe9]));
  const sha = await commitAndPush({ 'apps/big.yaml': 'x'.repeat(5000) });
  await using worktree = await checkedOut(sha, { fileBytes: 4096 });
  await assert.rejects(
    worktree.text('apps/big.yaml'),
    /^Stop: apps\/big\.yaml: is 5000 bytes long, and files of up to 4096/,
  );
  await assert.rejects(worktree.text('apps/latin.yaml'), /^Stop: apps\/latin\.yaml: is not UTF-8/);
});

test('too many files stop the checkout', async () => {
  const sha = await commitAndPush({ 'apps/a.yaml': 'a', 'apps/b.yaml': 'b', 'c/d.yaml': 'd' });
  await using worktree = await checkedOut(sha, { files: 2 });
  assert.equal((await worktree.files('apps')).length, 2);
  await assert.rejects(worktree.files('c'), /more than 2 files/);
});

test('more bytes than the limit are never checked out', async () => {
  await mkdir(join(clone, 'apps'));
  await writeFile(join(clone, 'apps/noise.bin'), randomBytes(3_000_000));
  const sha = await commitAndPush({});
  await using worktree = await checkedOut(sha, { bytes: 1_000_000 });
  await assert.rejects(worktree.files('apps'), (error: Error) => {
    return error instanceof Stop && /1000000/.test(error.message);
  });
  assert.deepEqual(await readdir(worktree.directory), []);
});

test('a listing of refs without end is stopped', async () => {
  const sha = await commitAndPush({ 'a.yaml': 'a' });
  const tags = Array.from({ length: 5000 }, (_, index) => `${sha} refs/tags/v0.0.${index}\n`).toSorted();
  const bare = join(root, 'host', 'acme', `${repository.name}.git`);
  await writeFile(join(bare, 'packed-refs'), `# pack-refs with: sorted\n${tags.join('')}`);
  const { branch: _, ...ranged } = { ...repository, semver: '0.0.x' };
  await assert.rejects(gitWith({ outputBytes: 100_000 }).head(ranged), (error: Error) => {
    return error instanceof Stop && /has more refs or files than are looked at/.test(error.message);
  });
  assert.equal(await gitWith().head(ranged), sha);
  // Of a branch nothing but the branch is listed.
  assert.equal(await gitWith({ outputBytes: 1000 }).head(repository), sha);
});

test('tags, ranges and commits are followed; one question answers for all of a repository', async () => {
  const first = await commitAndPush({ 'a.yaml': '1' });
  await runGit(clone, ['tag', '--annotate', '--message', 'One', 'v1.0.0']);
  const second = await commitAndPush({ 'a.yaml': '2' });
  await runGit(clone, ['tag', '1.1.0']);
  await runGit(clone, ['tag', 'v2.0.0-rc.1']);
  await runGit(clone, ['push', '--quiet', 'origin', '--tags']);
  const { branch: _, ...base } = repository;
  const one = (name: string, tracked: object): RepositoryConfig => ({ ...base, name, ...tracked });
  const heads = await gitWith().heads([
    one('main', {}),
    one('tag', { tag: 'v1.0.0' }),
    one('range', { semver: '^1' }),
    one('early', { semver: '>=1.0.0-0' }),
    one('commit', { commit: first }),
    one('none', { tag: 'v9' }),
  ]);
  assert.deepEqual(Object.fromEntries(heads), {
    main: { sha: second, ref: 'refs/heads/main' },
    tag: { sha: first, ref: 'refs/tags/v1.0.0' },
    range: { sha: second, ref: 'refs/tags/1.1.0' },
    early: { sha: second, ref: 'refs/tags/v2.0.0-rc.1' },
    commit: { sha: first, ref: first },
  });
  const host = gitWith();
  const range = one('range', { semver: '^1' });
  await using worktree = (await host.checkout(range, (await host.head(range)) ?? '')) ?? assert.fail();
  assert.deepEqual([worktree.commit.sha, worktree.commit.ref], [second, 'refs/tags/1.1.0']);
});

test('a symlink into a submodule that is not there leads nowhere', async () => {
  await mkdir(join(clone, 'apps'), { recursive: true });
  await symlink('../lib', join(clone, 'apps/link'));
  await runGit(clone, ['update-index', '--add', '--cacheinfo', `160000,${'1'.repeat(40)},lib`]);
  await runGit(clone, ['add', 'apps']);
  await runGit(clone, ['commit', '--quiet', '--message', 'Link']);
  await push(clone);
  await using worktree = await checkedOut(await runGit(clone, ['rev-parse', 'HEAD']));
  await assert.rejects(worktree.files('apps/link'), /lib: is a submodule/);
  await assert.rejects(worktree.files('apps'), /lib: is a submodule/);
});
