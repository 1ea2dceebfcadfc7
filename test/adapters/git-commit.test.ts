import assert from 'node:assert/strict';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { createMessage, generateKey, readKey, readSignature, verify } from 'openpgp';
import { HttpGit } from '../../adapters/git.ts';
import { repositorySchema, type RepositoryConfig } from '../../core/contract/repository.ts';
import type { NewCommit } from '../../core/write-ports.ts';
import { git } from '../git/git-command.ts';
import { startGitServer, type GitServer } from '../git/git-server.ts';
import { cloneWorktree, commitFiles, deleteBranch, push } from '../git/worktree.ts';

const token = 'a-token-of-the-test';
const root = await mkdtemp(join(tmpdir(), 'trueup-test-'));
const { privateKey, publicKey } = await generateKey({
  userIDs: [{ name: 'trueup', email: 'trueup@example.com' }],
  format: 'armored',
});
const values: Readonly<Record<string, string>> = {
  'git/token': token,
  'git/key': privateKey,
  'git/bad': 'no key',
};
let server: GitServer;
let repository: RepositoryConfig;
let clone = '';
let host: HttpGit;

before(async () => {
  server = await startGitServer({ dir: join(root, 'host'), token });
  await server.createRepository('config');
  repository = repositorySchema.parse({
    name: 'config',
    url: server.url('config'),
    tokenSecret: 'git/token',
  });
  clone = join(root, 'clone');
  await cloneWorktree(server.urlWithToken('config'), clone);
  const scratch = join(root, 'scratch');
  await mkdir(scratch);
  const secrets = { get: async (name: string) => ({ current: values[name] ?? '' }) };
  host = new HttpGit({ secrets, scratch, path: process.env['PATH'] ?? '' });
  await writeFile(join(clone, 'run.sh'), 'echo 1\n');
  await chmod(join(clone, 'run.sh'), 0o755);
  await commitFiles(clone, { 'apps/a.yaml': 'a: 1\n', 'apps/b.yaml': 'b: 1\n' }, 'Start');
  await push(clone);
});
after(async () => {
  await server.stop();
  await rm(root, { recursive: true, force: true });
});

const head = async () => (await host.head(repository)) ?? assert.fail('no head');
const main = { name: 'main', replaces: false };
async function commitOf(
  files: Readonly<Record<string, string>>,
  more: Partial<NewCommit> = {},
): Promise<NewCommit> {
  return {
    parent: await head(),
    files: new Map(Object.entries(files)),
    message: 'Bump a\n\nbecause of ü',
    author: { name: 'trueup', email: 'trueup@example.com' },
    at: Date.parse('2026-11-23T12:00:00Z'),
    ...more,
  };
}

async function show(...args: readonly string[]): Promise<string> {
  await git(clone, ['fetch', '--quiet', 'origin']);
  return git(clone, ['show', '--no-patch', ...args]);
}

