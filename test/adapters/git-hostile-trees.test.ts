import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { HttpGit } from '../../adapters/git.ts';
import { repositorySchema } from '../../core/contract/repository.ts';
import { Stop } from '../../core/errors.ts';
import { git, gitEnvironment } from '../git/git-command.ts';
import { startGitServer, type GitServer } from '../git/git-server.ts';
import { cloneWorktree, commitFiles, push } from '../git/worktree.ts';

// Trees that git itself would never write, and that a host gives to whoever asks.

const token = 'a-token-of-the-test';
let root = '';
let scratch = '';
let server: GitServer;
let clone = '';
/** Of a commit that exists, for submodules; and of a tree and a blob of it. */
let ids: Record<'commit' | 'tree' | 'blob', string>;

before(async () => {
  root = await mkdtemp(join(tmpdir(), 'trueup-test-'));
  scratch = join(root, 'scratch');
  await mkdir(scratch);
  server = await startGitServer({ dir: join(root, 'host'), token });
  await server.createRepository('fleet');
  clone = join(root, 'clone');
  await cloneWorktree(server.urlWithToken('fleet'), clone);
  const filter = `[core]\n\trepositoryformatversion = 0\n[filter "x"]\n\tsmudge = touch ${join(root, 'ran')}; cat\n`;
  await commitFiles(clone, { 'git-1/config': filter, '.gitattributes': '* filter=x\n', 'a.yaml': 'a' }, 'A');
  await push(clone);
  const id = (name: string) => git(clone, ['rev-parse', name]);
  ids = { commit: await id('HEAD'), tree: await id('HEAD:git-1'), blob: await id('HEAD:a.yaml') };
});
after(async () => {
  await server.stop();
  await rm(root, { recursive: true, force: true });
});

interface Entry {
  readonly mode: string;
  readonly name: string;
  readonly id: string;
}

/** A commit of these entries in this order, on a branch of its own. */
async function commitOf(entries: readonly Entry[], branch: string): Promise<string> {
  const bytes = entries.flatMap(({ mode, name, id }) => [
    Buffer.from(`${mode} ${name}\0`),
    Buffer.from(id, 'hex'),
  ]);
  const args = ['hash-object', '-t', 'tree', '-w', '--stdin', '--literally'];
  const options = { cwd: clone, input: Buffer.concat(bytes), env: gitEnvironment() };
  const tree = execFileSync('git', args, options).toString().trim();
  const sha = await git(clone, ['commit-tree', tree, '-m', 'Hostile']);
  await git(clone, ['push', '--quiet', 'origin', `${sha}:refs/heads/${branch}`]);
  return sha;
}

const folder = (name: string): Entry => ({ mode: '40000', name, id: ids.tree });
const file = (name: string): Entry => ({ mode: '100644', name, id: ids.blob });
const symlink = (name: string): Entry => ({ mode: '120000', name, id: ids.blob });
const submodule = (name: string): Entry => ({ mode: '160000', name, id: ids.commit });

const hostile: { what: string; entries: () => Entry[]; says: RegExp }[] = [
  { what: 'a submodule above', entries: () => [submodule('..')], says: /has the path "\.\."/ },
  { what: 'a submodule that is all', entries: () => [submodule('.')], says: /has the path "\."/ },
  { what: 'a folder above', entries: () => [folder('..')], says: /has the path "\.\."/ },
  { what: 'a way up in a name', entries: () => [submodule('a/../..')], says: /has the path "a\/\.\.\/\.\."/ },
  { what: 'an absolute path', entries: () => [submodule('/tmp/x')], says: /has the path "\/tmp\/x"/ },
  { what: 'a folder of Git', entries: () => [folder('.git')], says: /has the path "\.git"/ },
  { what: 'one in capitals', entries: () => [folder('.GIT')], says: /has the path "\.GIT"/ },
  {
    what: 'a link and a folder of one name',
    entries: () => [symlink('a'), folder('a')],
    says: /has two entries at one path/,
  },
  {
    what: 'a submodule behind a link',
    entries: () => [symlink('a'), submodule('a/b')],
    says: /has "a\/b" below what is no folder/,
  },
  { what: 'a file in no folder', entries: () => [file('a/b')], says: /has "a\/b" below what is no folder/ },
];
for (const [index, { what, entries, says }] of hostile.entries()) {
  test(`a tree is refused before anything is written: ${what}`, async () => {
    const branch = `hostile-${index}`;
    const sha = await commitOf(entries(), branch);
    const repository = {
      name: 'fleet',
      url: server.url('fleet'),
      branch,
      tokenSecret: 't',
      submodules: true,
    };
    const source = new HttpGit({
      secrets: { get: async () => ({ current: token }) },
      scratch,
      path: process.env['PATH'] ?? '',
    });
    await assert.rejects(source.checkout(repositorySchema.parse(repository), sha), (error: Error) => {
      assert.ok(error instanceof Stop, error.message);
      assert.match(error.message, says);
      return /repository fleet: .*is not checked out$/.test(error.message);
    });
    const left = await readdir(scratch);
    assert.deepEqual(
      left.filter((name) => name.startsWith('trueup-checkout-')),
      [],
    );
    assert.ok(!existsSync(join(root, 'ran')));
  });
}
