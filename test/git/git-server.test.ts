import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, test } from 'node:test';
import * as z from 'zod';
import type { Delivery } from './deliveries.ts';
import { git } from './git-command.ts';
import { startGitServer, type GitServer } from './git-server.ts';
import { absentSha } from './ref-changes.ts';
import { cloneWorktree, commitFiles, deleteBranch, push } from './worktree.ts';

const token = 'a-token-of-the-test';
const secret = 'the secret of the hook';
const pushSchema = z.looseObject({
  ref: z.string(),
  before: z.string(),
  after: z.string(),
  created: z.boolean(),
  deleted: z.boolean(),
  forced: z.boolean(),
  base_ref: z.string().nullable(),
  compare: z.string(),
  commits: z.array(
    z.looseObject({
      id: z.string(),
      message: z.string(),
      distinct: z.boolean(),
      author: z.object({ name: z.string(), email: z.string() }),
      added: z.array(z.string()),
      removed: z.array(z.string()),
      modified: z.array(z.string()),
    }),
  ),
  head_commit: z.looseObject({ id: z.string() }).nullable(),
  repository: z.looseObject({ full_name: z.string(), clone_url: z.string(), default_branch: z.string() }),
});

interface Received {
  id: string;
  headers: NodeJS.Dict<string | string[]>;
  body: Buffer;
}

/** An endpoint that keeps what it gets and answers 202, or what `answer` says. */
const received: Received[] = [];
let answer = 202;
const endpoint = createServer((incoming, response) => {
  const { headers } = incoming;
  const chunks: Buffer[] = [];
  incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
  incoming.on('end', () => {
    received.push({ id: String(headers['x-github-delivery']), headers, body: Buffer.concat(chunks) });
    response.writeHead(answer).end();
  });
});

let folder = '';
let server: GitServer;
let hookUrl = '';
let count = 0;
let name = '';
let worktree = '';

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'trueup-git-test-'));
  server = await startGitServer({ dir: join(folder, 'repositories'), token });
  endpoint.listen(0, '127.0.0.1');
  await once(endpoint, 'listening');
  const address = endpoint.address();
  assert.ok(address !== null && typeof address === 'object');
  hookUrl = `http://127.0.0.1:${address.port}/hooks/github`;
});

after(async () => {
  endpoint.close();
  await server.stop();
  await rm(folder, { recursive: true, force: true });
});

beforeEach(async () => {
  name = `config-${count++}`;
  worktree = join(folder, name);
  const from = join(folder, `${name}-source`);
  await mkdir(join(from, 'apps'), { recursive: true });
  await writeFile(join(from, 'apps', 'web.yaml'), 'kind: ConfigMap\n');
  await server.createRepository(name, { from });
  await cloneWorktree(server.urlWithToken(name), worktree);
  answer = 202;
});

/** The status that each attempt got, undefined for none. */
function statuses({ attempts }: Delivery): readonly (number | undefined)[] {
  return attempts.map((attempt) => (attempt.outcome === 'answered' ? attempt.status : undefined));
}

/** Payloads of the deliveries of this test's repository, pings left out. */
async function pushes() {
  await server.deliveries.settled();
  return server.deliveries.all
    .filter((delivery) => delivery.repository === name && delivery.event === 'push')
    .map((delivery) => ({ delivery, payload: pushSchema.parse(JSON.parse(delivery.body.toString('utf8'))) }));
}

async function lastPush() {
  const last = (await pushes()).at(-1);
  assert.ok(last);
  return last;
}

test('a clone needs the token as password, whatever the user name', async () => {
  assert.equal(await readFile(join(worktree, 'apps', 'web.yaml'), 'utf8'), 'kind: ConfigMap\n');
  const other = server.url(name).replace('://', `://somebody-else:${token}@`);
  assert.match(await git(folder, ['ls-remote', other, 'HEAD']), /^[0-9a-f]{40}\tHEAD$/);
  await assert.rejects(
    git(folder, ['ls-remote', server.url(name)]),
    /could not read Username|Authentication failed/,
  );
  await assert.rejects(
    git(folder, ['ls-remote', server.url(name).replace('://', '://x:wrong@')]),
    /Authentication failed/,
  );
  const refused = await fetch(`${server.url(name)}/info/refs?service=git-upload-pack`);
  assert.equal(refused.status, 401);
  assert.equal(refused.headers.get('www-authenticate'), 'Basic realm="GitHub"');
  await assert.rejects(
    git(folder, ['ls-remote', server.urlWithToken(name).replace(name, 'absent')]),
    /not found/,
  );
});