describe('a commit to a Git host', () => {
  it('changes these files alone, keeps modes, and says who and when', async () => {
    const earlier = await head();
    const outcome = await host.commit(
      repository,
      await commitOf({ 'apps/a.yaml': 'a: 2\n', 'run.sh': 'echo 2\n' }),
      main,
    );
    assert.ok(outcome.kind === 'pushed');
    assert.equal(await head(), outcome.sha);
    const told = await show('--format=%P%n%an <%ae>%n%cI%n%B', outcome.sha);
    assert.equal(
      told.trim(),
      `${earlier}\ntrueup <trueup@example.com>\n2026-11-23T12:00:00+00:00\nBump a\n\nbecause of ü`,
    );
    const changed = await git(clone, ['diff', '--raw', '--abbrev=4', earlier, outcome.sha]);
    assert.deepEqual(
      changed.split('\n').map((line) => line.replace(/ [0-9a-f.]+ [0-9a-f.]+ M/, ' M')),
      [':100644 100644 M\tapps/a.yaml', ':100755 100755 M\trun.sh'],
    );
  });

  it('is not pushed over what somebody else pushed meanwhile', async () => {
    const late = await commitOf({ 'apps/a.yaml': 'a: 3\n' });
    await git(clone, ['pull', '--quiet', '--rebase', 'origin', 'main']);
    const theirs = await commitFiles(clone, { 'apps/b.yaml': 'b: 9\n' }, 'Theirs');
    await push(clone);
    assert.deepEqual(await host.commit(repository, late, main), { kind: 'moved' });
    assert.equal(await head(), theirs);
  });

  it('goes to a branch of our own whatever stands there', async () => {
    const own = { name: 'trueup/images/shop', replaces: true };
    for (const text of ['a: 4\n', 'a: 5\n']) {
      const outcome = await host.commit(repository, await commitOf({ 'apps/a.yaml': text }), own);
      assert.ok(outcome.kind === 'pushed');
      assert.equal(await show(`${outcome.sha}:apps/a.yaml`).then((shown) => shown.trim()), text.trim());
    }
  });

  it('goes there on top of a commit that others have pushed over meanwhile, without what the host has already', async () => {
    const own = { name: 'trueup/late', replaces: true, expected: null };
    const late = await commitOf({ 'apps/a.yaml': 'a: late\n' });
    await using worktree = await host.checkout(repository, late.parent);
    assert.ok(worktree !== undefined);
    await git(clone, ['pull', '--quiet', '--rebase', 'origin', 'main']);
    // What the parent has here is in no commit that a branch leads to.
    await commitFiles(clone, { 'apps/b.yaml': 'b: late\n' }, 'Theirs');
    await push(clone);
    const outcome = await host.commit(repository, late, own);
    assert.ok(outcome.kind === 'pushed');
    assert.equal(await show(`${outcome.sha}:apps/b.yaml`), 'b: 9');
  });

  it('is the same when it is made again, though its branch was looked at and then deleted', async () => {
    const own = { name: 'trueup/again', replaces: true };
    const again = await commitOf({ 'apps/a.yaml': 'a: again\n' });
    const outcome = await host.commit(repository, again, { ...own, expected: null });
    assert.ok(outcome.kind === 'pushed');
    await using worktree = await host.checkout({ ...repository, branch: own.name }, outcome.sha);
    assert.equal(worktree?.commit.committer.email, 'trueup@example.com');
    assert.deepEqual(await host.commit(repository, again, { ...own, expected: outcome.sha }), outcome);
    await deleteBranch(clone, own.name);
    assert.deepEqual(await host.commit(repository, again, { ...own, expected: null }), outcome);
    assert.equal(await show('--format=%P', outcome.sha), again.parent);
  });

  it('may change nothing', async () => {
    const outcome = await host.commit(repository, await commitOf({}), {
      name: 'trueup/none',
      replaces: true,
    });
    assert.ok(outcome.kind === 'pushed');
  });

  it('carries a signature that git knows, where a key is named', async () => {
    const commit = await commitOf({ 'apps/a.yaml': 'a: 6\n' }, { signingKeySecret: 'git/key' });
    const outcome = await host.commit(repository, commit, main);
    assert.ok(outcome.kind === 'pushed');
    await git(clone, ['fetch', '--quiet', 'origin']);
    const raw = await git(clone, ['cat-file', 'commit', outcome.sha]);
    const armored =
      /gpgsig (-----BEGIN[^]*?-----END PGP SIGNATURE-----)/.exec(raw)?.[1]?.replaceAll('\n ', '\n') ?? '';
    const unsigned = raw.replace(/gpgsig -----BEGIN[^]*?-----END PGP SIGNATURE-----\n/, '');
    const { signatures } = await verify({
      message: await createMessage({ binary: Buffer.from(`${unsigned.trimEnd()}\n`) }),
      signature: await readSignature({ armoredSignature: armored }),
      verificationKeys: await readKey({ armoredKey: publicKey }),
    });
    await signatures[0]?.verified;
    const bad = await commitOf({ 'apps/a.yaml': 'a: 7\n' }, { signingKeySecret: 'git/bad' });
    await assert.rejects(host.commit(repository, bad, main), /secret git\/bad: signs no commit/);
  });

  it('is refused with a word on what to do where the token may not push', async () => {
    const other = repositorySchema.parse({ ...repository, tokenSecret: 'git/wrong' });
    const commit = await commitOf({ 'apps/a.yaml': 'a: 8\n' });
    await assert.rejects(host.commit(other, commit, main), /refused the token in secret git\/wrong/);
  });
});
