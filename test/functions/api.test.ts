import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CreateEventBusCommand, EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { CreateBucketCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { CreateQueueCommand, ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import * as z from 'zod';
import { S3Store } from '../../adapters/s3-store.ts';
import { fleetSchema, problemSchema } from '../../core/api/contract.ts';
import { parseStackConfig } from '../../core/contract/config.ts';
import { environment } from '../../core/contract/environment.ts';
import { prefixes } from '../../core/contract/keys.ts';
import { tokenHeader } from '../../core/contract/site-headers.ts';
import { testAws } from '../aws/test-aws.ts';
import { simulatedFleet } from '../browser/simulated-fleet.ts';

const issuer = 'https://id.example.test/pool';
const { store: records, config: served } = (await simulatedFleet()).deps;
const roles = [{ group: 'ops', role: 'operator' as const, projects: ['*'] }];
const config = parseStackConfig({ ...served, dashboard: { oidc: { issuer, clientId: 'dash' }, roles } });

const { aws, client, prefix } = await testAws();
const s3 = new S3Client(client);
await s3.send(new CreateBucketCommand({ Bucket: prefix }));
const Body = JSON.stringify(config);
await s3.send(new PutObjectCommand({ Bucket: prefix, Key: 'assets/c.json', Body }));
const store = new S3Store(prefix, s3);
for (const folder of [prefixes.desired, prefixes.inventory, prefixes.checks]) {
  for await (const key of records.list(folder))
    await store.put(key, (await records.get(key))?.text ?? '', 'any');
}
await new EventBridgeClient(client).send(new CreateEventBusCommand({ Name: prefix }));
const sqs = new SQSClient(client);
const fifo = { QueueName: `${prefix}.fifo`, Attributes: { FifoQueue: 'true' } };
const { QueueUrl = '' } = await sqs.send(new CreateQueueCommand(fifo));
Object.assign(process.env, aws.env, {
  [environment.runQueue]: QueueUrl,
  [environment.bucket]: prefix,
  [environment.bus]: prefix,
  [environment.config]: `${prefix}/assets/c.json`,
});

// The issuer, whose name leads nowhere: all that is asked by fetch is its two pages.
const { publicKey, privateKey } = await generateKeyPair('RS256');
const pages: Readonly<Record<string, object>> = {
  '/pool/.well-known/openid-configuration': { issuer, jwks_uri: 'https://id.example.test/keys' },
  '/keys': { keys: [{ ...(await exportJWK(publicKey)), kid: 'k', alg: 'RS256' }] },
};
globalThis.fetch = async (asked) => {
  const url = new URL(asked instanceof Request ? asked.url : asked);
  return url.host === 'id.example.test' ? Response.json(pages[url.pathname]) : Response.error();
};
const { handler } = await import('../../functions/api.ts');

function tokenOf(claims: Readonly<Record<string, unknown>>): Promise<string> {
  const all = { email: 'ada@example.com', email_verified: true, groups: ['ops'], ...claims };
  const made = new SignJWT(all)
    .setProtectedHeader({ alg: 'RS256', kid: 'k' })
    .setIssuer(issuer)
    .setSubject('u-1');
  return made.setAudience('dash').setIssuedAt().setExpirationTime('1h').sign(privateKey);
}

async function ask(
  path: string,
  token: string,
  more: { method?: string; body?: string; headers?: object } = {},
) {
  const { method = 'GET', body = '', headers = {} } = more;
  return handler({
    rawPath: `/api/v1/${path}`,
    headers: { [tokenHeader]: `Bearer ${token}`, 'accept-encoding': 'gzip', ...headers },
    body,
    requestContext: { http: { method, sourceIp: '192.0.2.1' } },
  });
}

test('who is signed in is answered, once and then by 304; an action goes to the queue in their name', async () => {
  const token = await tokenOf({});
  const first = await ask('fleet', token, { headers: { 'accept-encoding': '' } });
  assert.equal(first.statusCode, 200, first.body);
  const { rows, total } = fleetSchema.parse(JSON.parse(first.body));
  assert.ok(total > 10);
  const packed = await ask('fleet', token);
  assert.ok(
    packed.isBase64Encoded && packed.body.length < first.body.length / 2,
    `${packed.body.length} bytes`,
  );
  const again = await ask('fleet', token, { headers: { 'if-none-match': first.headers['etag'] ?? '' } });
  assert.deepEqual([again.statusCode, again.body], [304, '']);
  const { cluster = '', application = '' } = rows[0] ?? {};
  const done = await ask(`targets/${cluster}/${application}/sync`, token, { method: 'POST', body: '{}' });
  assert.equal(done.statusCode, 200, done.body);
  const { Messages: [message] = [] } = await sqs.send(new ReceiveMessageCommand({ QueueUrl }));
  const asked = z
    .object({ target: z.unknown(), requestedBy: z.string() })
    .parse(JSON.parse(message?.Body ?? ''));
  assert.deepEqual(asked.target, { cluster, application });
  assert.match(asked.requestedBy, /^ada@example\.com /);
  const unknown = await ask('deliveries/github/none/replay', token, { method: 'POST', body: '{}' });
  assert.deepEqual(
    [unknown.statusCode, problemSchema.parse(JSON.parse(unknown.body)).title],
    [409, 'delivery github/none: is not in the ledger'],
  );
});

test('strangers and who has no role get a problem that no cache keeps, and no log has their token', async (t) => {
  const logged: string[] = [];
  // What the runner reports goes the same way, in bytes of its own.
  const write = process.stdout.write.bind(process.stdout);
  t.mock.method(process.stdout, 'write', (text: string | Uint8Array) => {
    logged.push(Buffer.from(text).toString());
    return write(text);
  });
  const none = await tokenOf({ groups: [] });
  const answers = [
    await ask('fleet', 'x.y.z'),
    await ask('fleet', none),
    await ask('fleet', await tokenOf({ token_use: 'access' })),
  ];
  t.mock.restoreAll();
  assert.deepEqual(
    answers.map(({ statusCode }) => statusCode),
    [401, 403, 401],
  );
  for (const { headers, body } of answers) {
    assert.deepEqual(
      [headers['content-type'], headers['cache-control']],
      ['application/problem+json', 'no-store'],
    );
    assert.ok(problemSchema.parse(JSON.parse(body)).detail.length > 0);
  }
  assert.ok(
    ![...logged, ...answers.map(({ body }) => body)].some(
      (text) => text.includes(none) || text.includes('x.y.z'),
    ),
  );
});
