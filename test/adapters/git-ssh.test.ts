import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { GitAccesses } from '../../adapters/git-access.ts';
import { HttpGit } from '../../adapters/git.ts';
import { repositorySchema, type RepositoryConfig } from '../../core/contract/repository.ts';
import { Blocked, Retry } from '../../core/errors.ts';
import { git } from '../git/git-command.ts';
import { newSshKey, startSshGitServer, type SshGitServer } from '../git/ssh-server.ts';

const hasSsh = (() => {
  try {
    execFileSync('ssh', ['-V'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
})();
const options = { skip: hasSsh ? false : 'there is no ssh on the PATH' };

const key = newSshKey();
let root = '';
let scratch = '';
let server: SshGitServer;
let sha = '';

function repositoryAt(path: string): RepositoryConfig {
  const url = `ssh://git@127.0.0.1:${server.port}/${path}`;
  return repositorySchema.parse({ name: 'fleet', url, ssh: { secret: 'git/key' } });
}

function gitWith(secret: unknown, seconds = 30): HttpGit {
  const secrets = { get: async () => ({ current: JSON.stringify(secret) }) };
  return new HttpGit({ secrets, scratch, path: process.env['PATH'] ?? '', limits: { seconds } });
}

before(async () => {
  root = await mkdtemp(join(tmpdir(), "trueup-test-it's "));
  scratch = join(root, 'scratch');
  await mkdir(scratch);
  const bare = join(root, 'fleet.git');
  await git(root, ['init', '--quiet', '--bare', '--initial-branch=main', bare]);
  await git(bare, ['config', 'uploadpack.allowFilter', 'true']);
  const work = join(root, 'work');
  await git(root, ['clone', '--quiet', bare, work]);
  await mkdir(join(work, 'apps'));
  await writeFile(join(work, 'apps/a.yaml'), 'a: 1\n');
  await git(work, ['add', '--all']);
  await git(work, ['commit', '--quiet', '--message', 'Start']);
  await git(work, ['push', '--quiet', 'origin', 'HEAD:refs/heads/main']);
  sha = await git(work, ['rev-parse', 'HEAD']);
  server = await startSshGitServer(root, key);
});
after(async () => {
  await server.stop();
  await rm(root, { recursive: true, force: true });
});

test(
  'a repository is read over SSH with the key of the secret, and nothing of the key stays',
  options,
  async () => {
    const host = gitWith({ identity: key.private, known_hosts: server.knownHost });
    const repository = repositoryAt('fleet.git');
    assert.equal(await host.head(repository), sha);
    await using worktree = (await host.checkout(repository, sha)) ?? assert.fail();
    assert.deepEqual(await worktree.files('apps'), ['apps/a.yaml']);
    assert.equal(await worktree.text('apps/a.yaml'), 'a: 1\n');
    assert.ok(server.commands.every((command) => command === "git-upload-pack '/fleet.git'"));
    assert.deepEqual(
      (await readdir(scratch)).filter((name) => name.startsWith('trueup-ssh-')),
      [],
    );
  },
);

const refusals: {
  what: string;
  secret: () => unknown;
  path?: string;
  error: typeof Blocked | typeof Retry;
  says: RegExp;
}[] = [
  {
    what: 'a host that is not in known_hosts',
    secret: () => ({
      identity: key.private,
      known_hosts: server.knownHost.replace('127.0.0.1', '127.0.0.2'),
    }),
    error: Blocked,
    says: /shows a host key that is not in `known_hosts` of secret git\/key; compare it/,
  },
  {
    what: 'a host whose key has changed',
    secret: () => ({
      identity: key.private,
      known_hosts: `[127.0.0.1]:${server.port} ${newSshKey().public}`,
    }),
    error: Blocked,
    says: /shows a host key that is not in `known_hosts`/,
  },
  {
    what: 'a key that the host does not know',
    secret: () => ({ identity: newSshKey().private, known_hosts: server.knownHost }),
    error: Blocked,
    says: /refused the key in secret git\/key/,
  },
  {
    what: 'a key that cannot be read',
    secret: () => ({ identity: 'no key', known_hosts: server.knownHost }),
    error: Blocked,
    says: /refused the key in secret git\/key/,
  },
  {
    what: 'a repository that is not there',
    secret: () => ({ identity: key.private, known_hosts: server.knownHost }),
    path: 'flea.git',
    error: Blocked,
    says: /knows no ssh:.*or the key in secret git\/key may not read it/,
  },
  {
    what: 'a secret of another shape',
    secret: () => ({ key: key.private }),
    error: Blocked,
    says: /secret git\/key must be JSON with the texts `identity`.* and `known_hosts`/,
  },
];
for (const { what, secret, path = 'fleet.git', error: expected, says } of refusals) {
  test(`refused: ${what}`, options, async () => {
    await assert.rejects(gitWith(secret()).head(repositoryAt(path)), (error: Error) => {
      assert.ok(error instanceof expected, `${error.name}: ${error.message}`);
      assert.match(error.message, says);
      assert.ok(!JSON.stringify([error.message, String(error.cause)]).includes('PRIVATE KEY'));
      return true;
    });
  });
}

test('a host that does not answer is asked again', options, async () => {
  const secret = { identity: key.private, known_hosts: server.knownHost };
  const repository = { ...repositoryAt('fleet.git'), url: 'ssh://git@127.0.0.1:1/fleet.git' };
  await assert.rejects(gitWith(secret).head(repository), (error) => error instanceof Retry);
});

test('no way in but the key is tried: no agent, no password, no file of the user', options, async () => {
  const earlier = server.methods.length;
  process.env['SSH_AUTH_SOCK'] = '/nonexistent/agent';
  await assert.rejects(
    gitWith({ identity: newSshKey().private, known_hosts: server.knownHost }).head(repositoryAt('fleet.git')),
  );
  delete process.env['SSH_AUTH_SOCK'];
  const tried = server.methods.slice(earlier).filter((method) => method !== 'none');
  assert.deepEqual(tried, ['publickey']);
});

test('the key is readable by us alone, and only while git runs', async () => {
  const current = JSON.stringify({ identity: key.private, known_hosts: server.knownHost });
  const accesses = new GitAccesses({
    secrets: { get: async () => ({ current }) },
    scratch,
    clock: { now: () => 0 },
  });
  {
    await using access = await accesses.open(repositoryAt('fleet.git'));
    assert.equal(access.protocols, 'ssh');
    const [folder = ''] = (await readdir(scratch)).filter((name) => name.startsWith('trueup-ssh-'));
    assert.equal((await stat(join(scratch, folder))).mode & 0o777, 0o700);
    for (const file of await readdir(join(scratch, folder))) {
      assert.equal((await stat(join(scratch, folder, file))).mode & 0o777, 0o600, file);
    }
  }
  assert.deepEqual(
    (await readdir(scratch)).filter((name) => name.startsWith('trueup-ssh-')),
    [],
  );
});
