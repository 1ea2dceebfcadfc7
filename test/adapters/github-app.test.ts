import assert from 'node:assert/strict';
import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, test } from 'node:test';
import { jwtVerify } from 'jose';
import { GithubAppTokens } from '../../adapters/github-app.ts';
import { HttpGit } from '../../adapters/git.ts';
import { repositorySchema } from '../../core/contract/repository.ts';
import { Blocked, Retry } from '../../core/errors.ts';
import { startGitServer } from '../git/git-server.ts';

const { privateKey, publicKey } = generateKeyPairSync('rsa', {
  modulusLength: 2048,
  // As GitHub hands it out.
  privateKeyEncoding: { type: 'pkcs1', format: 'pem' },
  publicKeyEncoding: { type: 'spki', format: 'pem' },
});
const token = 'ghs_an-installation-token';
const start = Date.parse('2026-11-23T12:00:00Z');
let now = start;
let secret: string = privateKey;
let status = 201;
const asked: { url: string; authorization: string; body: string }[] = [];

const api = createServer((request, response) => {
  let body = '';
  request.on('data', (chunk: Buffer) => (body += chunk.toString()));
  request.on('end', () => {
    asked.push({ url: request.url ?? '', authorization: request.headers.authorization ?? '', body });
    const expires_at = new Date(now + 3_600_000).toISOString().replace(/\.\d+Z$/, 'Z');
    response.writeHead(status, { location: 'http://127.0.0.1:1/elsewhere' });
    response.end(JSON.stringify({ token, expires_at }));
  });
});

function app() {
  const address = api.address();
  assert.ok(address !== null && typeof address === 'object');
  const apiUrl = `http://127.0.0.1:${address.port}/api/v3`;
  return { appId: 12, installationId: 34, privateKeySecret: 'git/app', apiUrl };
}

function tokens(): GithubAppTokens {
  return new GithubAppTokens({ get: async () => ({ current: secret }) }, { now: () => now });
}

before(async () => {
  api.listen(0, '127.0.0.1');
  await once(api, 'listening');
});
after(() => {
  api.close();
  api.closeAllConnections();
});
beforeEach(() => {
  [now, secret, status, asked.length] = [start, privateKey, 201, 0];
});

test('a token is asked for with a short-lived JWT of the App, for contents alone', async () => {
  assert.equal(await tokens().get('repository fleet', app()), token);
  const [request] = asked;
  assert.equal(request?.url, '/api/v3/app/installations/34/access_tokens');
  assert.deepEqual(JSON.parse(request.body), { permissions: { contents: 'read' } });
  const jwt = request.authorization.replace('Bearer ', '');
  const { payload, protectedHeader } = await jwtVerify(jwt, createPublicKey(publicKey), {
    currentDate: new Date(now),
  });
  assert.equal(protectedHeader.alg, 'RS256');
  assert.deepEqual(payload, { iss: '12', iat: start / 1000 - 60, exp: start / 1000 + 540 });
});

test('it is kept until five minutes before it expires', async () => {
  const one = tokens();
  await one.get('repository fleet', app());
  now = start + 54 * 60_000;
  await one.get('repository fleet', app());
  assert.equal(asked.length, 1);
  now = start + 55 * 60_000;
  await one.get('repository fleet', app());
  assert.equal(asked.length, 2);
  await one.get('repository fleet', { ...app(), installationId: 35 });
  assert.equal(asked.length, 3);
});

const answers: { status: number; error: typeof Blocked | typeof Retry; says: RegExp }[] = [
  { status: 401, error: Blocked, says: /refused GitHub App 12, installation 34 \(401\); compare its id/ },
  { status: 404, error: Blocked, says: /refused GitHub App 12.*private key in secret git\/app/ },
  { status: 429, error: Retry, says: /gave no token to GitHub App 12, installation 34 \(429\)/ },
  { status: 500, error: Retry, says: /gave no token .*500/ },
  { status: 302, error: Retry, says: /does not answer/ },
];
for (const { status: answer, error: expected, says } of answers) {
  test(`${answer} is told with what to do, and asked again next time`, async () => {
    const one = tokens();
    status = answer;
    await assert.rejects(one.get('repository fleet', app()), (error: Error) => {
      assert.ok(error instanceof expected, `${error.name}: ${error.message}`);
      assert.match(error.message, says);
      assert.ok(!`${error.message} ${String(error.cause)}`.includes('Bearer'));
      return true;
    });
    status = 201;
    assert.equal(await one.get('repository fleet', app()), token);
  });
}

test('a secret that holds no key is named, and nothing of it is', async () => {
  secret = 'not-a-key-but-secret';
  await assert.rejects(tokens().get('repository fleet', app()), (error: Error) => {
    assert.ok(error instanceof Blocked);
    assert.match(error.message, /secret git\/app holds no RSA private key in PEM/);
    assert.ok(!`${error.message} ${String(error.cause)} ${error.stack}`.includes('not-a-key'));
    return true;
  });
});

test('a repository is read with it', async () => {
  const root = await mkdtemp(join(tmpdir(), 'trueup-test-'));
  await mkdir(join(root, 'files/apps'), { recursive: true });
  await mkdir(join(root, 'scratch'));
  await writeFile(join(root, 'files/apps/a.yaml'), 'a: 1\n');
  const server = await startGitServer({ dir: join(root, 'host'), token });
  try {
    const sha = await server.createRepository('fleet', { from: join(root, 'files') });
    const repository = repositorySchema.parse({ name: 'fleet', url: server.url('fleet'), githubApp: app() });
    const secrets = { get: async () => ({ current: secret }) };
    const options = { secrets, scratch: join(root, 'scratch'), path: process.env['PATH'] ?? '' };
    const host = new HttpGit({ ...options, clock: { now: () => now } });
    assert.equal(await host.head(repository), sha);
    await using worktree = (await host.checkout(repository, sha ?? '')) ?? assert.fail();
    assert.equal(await worktree.text('apps/a.yaml'), 'a: 1\n');
    assert.equal(asked.length, 1);
    // Refused before its time: the next try asks for a new one.
    await server.stop();
    const strict = await startGitServer({ dir: join(root, 'strict'), token: 'another' });
    try {
      await strict.createRepository('fleet');
      const moved = { ...repository, url: strict.url('fleet') };
      const refusal = /refused installation 34 of GitHub App 12/;
      await assert.rejects(host.head(moved), refusal);
      await assert.rejects(host.head(moved), refusal);
      assert.equal(asked.length, 2);
    } finally {
      await strict.stop();
    }
  } finally {
    await rm(root, { recursive: true, force: true });
  }
});
