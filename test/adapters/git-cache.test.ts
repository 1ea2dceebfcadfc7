import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { chmod, mkdir, mkdtemp, readFile, readdir, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, test } from 'node:test';
import { HttpGit, type GitLimits } from '../../adapters/git.ts';
import { repositorySchema, type RepositoryConfig } from '../../core/contract/repository.ts';
import { git } from '../git/git-command.ts';
import { startGitProxy, type GitProxy } from '../git/git-proxy.ts';
import { startGitServer, type GitServer } from '../git/git-server.ts';
import { cloneWorktree, commitFiles, push } from '../git/worktree.ts';

const token = 'a-token-of-the-test';
let root = '';
let scratch = '';
let cache = '';
let server: GitServer;
let proxy: GitProxy;
let repository: RepositoryConfig;
let clone = '';
let count = 0;

function gitWith(limits: Partial<GitLimits> = {}): HttpGit {
  const secrets = { get: async () => ({ current: token }) };
  return new HttpGit({ secrets, scratch, path: process.env['PATH'] ?? '', limits });
}

async function repositoryNamed(name: string): Promise<RepositoryConfig> {
  await server.createRepository(name);
  const url = proxy.through(server.url(name));
  return repositorySchema.parse({ name, url, tokenSecret: 'git/token' });
}

/** Text that does not compress, so that bytes on the wire are bytes of files. */
const noise = (bytes: number) => randomBytes(bytes / 2).toString('hex');

async function commit(files: Record<string, string | null>): Promise<string> {
  const sha = await commitFiles(clone, files, 'Change');
  await push(clone);
  return sha;
}

/** Checks out, reads one file and gives the bytes that came from the host. */
async function taken(host: HttpGit, sha: string, path = 'apps/a.yaml', from = repository): Promise<number> {
  proxy.taken();
  await using worktree = (await host.checkout(from, sha)) ?? assert.fail('the host has no such commit');
  await worktree.files('apps');
  await worktree.text(path);
  return proxy.taken();
}

async function cached(): Promise<string[]> {
  const folders = await readdir(cache).catch(() => []);
  return folders.map((name) => join(cache, name));
}

before(async () => {
  root = await mkdtemp(join(tmpdir(), 'trueup-test-'));
  server = await startGitServer({ dir: join(root, 'host'), token });
  proxy = await startGitProxy();
});
after(async () => {
  await proxy.stop();
  await server.stop();
  await rm(root, { recursive: true, force: true });
});
beforeEach(async () => {
  count += 1;
  scratch = join(root, `scratch-${count}`);
  cache = join(scratch, 'trueup-git-cache');
  await mkdir(scratch);
  repository = await repositoryNamed(`fleet-${count}`);
  clone = join(root, `clone-${count}`);
  await cloneWorktree(server.urlWithToken(repository.name), clone);
});

test('the second fetch transfers only the difference, in another invocation too', async () => {
  const files = Object.fromEntries(
    Array.from({ length: 200 }, (_, index) => [`apps/${index}/web.yaml`, noise(2000)]),
  );
  const first = await commit({ ...files, 'apps/a.yaml': 'a: 1\n' });
  const whole = await taken(gitWith(), first);
  assert.ok(whole > 200 * 1000, `${whole} bytes`);
  const second = await commit({ 'apps/a.yaml': `a: ${noise(3000)}\n` });
  const difference = await taken(gitWith(), second);
  assert.ok(difference > 1500 && difference < 12_000, `${difference} bytes`);
  proxy.asked();
  assert.equal(await taken(gitWith(), second), 0, 'the same commit once more');
  assert.deepEqual(proxy.asked(), []);
});

test('a live checkout is its own: the cache may go while it is read', async () => {
  const sha = await commit({ 'apps/a.yaml': 'a: 1\n', 'other/b.yaml': 'b: 1\n' });
  await taken(gitWith(), sha);
  await using worktree = (await gitWith().checkout(repository, sha)) ?? assert.fail();
  await rm(cache, { recursive: true });
  assert.equal(await worktree.text('apps/a.yaml'), 'a: 1\n');
  assert.equal(await worktree.text('other/b.yaml'), 'b: 1\n');
});

const damages: [string, (file: string) => Promise<void>][] = [
  ['a pack that was cut off', (file) => truncate(file, 20)],
  ['a pack with other bytes', async (file) => writeFile(file, randomBytes((await stat(file)).size))],
  ['a pack that is gone', (file) => rm(file)],
];
for (const [what, damage] of damages) {
  test(`${what} is thrown away and fetched again`, async () => {
    const first = await commit({ 'apps/a.yaml': 'a: 1\n' });
    await taken(gitWith(), first);
    const second = await commit({ 'apps/a.yaml': 'a: 2\n' });
    for (const folder of await cached()) {
      for (const name of await readdir(folder)) if (name.endsWith('.pack')) await damage(join(folder, name));
    }
    for (const sha of [first, second, first]) {
      await using worktree = (await gitWith().checkout(repository, sha)) ?? assert.fail();
      assert.equal(await worktree.text('apps/a.yaml'), sha === first ? 'a: 1\n' : 'a: 2\n');
    }
  });
}

