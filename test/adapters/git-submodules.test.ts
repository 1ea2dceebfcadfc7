import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { HttpGit, type GitLimits } from '../../adapters/git.ts';
import { repositorySchema, type RepositoryConfig } from '../../core/contract/repository.ts';
import { Stop } from '../../core/errors.ts';
import { git } from '../git/git-command.ts';
import { startGitServer, type GitServer } from '../git/git-server.ts';
import { cloneWorktree, commitFiles, push } from '../git/worktree.ts';

const token = 'a-token-of-the-test';
let root = '';
let scratch = '';
let server: GitServer;
let other: GitServer;
let library = '';
let count = 0;

function gitWith(declared: readonly RepositoryConfig[] = [], limits: Partial<GitLimits> = {}): HttpGit {
  const secrets = {
    get: async (name: string) => ({ current: name === 'git/other' ? 'another-token' : token }),
  };
  const repositories = async () => declared;
  return new HttpGit({ secrets, scratch, path: process.env['PATH'] ?? '', repositories, limits });
}

function repositoryAt(host: GitServer, name: string, change: object = {}): RepositoryConfig {
  return repositorySchema.parse({ name, url: host.url(name), tokenSecret: 'git/token', ...change });
}

/** A repository with one commit of these files and of gitlinks, by path. */
async function repositoryWith(
  files: Record<string, string>,
  links: Record<string, string> = {},
): Promise<{ name: string; sha: string }> {
  count += 1;
  const name = `fleet-${count}`;
  await server.createRepository(name);
  const clone = join(root, `clone-${count}`);
  await cloneWorktree(server.urlWithToken(name), clone);
  await commitFiles(clone, files, 'Files');
  for (const [path, sha] of Object.entries(links)) {
    await git(clone, ['update-index', '--add', '--cacheinfo', `160000,${sha},${path}`]);
  }
  await git(clone, ['commit', '--quiet', '--allow-empty', '--message', 'Links']);
  await push(clone);
  return { name, sha: await git(clone, ['rev-parse', 'HEAD']) };
}

const modules = (path: string, url: string, more = '') =>
  `[submodule "lib"]\n\tpath = ${path}\n\turl = ${url}\n${more}`;

before(async () => {
  root = await mkdtemp(join(tmpdir(), 'trueup-test-'));
  scratch = join(root, 'scratch');
  await mkdir(scratch);
  await mkdir(join(root, 'files/base'), { recursive: true });
  await writeFile(join(root, 'files/base/b.yaml'), 'b: 1\n');
  server = await startGitServer({ dir: join(root, 'host'), token });
  other = await startGitServer({ dir: join(root, 'other'), token: 'another-token' });
  library = (await server.createRepository('library', { from: join(root, 'files') })) ?? '';
  await other.createRepository('elsewhere', { from: join(root, 'files') });
});
after(async () => {
  await server.stop();
  await other.stop();
  await rm(root, { recursive: true, force: true });
});

async function checkedOut(
  name: string,
  sha: string,
  change: object = { submodules: true },
  git_ = gitWith(),
) {
  return (await git_.checkout(repositoryAt(server, name, change), sha)) ?? assert.fail();
}

for (const url of ['../library.git', './../library', 'git@127.0.0.1:acme/library.git']) {
  test(`a submodule beside its repository is checked out at its pinned commit: ${url}`, async () => {
    const files = { 'apps/a.yaml': 'a', '.gitmodules': modules('apps/lib', url) };
    const { name, sha } = await repositoryWith(files, { 'apps/lib': library });
    await using worktree = await checkedOut(name, sha);
    assert.deepEqual(await worktree.files('apps'), ['apps/a.yaml', 'apps/lib/base/b.yaml']);
    assert.equal(await worktree.text('apps/lib/base/b.yaml'), 'b: 1\n');
    assert.equal(worktree.ids.get('apps/lib'), `160000 ${library}`);
    assert.match(worktree.ids.get('apps/lib/base/b.yaml') ?? '', /^100644 [0-9a-f]{40}$/);
  });
}

test('of a submodule only what is asked for is fetched', async () => {
  const { name, sha } = await repositoryWith(
    { '.gitmodules': modules('lib', '../library.git') },
    { lib: library },
  );
  await using worktree = await checkedOut(name, sha);
  assert.deepEqual(await worktree.files('lib/nowhere'), []);
  assert.ok(!existsSync(join(worktree.directory, 'lib/base')));
  assert.deepEqual(await worktree.files('lib/base'), ['lib/base/b.yaml']);
});

test('a submodule may lead to a repository of the stack configuration, which is read by its own token', async () => {
  const url = other.url('elsewhere');
  const { name, sha } = await repositoryWith(
    { '.gitmodules': modules('lib', url.replace(/\.git$/, '')) },
    { lib: await git(join(root, 'other/acme/elsewhere.git'), ['rev-parse', 'main']) },
  );
  const declared = repositoryAt(other, 'elsewhere', { tokenSecret: 'git/other' });
  await using worktree = await checkedOut(name, sha, { submodules: true }, gitWith([declared]));
  assert.equal(await worktree.text('lib/base/b.yaml'), 'b: 1\n');
});

test('submodules of submodules are followed', async () => {
  const inner = await repositoryWith({ '.gitmodules': modules('deep', '../library.git') }, { deep: library });
  const { name, sha } = await repositoryWith(
    { '.gitmodules': modules('lib', `../${inner.name}.git`) },
    { lib: inner.sha },
  );
  await using worktree = await checkedOut(name, sha);
  assert.deepEqual(await worktree.files('lib/deep'), ['lib/deep/base/b.yaml']);
});

