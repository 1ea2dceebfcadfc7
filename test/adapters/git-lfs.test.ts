import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, test } from 'node:test';
import { HttpGit, type GitLimits } from '../../adapters/git.ts';
import { LocalWorktree } from '../../adapters/local-worktree.ts';
import { repositorySchema } from '../../core/contract/repository.ts';
import { Blocked, Retry, Stop } from '../../core/errors.ts';
import type { Worktree } from '../../core/ports.ts';
import { commitOf } from '../fakes/memory-worktree.ts';
import { startGitProxy, type GitProxy, type Intercepted, type InterceptedAnswer } from '../git/git-proxy.ts';
import { startGitServer, type GitServer } from '../git/git-server.ts';
import { cloneWorktree, commitFiles, push } from '../git/worktree.ts';

const token = 'a-token-of-the-test';
const ours = `Basic ${Buffer.from(`x-access-token:${token}`).toString('base64')}`;
const content = 'kind: ConfigMap\n'.repeat(100);
const oid = createHash('sha256').update(content).digest('hex');
const pointer = `version https://git-lfs.github.com/spec/v1\noid sha256:${oid}\nsize ${content.length}\n`;

let root = '';
let scratch = '';
let server: GitServer;
let proxy: GitProxy;
let clone = '';
let sha = '';
let count = 0;
let asked: Intercepted[] = [];
/** What the batch API gives as the place of the content. */
let download: object = {};
let contentAnswer: InterceptedAnswer = { status: 200, body: content };
let batchAnswer: InterceptedAnswer | undefined;

async function checkedOut(lfs: object | undefined, limits: Partial<GitLimits> = {}): Promise<Worktree> {
  const secrets = { get: async () => ({ current: token }) };
  const host = new HttpGit({ secrets, scratch, path: process.env['PATH'] ?? '', limits });
  const name = `fleet-${count}`;
  const url = proxy.through(server.url(name));
  const written = { name, url, tokenSecret: 'git/token', ...(lfs === undefined ? {} : { lfs }) };
  return (await host.checkout(repositorySchema.parse(written), sha)) ?? assert.fail();
}

before(async () => {
  root = await mkdtemp(join(tmpdir(), 'trueup-test-'));
  scratch = join(root, 'scratch');
  await mkdir(scratch);
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
  asked = [];
  batchAnswer = undefined;
  contentAnswer = { status: 200, body: content };
  download = { href: `${proxy.origin}/lfs/content` };
  proxy.lfs = (request) => {
    asked.push(request);
    if (!request.path.endsWith('/objects/batch')) return contentAnswer;
    const objects = [{ oid, size: content.length, actions: { download } }];
    return batchAnswer ?? { status: 200, body: JSON.stringify({ transfer: 'basic', objects }) };
  };
  await server.createRepository(`fleet-${count}`);
  clone = join(root, `clone-${count}`);
  await cloneWorktree(server.urlWithToken(`fleet-${count}`), clone);
  const files = {
    'apps/web/a.yaml': pointer,
    'apps/web/plain.yaml': 'a: 1\n',
    'other/copy.yaml': pointer,
    '.lfsconfig': '[lfs]\n\turl = http://169.254.169.254/latest\n',
  };
  sha = await commitFiles(clone, files, 'Pointers');
  await push(clone);
});

test('a pointer is never taken for a content', async () => {
  await using worktree = await checkedOut(undefined);
  assert.deepEqual(await worktree.files('apps'), ['apps/web/a.yaml', 'apps/web/plain.yaml']);
  await assert.rejects(worktree.text('apps/web/a.yaml'), (error: Error) => {
    assert.ok(error instanceof Stop);
    assert.match(error.message, /apps\/web\/a\.yaml: is a pointer of Git LFS and not the content itself/);
    return true;
  });
  assert.equal(await worktree.text('apps/web/plain.yaml'), 'a: 1\n');
  assert.deepEqual(asked, []);
});

test('nor in a folder of a person', async () => {
  const worktree = new LocalWorktree({ directory: clone, commit: commitOf(sha), single: undefined });
  await assert.rejects(worktree.text('apps/web/a.yaml'), /is a pointer of Git LFS/);
});

test('contents come from the host of the repository, each once, whatever .lfsconfig says', async () => {
  await using worktree = await checkedOut({ internal: true });
  assert.equal(await worktree.text('apps/web/a.yaml'), content);
  assert.equal(await worktree.text('apps/web/plain.yaml'), 'a: 1\n');
  const [batch, get, ...more] = asked;
  assert.equal(batch?.path, `/acme/fleet-${count}.git/info/lfs/objects/batch`);
  assert.deepEqual(JSON.parse(batch.body), {
    operation: 'download',
    transfers: ['basic'],
    hash_algo: 'sha256',
    objects: [{ oid, size: content.length }],
  });
  assert.deepEqual([batch.headers.authorization, get?.headers.authorization], [ours, ours]);
  assert.deepEqual(more, []);
  await worktree.prepare(['apps/web', 'other']);
  assert.equal(await worktree.text('other/copy.yaml'), content);
});

