import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { gitFault } from '../../adapters/git-fault.ts';
import { HttpGit } from '../../adapters/git.ts';
import { Blocked, Retry } from '../../core/errors.ts';
import { git as runGit } from '../git/git-command.ts';
import { startGitServer, type GitServer } from '../git/git-server.ts';

const token = 'a-token-of-the-test';
let root = '';
let scratch = '';
let server: GitServer;
let sha = '';

function gitWith(seconds = 30, secret = token, path = process.env['PATH'] ?? ''): HttpGit {
  const secrets = { get: async () => ({ current: secret }) };
  return new HttpGit({ secrets, scratch, path, limits: { seconds } });
}

function repositoryAt(url: string) {
  const settings = { provider: 'github' as const, branch: 'main', applications: 'applications' };
  return { ...settings, name: 'fleet', url, tokenSecret: 'git/token' };
}

const stub = createServer((request, response) => {
  const [, status = '200'] = (request.url ?? '').split('/');
  // `/hang` takes the request and says nothing.
  if (status === 'hang') return;
  response
    .writeHead(Number(status), { location: 'https://elsewhere.example/x.git' })
    .end('<html>\n<body>Sign in\n');
});

before(async () => {
  root = await mkdtemp(join(tmpdir(), 'trueup-test-'));
  scratch = join(root, 'scratch');
  await mkdir(scratch);
  await mkdir(join(root, 'files/apps'), { recursive: true });
  await writeFile(join(root, 'files/apps/a.yaml'), 'a');
  server = await startGitServer({ dir: join(root, 'host'), token });
  sha = (await server.createRepository('fleet', { from: join(root, 'files') })) ?? '';
  stub.listen(0, '127.0.0.1');
});
after(async () => {
  await server.stop();
  stub.close();
  stub.closeAllConnections();
  await rm(root, { recursive: true, force: true });
});