test('limits add up over all of them', async () => {
  const files = { 'apps/a.yaml': 'a', '.gitmodules': modules('apps/lib', '../library.git') };
  const { name, sha } = await repositoryWith(files, { 'apps/lib': library });
  await using worktree = await checkedOut(name, sha, { submodules: true }, gitWith([], { files: 1 }));
  await assert.rejects(worktree.files('apps'), /more than 1 files/);
  await using small = await checkedOut(name, sha, { submodules: true }, gitWith([], { bytes: 5000 }));
  assert.deepEqual(await small.files('apps'), ['apps/a.yaml', 'apps/lib/base/b.yaml']);
});

const marker = () => join(root, 'touched');
const refused: { what: string; gitmodules: () => string; says: RegExp; off?: boolean; link?: string }[] = [
  {
    what: 'submodules that nobody allowed',
    gitmodules: () => modules('apps/lib', '../library.git'),
    off: true,
    says: /^apps\/lib: is a submodule, and submodules are not checked out; set `submodules: true`/,
  },
  {
    what: 'no url',
    gitmodules: () => modules('elsewhere', '../library.git'),
    says: /is a submodule that has no url in \.gitmodules/,
  },
  {
    what: 'a command as its update',
    gitmodules: () => modules('apps/lib', '../library.git', `\tupdate = !touch ${marker()}\n`),
    says: /is a submodule that has a command as its `update`/,
  },
  {
    what: 'a command as its transport',
    gitmodules: () => modules('apps/lib', `ext::sh -c touch% ${marker()}`),
    says: /leads to ext::sh .*, which is no https:\/\/ or ssh:\/\/ address/,
  },
  {
    what: 'an option as its address',
    gitmodules: () => modules('apps/lib', `--upload-pack=touch ${marker()}`),
    says: /which is no https:\/\/ or ssh:\/\/ address/,
  },
  {
    what: 'an option of ssh as its host',
    gitmodules: () => modules('apps/lib', `ssh://-oProxyCommand=touch/x`),
    says: /which is no https:\/\/ or ssh:\/\/ address/,
  },
  {
    what: 'a file of the machine',
    gitmodules: () => modules('apps/lib', `file://${join(root, 'host/acme/library.git')}`),
    says: /which is no https:\/\/ or ssh:\/\/ address/,
  },
  {
    what: 'a path of the machine',
    gitmodules: () => modules('apps/lib', join(root, 'host/acme/library.git')),
    says: /which is no https:\/\/ or ssh:\/\/ address/,
  },
  {
    what: 'an address that climbs past the host',
    gitmodules: () => modules('apps/lib', '../../../../library.git'),
    says: /which is no https:\/\/ or ssh:\/\/ address/,
  },
  {
    what: 'an address that climbs out of its owner',
    gitmodules: () => modules('apps/lib', '../../somebody/library.git'),
    says: /neither a repository of the stack configuration nor below 127\.0\.0\.1\/acme\//,
  },
  {
    what: 'an address that climbs in the middle',
    gitmodules: () => modules('apps/lib', 'https://127.0.0.1/acme/../somebody/library.git'),
    says: /which is no https:\/\/ or ssh:\/\/ address/,
  },
  {
    what: 'an internal address',
    gitmodules: () => modules('apps/lib', 'http://169.254.169.254/latest/meta-data'),
    says: /leads to http:\/\/169\.254\.169\.254\/.*neither a repository of the stack configuration/,
  },
  {
    what: 'another host that is not declared, whose password is not shown',
    gitmodules: () => modules('apps/lib', 'https://me:hunter2@evil.example/acme/library.git'),
    says: /leads to https:\/\/evil\.example\/.*neither/,
  },
  {
    what: 'a repository that is not there',
    gitmodules: () => modules('apps/lib', '../missing.git'),
    says: /is a submodule that cannot be read: .*knows no/,
  },
  {
    what: 'a commit that is not there',
    gitmodules: () => modules('apps/lib', '../library.git'),
    link: '1'.repeat(40),
    says: /is a submodule at commit 1111111, which .* does not have; push it there/,
  },
  {
    what: 'a .gitmodules that cannot be read',
    gitmodules: () => '[submodule "lib\n\tpath',
    says: /has no url in \.gitmodules/,
  },
];
for (const { what, gitmodules, says, off, link } of refused) {
  test(`refused, where it is read and nowhere else: ${what}`, async () => {
    const { name, sha } = await repositoryWith(
      { 'apps/a.yaml': 'a', 'other/o.yaml': 'o', '.gitmodules': gitmodules() },
      { 'apps/lib': link ?? library },
    );
    await using worktree = await checkedOut(name, sha, off === true ? {} : { submodules: true });
    const check = (error: Error) => {
      assert.ok(error instanceof Stop, error.message);
      assert.match(error.message.replace(/^Stop: /, ''), says);
      assert.ok(!error.message.includes('hunter2'));
      return true;
    };
    await assert.rejects(worktree.files('apps'), check);
    await assert.rejects(worktree.files('apps/lib/base'), check);
    await assert.rejects(worktree.read('apps/lib/base/b.yaml'), check);
    assert.deepEqual(await worktree.files('other'), ['other/o.yaml']);
    assert.equal(await worktree.text('apps/a.yaml'), 'a');
    assert.ok(!existsSync(marker()));
  });
}