test('a manifest that cannot be read is thrown away', async () => {
  const sha = await commit({ 'apps/a.yaml': 'a: 1\n' });
  await taken(gitWith(), sha);
  for (const folder of await cached()) await writeFile(join(folder, 'manifest.json'), '{"version": 1, "com');
  assert.ok((await taken(gitWith(), sha)) > 0);
  assert.equal(await taken(gitWith(), sha), 0);
});

test('the least recently used repository goes when there is too much', async () => {
  const limits = { cacheBytes: 250_000 };
  const shas: string[] = [];
  const repositories = [repository];
  for (const index of [0, 1, 2]) {
    if (index > 0) {
      repository = await repositoryNamed(`fleet-${count}-${index}`);
      repositories.push(repository);
      clone = join(root, `clone-${count}-${index}`);
      await cloneWorktree(server.urlWithToken(repository.name), clone);
    }
    shas.push(await commit({ 'apps/a.yaml': noise(200_000) }));
    await taken(gitWith(limits), shas[index] ?? '');
  }
  const sizes = await Promise.all(
    (await cached()).map(async (folder) => {
      const files = await readdir(folder);
      const stats = await Promise.all(files.map((name) => stat(join(folder, name))));
      return stats.reduce((sum, { size }) => sum + size, 0);
    }),
  );
  assert.ok(sizes.reduce((sum, size) => sum + size, 0) <= limits.cacheBytes, String(sizes));
  const [first, , last] = repositories;
  assert.equal(await taken(gitWith(limits), shas[2] ?? '', 'apps/a.yaml', last), 0);
  assert.ok((await taken(gitWith(limits), shas[0] ?? '', 'apps/a.yaml', first)) > 100_000);
});

test('a repository larger than all of it is not kept', async () => {
  const sha = await commit({ 'apps/a.yaml': noise(50_000) });
  await taken(gitWith({ cacheBytes: 20_000 }), sha);
  assert.ok((await taken(gitWith({ cacheBytes: 20_000 }), sha)) > 20_000);
});

test('several checkouts at once, of one repository and of several, in one process and in two', async () => {
  const one = await commit({ 'apps/a.yaml': 'a: 1\n' });
  const two = await commit({ 'apps/a.yaml': 'a: 2\n' });
  const [host, other] = [gitWith(), gitWith()];
  const texts = await Promise.all(
    [one, two, one, two, one, two].map(async (sha, index) => {
      await using worktree =
        (await (index % 2 < 1 ? host : other).checkout(repository, sha)) ?? assert.fail();
      return await worktree.text('apps/a.yaml');
    }),
  );
  assert.deepEqual(texts, ['a: 1\n', 'a: 2\n', 'a: 1\n', 'a: 2\n', 'a: 1\n', 'a: 2\n']);
  assert.deepEqual(
    (await readdir(scratch)).filter((name) => name !== 'trueup-git-cache'),
    [],
  );
});

test('a cache that others may write is not believed', async () => {
  const sha = await commit({ 'apps/a.yaml': 'a: 1\n' });
  await taken(gitWith(), sha);
  await chmod(cache, 0o777);
  assert.ok((await taken(gitWith(), sha)) > 0);
  await chmod(cache, 0o700);
  assert.equal(await taken(gitWith(), sha), 0);
});

test('no token lies in the cache', async () => {
  const sha = await commit({ 'apps/a.yaml': 'a: 1\n' });
  await taken(gitWith(), sha);
  const encoded = Buffer.from(`x-access-token:${token}`).toString('base64');
  for (const folder of await cached()) {
    for (const name of await readdir(folder)) {
      const text = await readFile(join(folder, name), 'latin1');
      assert.ok(!text.includes(token) && !text.includes(encoded), name);
    }
  }
});

test('a host that gives no commit by its SHA is asked for the ref that leads there', async () => {
  const first = await commit({ 'apps/a.yaml': 'a: 1\n' });
  const second = await commit({ 'apps/a.yaml': 'a: 2\n' });
  const bare = join(root, 'host', 'acme', `${repository.name}.git`);
  for (const key of ['allowAnySHA1InWant', 'allowReachableSHA1InWant', 'allowFilter']) {
    await git(bare, ['config', `uploadpack.${key}`, 'false']);
  }
  proxy.old = true;
  try {
    const host = gitWith();
    assert.equal(await host.head(repository), second);
    await using worktree = (await host.checkout(repository, second)) ?? assert.fail();
    assert.equal(await worktree.text('apps/a.yaml'), 'a: 2\n');
    assert.equal(await host.checkout(repository, first), undefined);
  } finally {
    proxy.old = false;
  }
});