test('what the host names as authorization of a content is sent instead of ours', async () => {
  download = {
    href: `${proxy.origin}/lfs/content`,
    header: { Authorization: 'RemoteAuth x', 'X-More': 'y' },
  };
  await using worktree = await checkedOut({ internal: true });
  assert.equal(await worktree.text('apps/web/a.yaml'), content);
  assert.deepEqual([asked[1]?.headers.authorization, asked[1]?.headers['x-more']], ['RemoteAuth x', 'y']);
});

const refused: {
  what: string;
  set: () => void;
  lfs?: object;
  error: typeof Stop | typeof Retry | typeof Blocked;
  says: RegExp;
}[] = [
  {
    what: 'a content at another host',
    set: () => (download = { href: 'https://elsewhere.example/x' }),
    error: Stop,
    says: /leads to elsewhere\.example, which is not declared/,
  },
  {
    what: 'a content at an internal address, though it is declared',
    set: () => (download = { href: 'https://169.254.169.254/latest/meta-data' }),
    lfs: { hosts: ['169.254.169.254'], internal: true },
    error: Stop,
    says: /169\.254\.169\.254 is at an internal address/,
  },
  {
    what: 'a host in a private network that nobody allowed',
    set: () => undefined,
    lfs: {},
    error: Stop,
    says: /127\.0\.0\.1:\d+ is at an internal address; say internal: true/,
  },
  {
    what: 'a content without TLS',
    set: () => (download = { href: 'http://media.example/x' }),
    lfs: { hosts: ['media.example'], internal: true },
    error: Stop,
    says: /leads to http:\/\/media\.example, which is not over TLS/,
  },
  {
    what: 'a redirect to another host',
    set: () => (contentAnswer = { status: 302, headers: { location: 'https://evil.example/' }, body: '' }),
    error: Stop,
    says: /leads to evil\.example, which is not declared/,
  },
  {
    what: 'another content than the pointer names',
    set: () => (contentAnswer = { status: 200, body: content.replace('kind', 'kinD') }),
    error: Stop,
    says: /the content of apps\/web\/a\.yaml is not the one that its pointer names/,
  },
  {
    what: 'a longer content than the pointer says',
    set: () => (contentAnswer = { status: 200, body: `${content}x` }),
    error: Stop,
    says: /gives more than 1600 bytes/,
  },
  {
    what: 'a content that is not there',
    set: () => (batchAnswer = { status: 200, body: JSON.stringify({ objects: [] }) }),
    error: Stop,
    says: /has no content of apps\/web\/a\.yaml .*git lfs push/,
  },
  {
    what: 'a host without Git LFS',
    set: () => (batchAnswer = { status: 200, body: '<html>' }),
    error: Stop,
    says: /answers with something else than Git LFS/,
  },
  {
    what: 'a token that may not',
    set: () => (batchAnswer = { status: 403, body: '' }),
    error: Blocked,
    says: /refuses contents \(403\)/,
  },
  {
    what: 'a host that is overloaded',
    set: () => (batchAnswer = { status: 503, body: '' }),
    error: Retry,
    says: /answered 503; it is asked again/,
  },
];
for (const { what, set, lfs = { internal: true }, error: expected, says } of refused) {
  test(`refused: ${what}`, async () => {
    set();
    await using worktree = await checkedOut(lfs);
    await assert.rejects(worktree.text('apps/web/a.yaml'), (error: Error) => {
      assert.ok(error instanceof expected, `${error.name}: ${error.message}`);
      assert.match(error.message, says);
      assert.ok(!error.message.includes(token) && !error.message.includes(ours));
      return true;
    });
  });
}

test('contents count for the limit before any is fetched', async () => {
  const large = pointer.replace(/size \d+/, 'size 10000000');
  sha = await commitFiles(clone, { 'apps/large.yaml': large }, 'Large');
  await push(clone);
  await using worktree = await checkedOut({ internal: true }, { bytes: 1_000_000 });
  await assert.rejects(worktree.files('apps'), /has 100\d+ bytes .*and up to 1000000 are checked out/);
  assert.deepEqual(asked, []);
});

test('a symlink to a pointer leads to its content', async () => {
  await symlink('../apps/web/a.yaml', join(clone, 'other/link.yaml'));
  sha = await commitFiles(clone, {}, 'Link');
  await push(clone);
  await using worktree = await checkedOut({ internal: true });
  assert.equal(await worktree.text('other/link.yaml'), content);
  assert.deepEqual((await readdir(join(worktree.directory, 'other'))).sort(), ['copy.yaml', 'link.yaml']);
});
