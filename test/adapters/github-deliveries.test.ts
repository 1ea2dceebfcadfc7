import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { after, beforeEach, test } from 'node:test';
import { jwtVerify } from 'jose';
import { GitHubDeliveries } from '../../adapters/github-deliveries.ts';
import { Blocked, Retry } from '../../core/errors.ts';

/** GitHub's REST API as documented: pages by cursor, 202 for a redelivery, its own ways to say no. */
const asked: string[] = [];
let refuse: { status: number; headers?: Record<string, string> } | undefined;
const server = createServer((request: IncomingMessage, response: ServerResponse) => {
  const { method = '', url = '', headers } = request;
  asked.push(`${method} ${url} ${headers.authorization ?? ''} ${String(headers['x-github-api-version'])}`);
  if (refuse !== undefined) return response.writeHead(refuse.status, refuse.headers).end('{"message":"no"}');
  if (method === 'POST') return response.writeHead(202).end('{}');
  const { pathname, searchParams } = new URL(url, base);
  const page = Number(searchParams.get('cursor') ?? '0');
  const next = `<${base}${pathname}?per_page=100&cursor=${page + 1}>; rel="next"`;
  const item = (index: number) => ({
    id: page * 10 + index,
    guid: `guid-${page}-${index}`,
    delivered_at: new Date(start - (page * 2 + index) * 86_400_000).toISOString(),
    redelivery: false,
    duration: 0.27,
    status: index === 0 ? 'OK' : 'Invalid HTTP Response: 503',
    status_code: index === 0 ? 202 : 503,
    event: 'push',
    action: null,
  });
  return response
    .writeHead(200, { 'content-type': 'application/json', link: next })
    .end(JSON.stringify([item(0), item(1)]));
}).listen(0, '127.0.0.1');
await once(server, 'listening');
const address = server.address();
assert.ok(address !== null && typeof address === 'object');
const base = `http://127.0.0.1:${address.port}/api/v3`;
after(() => server.close());
beforeEach(() => {
  asked.length = 0;
  refuse = undefined;
});

const start = Date.parse('2026-11-23T12:00:00.000Z');
const webhook = { of: 'repos/acme/shop', id: 42, tokenSecret: 'acme/hooks-token', apiUrl: `${base}/` };
const deliveries = new GitHubDeliveries({ get: async () => ({ current: 'ghp_x\n' }) }, { now: () => start });

test('pages are read until they are too old', async () => {
  const listed = await deliveries.list(webhook, start - 3 * 86_400_000);
  assert.deepEqual(
    listed.map(({ id, guid, succeeded }) => [id, guid, succeeded]),
    [
      [0, 'guid-0-0', true],
      [1, 'guid-0-1', false],
      [10, 'guid-1-0', true],
      [11, 'guid-1-1', false],
    ],
  );
  const of = (query: string) =>
    `GET /api/v3/repos/acme/shop/hooks/42/deliveries${query} Bearer ghp_x 2022-11-28`;
  assert.deepEqual(asked, [of('?per_page=100'), of('?per_page=100&cursor=1'), of('?per_page=100&cursor=2')]);
});

test('there is an end to it where no page is too old', async () => {
  await deliveries.list(webhook, 0);
  assert.equal(asked.length, 10);
});

test('a delivery is asked for again', async () => {
  await deliveries.redeliver({ ...webhook, of: 'orgs/acme' }, 11);
  assert.deepEqual(asked, ['POST /api/v3/orgs/acme/hooks/42/deliveries/11/attempts Bearer ghp_x 2022-11-28']);
});

test('the webhook of a GitHub App is asked for by the App itself', async () => {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const current = privateKey.export({ type: 'pkcs1', format: 'pem' });
  const ofApp = { of: 'app', id: 4217, privateKeySecret: 'acme/app-key', apiUrl: base };
  const clock = { now: () => start };
  const deliveriesOfApp = new GitHubDeliveries({ get: async () => ({ current: String(current) }) }, clock);
  await deliveriesOfApp.redeliver(ofApp, 11);
  const [method, path, , token = ''] = asked[0]?.split(' ') ?? [];
  assert.deepEqual([method, path], ['POST', '/api/v3/app/hook/deliveries/11/attempts']);
  const { payload } = await jwtVerify(token, publicKey, { currentDate: new Date(start) });
  assert.equal(payload.iss, '4217');
  refuse = { status: 401 };
  await assert.rejects(deliveriesOfApp.redeliver(ofApp, 11), /private key into secret acme\/app-key/);
});

for (const [what, answer, kind, says] of [
  ['401', { status: 401 }, Blocked, /secret acme\/hooks-token the permission "Webhooks: read and write"/],
  ['404, as for a token without the right', { status: 404 }, Blocked, /GitHub answers 404/],
  ['403', { status: 403 }, Blocked, /GitHub answers 403/],
  [
    'the primary limit',
    { status: 403, headers: { 'x-ratelimit-remaining': '0' } },
    Retry,
    /too many requests/,
  ],
  ['the secondary limit', { status: 429, headers: { 'retry-after': '60' } }, Retry, /too many requests/],
  ['502', { status: 502 }, Retry, /GitHub answers 502/],
  ['a redirect', { status: 302, headers: { location: 'http://127.0.0.1:9/' } }, Retry, /cannot be reached/],
] as const) {
  test(`${what} is ${kind.name}, without the token in it`, async () => {
    refuse = answer;
    await assert.rejects(deliveries.list(webhook, 0), (error: Error) => {
      assert.ok(error instanceof kind);
      assert.match(error.message, says);
      assert.doesNotMatch(error.message, /ghp_x/);
      return true;
    });
    assert.equal(asked.length, 1);
  });
}