const faults: {
  what: string;
  url: () => string;
  error: typeof Retry | typeof Blocked;
  says: RegExp;
  secret?: string;
}[] = [
  {
    what: 'a wrong token',
    url: () => server.url('fleet'),
    secret: 'wrong',
    error: Blocked,
    says: /refused the token in secret git\/token/,
  },
  {
    what: 'a repository that is not there',
    url: () => server.url('fleet').replace('fleet', 'flea'),
    error: Blocked,
    says: /knows no .*may not read it/,
  },
  { what: '403', url: () => `${stubUrl()}/403/x.git`, error: Blocked, says: /refused the token/ },
  {
    what: 'a redirect',
    url: () => `${stubUrl()}/301/x.git`,
    error: Blocked,
    says: /redirects .*mend its url/,
  },
  {
    what: '500',
    url: () => `${stubUrl()}/500/x.git`,
    error: Retry,
    says: /did not answer as it should \(.*500/,
  },
  {
    what: '429',
    url: () => `${stubUrl()}/429/x.git`,
    error: Retry,
    says: /did not answer as it should \(.*429/,
  },
  {
    what: 'a host that is no Git host',
    url: () => `${stubUrl()}/200/x.git`,
    error: Retry,
    says: /did not answer as it should/,
  },
  { what: 'silence', url: () => `${stubUrl()}/hang/x.git`, error: Retry, says: /took longer than 1 s/ },
  {
    what: 'a closed port',
    url: () => 'http://127.0.0.1:1/x.git',
    error: Retry,
    says: /did not answer as it should/,
  },
  {
    what: 'an unknown host',
    url: () => 'https://git.invalid/x.git',
    error: Retry,
    says: /host git\.invalid cannot be found/,
  },
];

function stubUrl(): string {
  const address = stub.address();
  assert.ok(address !== null && typeof address === 'object');
  return `http://127.0.0.1:${address.port}`;
}

for (const { what, url, error: expected, says, secret } of faults) {
  test(`${what} is told with what to do, without the token`, async () => {
    const git = gitWith(what === 'silence' ? 1 : 30, secret);
    const asked = repositoryAt(url());
    const check = (error: Error) => {
      assert.ok(error instanceof expected, `${error.name}: ${error.message}`);
      assert.match(error.message, says);
      assert.ok(!JSON.stringify([error.message, error.stack, String(error.cause)]).includes(secret ?? token));
      return true;
    };
    await assert.rejects(git.head(asked), check);
    await assert.rejects(git.checkout(asked, '0123456789'.repeat(4)), check);
    assert.deepEqual(await readdir(scratch), []);
  });
}

const sayings: { stderr: string; url?: string; error: typeof Retry | typeof Blocked }[] = [
  {
    stderr: "fatal: unable to access 'URL': OpenSSL SSL_read: Connection reset by peer, errno 104",
    error: Retry,
  },
  {
    stderr: "fatal: unable to access 'URL': SSL_ERROR_SYSCALL in connection to git.example:443",
    error: Retry,
  },
  {
    stderr: "fatal: unable to access 'URL': Recv failure: Connection reset by peer",
    url: 'https://git.example/redirect/certificate-ssl.git',
    error: Retry,
  },
  {
    stderr: "fatal: unable to access 'URL': Failed to connect to redirection.example port 443",
    url: 'https://redirection.example/x.git',
    error: Retry,
  },
  {
    stderr: "fatal: unable to access 'URL': SSL certificate problem: unable to get local issuer certificate",
    error: Blocked,
  },
  {
    stderr: "fatal: unable to access 'URL': server certificate verification failed. CAfile: none",
    error: Blocked,
  },
  {
    stderr:
      'fatal: unable to update url base from redirection:\n  asked for: URL\n   redirect: https://b.example/',
    error: Blocked,
  },
  { stderr: "fatal: unable to access 'URL': The requested URL returned error: 301", error: Blocked },
  { stderr: "fatal: repository 'URL' not found", error: Blocked },
  {
    stderr:
      'remote: error: GH013: Repository rule violations found for refs/heads/main.\nTo URL\n ! [remote rejected] abc -> main (push declined due to repository rule violations)',
    error: Blocked,
  },
  {
    stderr:
      'To URL\n ! [remote rejected] abc -> main (TF402455: Pushes to this branch are not permitted; you must use a pull request to update this branch.)',
    error: Blocked,
  },
];
for (const { stderr, url = 'https://git.example/x.git', error: expected } of sayings) {
  test(`a push is ${expected === Retry ? 'kept' : 'blocked'} when git says of ${url}: ${stderr}`, () => {
    const fault = gitFault({ name: 'fleet', url }, stderr.replaceAll('URL', url));
    assert.ok(fault instanceof expected, `${fault.name}: ${fault.message}`);
  });
}

test('a repository without a token secret is asked for one', async () => {
  const { tokenSecret: _, ...open } = repositoryAt(server.url('fleet'));
  await assert.rejects(gitWith().head(open), /Blocked: .* wants a token; put one .* tokenSecret/);
});

test('the token is in no argument and in no file, and git sees nothing of our environment', async () => {
  const bin = join(root, 'bin');
  const seen = join(root, 'seen');
  await mkdir(bin);
  const real = (await runGit('/', ['--exec-path'])) + '/git';
  const script = `#!/bin/sh\nprintf '%s\\n' "$@" >> ${seen}\nenv | cut -d= -f1 >> ${seen}.env\nexec ${real} "$@"\n`;
  await writeFile(join(bin, 'git'), script, { mode: 0o755 });
  const git = gitWith(30, token, `${bin}:${process.env['PATH'] ?? ''}`);
  const repository = repositoryAt(server.url('fleet'));
  assert.equal(await git.head(repository), sha);
  await using worktree = (await git.checkout(repository, sha)) ?? assert.fail();
  await worktree.files('apps');
  const encoded = Buffer.from(`x-access-token:${token}`).toString('base64');
  const told = await readFile(seen, 'utf8');
  assert.match(told, /ls-remote[^]*fetch[^]*checkout/);
  const files = await readdir(join(worktree.directory, '..'), { recursive: true, withFileTypes: true });
  const contents = files
    .filter((file) => file.isFile())
    .map((file) => readFile(join(file.parentPath, file.name), 'latin1'));
  for (const text of [told, ...(await Promise.all(contents))]) {
    assert.ok(!text.includes(token) && !text.includes(encoded));
  }
  const names = new Set((await readFile(`${seen}.env`, 'utf8')).trim().split('\n'));
  const ours = [...names].filter((name) => !/^(GIT_.*|PATH|HOME|LC_ALL|PWD|OLDPWD|SHLVL|_)$/.test(name));
  assert.deepEqual(ours, []);
});