test('one commit, named by its SHA and on no branch any more, is fetched shallow and without blobs', async () => {
  const lost = await commitFiles(worktree, { 'apps/lost.yaml': 'kind: Lost\n' }, 'Lost');
  await push(worktree);
  await git(worktree, ['reset', '--quiet', '--hard', 'HEAD^']);
  await push(worktree, 'main', { force: true });
  const bare = join(folder, `${name}-fetch`);
  await git(folder, ['init', '--quiet', '--bare', bare]);
  await git(bare, ['fetch', '--quiet', '--depth=1', '--filter=blob:none', server.urlWithToken(name), lost]);
  assert.equal(await git(bare, ['rev-parse', 'FETCH_HEAD']), lost);
  assert.equal(await git(bare, ['rev-list', '--count', 'FETCH_HEAD']), '1');
  const missing = await git(bare, ['rev-list', '--objects', '--missing=print', 'FETCH_HEAD']);
  assert.equal(missing.split('\n').filter((line) => line.startsWith('?')).length, 2);
});

test('a push is delivered with a signature over its raw bytes, after a ping', async () => {
  const ping = await server.setWebhook(name, { url: hookUrl, secret });
  assert.deepEqual(statuses(ping), [202]);
  const sha = await commitFiles(
    worktree,
    { 'apps/web.yaml': 'kind: Secret\n', 'apps/new ü.yaml': 'kind: X\n' },
    'Change\n\nwith a body',
    { name: 'Ben Ó', email: 'ben@example.com' },
  );
  await push(worktree);
  const { delivery, payload } = await lastPush();
  const got = received.find(({ id }) => id === delivery.id);
  assert.ok(got);
  assert.deepEqual(got.body, delivery.body);
  const expected = createHmac('sha256', secret).update(got.body).digest('hex');
  assert.equal(got.headers['x-hub-signature-256'], `sha256=${expected}`);
  assert.equal(got.headers['x-github-event'], 'push');
  assert.equal(got.headers['content-type'], 'application/json');
  assert.match(String(got.headers['user-agent']), /^GitHub-Hookshot\//);
  assert.equal(payload.ref, 'refs/heads/main');
  assert.equal(payload.after, sha);
  assert.equal(payload.before, await git(worktree, ['rev-parse', 'HEAD^']));
  assert.deepEqual([payload.created, payload.deleted, payload.forced], [false, false, false]);
  assert.equal(payload.repository.clone_url, server.url(name));
  const [commit] = payload.commits;
  assert.ok(commit && payload.commits.length === 1 && commit.distinct);
  assert.equal(commit.message, 'Change\n\nwith a body');
  assert.deepEqual(commit.author, { name: 'Ben Ó', email: 'ben@example.com' });
  assert.deepEqual(
    [commit.added, commit.modified, commit.removed],
    [['apps/new ü.yaml'], ['apps/web.yaml'], []],
  );
  assert.equal(payload.head_commit?.id, sha);
});

test('a new branch, a forced push and a deleted branch say so', async () => {
  await server.setWebhook(name, { url: hookUrl, secret });
  const start = await git(worktree, ['rev-parse', 'HEAD']);
  await push(worktree, 'copy');
  const copied = (await lastPush()).payload;
  assert.deepEqual([copied.created, copied.base_ref, copied.before], [true, 'refs/heads/main', absentSha]);
  assert.deepEqual(copied.commits, []);
  assert.equal(copied.head_commit?.id, start);

  const first = await commitFiles(worktree, { 'apps/web.yaml': null }, 'First');
  await push(worktree, 'feature');
  const created = (await lastPush()).payload;
  assert.deepEqual([created.created, created.base_ref, created.after], [true, null, first]);
  assert.deepEqual(
    created.commits.map(({ removed }) => removed),
    [['apps/web.yaml']],
  );

  await git(worktree, ['reset', '--quiet', '--hard', start]);
  const second = await commitFiles(worktree, { 'apps/b.yaml': 'kind: B\n' }, 'Second');
  await push(worktree, 'feature', { force: true });
  const forced = (await lastPush()).payload;
  assert.deepEqual([forced.forced, forced.before, forced.after], [true, first, second]);
  assert.deepEqual(
    forced.commits.map(({ id }) => id),
    [second],
  );

  await deleteBranch(worktree, 'feature');
  const deleted = (await lastPush()).payload;
  assert.deepEqual([deleted.deleted, deleted.before, deleted.after], [true, second, absentSha]);
  assert.deepEqual([deleted.commits, deleted.head_commit], [[], null]);
});

test('one push of two branches and an annotated tag makes a delivery for each ref; a refused one makes none', async () => {
  await server.setWebhook(name, { url: hookUrl, secret });
  const sha = await commitFiles(worktree, { 'apps/c.yaml': 'kind: C\n' }, 'Third');
  await git(worktree, ['tag', '--annotate', '--message', 'One', 'v1']);
  await git(worktree, ['push', '--quiet', 'origin', 'HEAD:refs/heads/main', 'HEAD:refs/heads/next', 'v1']);
  const made = (await pushes()).map(({ payload }) => payload);
  assert.deepEqual(
    made.map(({ ref }) => ref),
    ['refs/heads/main', 'refs/heads/next', 'refs/tags/v1'],
  );
  assert.deepEqual(
    made.map(({ head_commit: head }) => head?.id),
    [sha, sha, sha],
  );
  assert.notEqual(made[2]?.after, sha);
  await git(worktree, ['reset', '--quiet', '--hard', 'HEAD^']);
  await commitFiles(worktree, { 'apps/d.yaml': 'kind: D\n' }, 'Elsewhere');
  await assert.rejects(push(worktree), /rejected/);
  assert.equal((await pushes()).length, 3);
});

test('a delivery is sent again under the same id and with the same bytes', async () => {
  await server.setWebhook(name, { url: hookUrl, secret });
  answer = 500;
  await commitFiles(worktree, { 'apps/e.yaml': 'kind: E\n' }, 'Fourth');
  await push(worktree);
  const { delivery } = await lastPush();
  answer = 202;
  await server.deliveries.redeliver(delivery.id);
  assert.deepEqual(statuses(delivery), [500, 202]);
  const [first, second] = received.filter(({ id }) => id === delivery.id);
  assert.ok(first && second);
  assert.deepEqual(first.body, second.body);
  assert.equal(first.headers['x-hub-signature-256'], second.headers['x-hub-signature-256']);
});

test('held deliveries go out in the order in which they are released', async () => {
  await server.setWebhook(name, { url: hookUrl, secret });
  server.deliveries.hold();
  try {
    for (const content of ['1', '2']) {
      await commitFiles(worktree, { 'apps/f.yaml': `kind: F${content}\n` }, content);
      await push(worktree);
    }
  } finally {
    server.deliveries.hold(false);
  }
  const [first, second] = (await pushes()).map(({ delivery }) => delivery);
  assert.ok(first && second);
  assert.deepEqual([first.attempts, second.attempts], [[], []]);
  await server.deliveries.release(second.id);
  await server.deliveries.release(first.id);
  const order = received.map(({ id }) => id).filter((id) => id === first.id || id === second.id);
  assert.deepEqual(order, [second.id, first.id]);
});

test('an endpoint that does not answer fails the delivery and not the push', async () => {
  const ping = await server.setWebhook(name, { url: 'http://127.0.0.1:1/', secret });
  assert.equal(ping.attempts[0]?.outcome, 'failed');
  await commitFiles(worktree, { 'apps/g.yaml': 'kind: G\n' }, 'Fifth');
  await push(worktree);
  assert.equal((await lastPush()).delivery.attempts[0]?.outcome, 'failed');
});
