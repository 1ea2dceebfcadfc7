import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import {
  CreateEventBusCommand,
  EventBridgeClient,
  PutRuleCommand,
  PutTargetsCommand,
} from '@aws-sdk/client-eventbridge';
import { CreateBucketCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import {
  CreateSecretCommand,
  PutSecretValueCommand,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import {
  CreateQueueCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import type { UrlResponse } from '../../adapters/function-url.ts';
import { S3Store } from '../../adapters/s3-store.ts';
import { environment } from '../../core/contract/environment.ts';
import { envelopeSchema } from '../../core/contract/events.ts';
import { keys } from '../../core/contract/keys.ts';
import { deliverySchema } from '../../core/model/delivery.ts';
import type { HookRequest } from '../../core/receive/hook-request.ts';
import { brokenAws } from '../adapters/broken-aws.ts';
import { testAws } from '../aws/test-aws.ts';
import { delivery, examplesOf, hookSecret, pushOf } from '../fakes/github-delivery.ts';

const { aws, client, prefix } = await testAws();
const s3 = new S3Client(client);
const sqs = new SQSClient(client);
const events = new EventBridgeClient(client);
const secrets = new SecretsManagerClient(client);
const store = new S3Store(prefix, s3);
const secretName = `${prefix}/hooks/github`;
let queue = '';

type Handler = (event: unknown) => Promise<UrlResponse>;
let handler: Handler;

/** The function as Lambda loads it: its module reads the environment when it is imported. */
async function coldStart(variables: Readonly<Record<string, string>>, instance: string): Promise<Handler> {
  Object.assign(process.env, variables);
  const module: { handler: Handler } = await import(`../../functions/webhook.ts?${instance}`);
  return module.handler;
}

before(async () => {
  await s3.send(new CreateBucketCommand({ Bucket: prefix }));
  const config = {
    repositories: [{ name: 'hello', url: 'https://github.com/Codertocat/Hello-World.git', branch: 'master' }],
    clusters: [{ name: 'prod', access: { type: 'eks', name: 'prod' } }],
  };
  await s3.send(new PutObjectCommand({ Bucket: prefix, Key: 'assets/c.json', Body: JSON.stringify(config) }));
  await secrets.send(new CreateSecretCommand({ Name: secretName, SecretString: hookSecret }));
  const made = await sqs.send(new CreateQueueCommand({ QueueName: prefix }));
  queue = made.QueueUrl ?? '';
  const attributes = new GetQueueAttributesCommand({ QueueUrl: queue, AttributeNames: ['QueueArn'] });
  const { Attributes } = await sqs.send(attributes);
  await events.send(new CreateEventBusCommand({ Name: prefix }));
  const EventPattern = JSON.stringify({ source: ['trueup'] });
  await events.send(new PutRuleCommand({ Name: prefix, EventBusName: prefix, EventPattern }));
  const Targets = [{ Id: 'queue', Arn: Attributes?.QueueArn ?? '' }];
  await events.send(new PutTargetsCommand({ Rule: prefix, EventBusName: prefix, Targets }));
  handler = await coldStart(
    {
      ...aws.env,
      [environment.bucket]: prefix,
      [environment.bus]: prefix,
      [environment.config]: `${prefix}/assets/c.json`,
      [environment.hookSecretPrefix]: `${prefix}/hooks`,
    },
    'first',
  );
});

/** A request as Lambda hands it over from a function URL. */
function urlEvent(request: HookRequest, options: { readonly base64?: boolean } = {}) {
  const { method, path: rawPath, headers, text } = request;
  const isBase64Encoded = options.base64 ?? false;
  const body = isBase64Encoded ? Buffer.from(request.body).toString('base64') : text;
  const requestContext = { http: { method, path: rawPath, sourceIp: '192.0.2.1' }, requestId: 'r' };
  return {
    version: '2.0',
    routeKey: '$default',
    rawPath,
    rawQueryString: '',
    headers,
    requestContext,
    body,
    isBase64Encoded,
  };
}

async function answerOf(request: HookRequest, options?: Parameters<typeof urlEvent>[1]) {
  const { statusCode, body, headers } = await handler(urlEvent(request, options));
  assert.equal(headers['content-type'], 'application/json');
  return { status: statusCode, body: JSON.parse(body) as unknown };
}

async function recordOf(id: string) {
  const stored = await store.get(keys.delivery('github', id));
  return stored === undefined ? undefined : deliverySchema.parse(JSON.parse(stored.text));
}

async function receiveEvents(): Promise<string[]> {
  const command = new ReceiveMessageCommand({ QueueUrl: queue, MaxNumberOfMessages: 10, WaitTimeSeconds: 2 });
  const { Messages = [] } = await sqs.send(command);
  return Messages.map(
    ({ Body }) => envelopeSchema('PushReceived').parse(JSON.parse(Body ?? '')).detail.deliveryId,
  );
}

test('the same signed push five times at once, plain and base64, is one event on the bus', async () => {
  const request = delivery({ id: 'five' });
  const answers = await Promise.all(
    [true, false, true, false, true].map((base64) => answerOf(request, { base64 })),
  );
  assert.deepEqual(
    answers.map(({ status }) => status),
    [202, 202, 202, 202, 202],
  );
  assert.deepEqual(await receiveEvents(), ['five']);
  assert.deepEqual(await receiveEvents(), []);
  assert.equal((await recordOf('five'))?.state, 'published');
});

test('header names may come in any case', async () => {
  const request = delivery({ id: 'upper', event: 'ping', body: JSON.stringify(examplesOf('ping')[0]) });
  const headers = Object.fromEntries(
    Object.entries(request.headers).map(([name, value]) => [name.toUpperCase(), value]),
  );
  assert.deepEqual(await answerOf({ ...request, headers }), {
    status: 202,
    body: { delivery: 'upper', state: 'ignored', reason: 'ping' },
  });
  assert.equal((await recordOf('upper'))?.outcome, 'ping');
});

test('a body whose bytes are not UTF-8 is verified as it came', async () => {
  const body = Buffer.concat([Buffer.from('{"x":"'), Buffer.from([0xff, 0xfe]), Buffer.from('"}')]);
  const { status } = await answerOf(delivery({ id: 'bytes', body }), { base64: true });
  assert.equal(status, 400);
});

test('a bad signature is 401 and leaves nothing in the ledger', async () => {
  const { status } = await answerOf(delivery({ id: 'forged', secret: 'guessed' }));
  assert.equal(status, 401);
  assert.equal(await recordOf('forged'), undefined);
});

test('after a rotation both secrets are good, and no third one', async () => {
  await secrets.send(new PutSecretValueCommand({ SecretId: secretName, SecretString: 'second' }));
  const rotated = await coldStart({}, 'rotated');
  const statusOf = async (id: string, secret: string) =>
    (await rotated(urlEvent(delivery({ id, secret, event: 'ping' })))).statusCode;
  assert.equal(await statusOf('old', hookSecret), 202);
  assert.equal(await statusOf('new', 'second'), 202);
  assert.equal(await statusOf('never', 'third'), 401);
});

test('nothing of a request is written to the log but what the ledger holds', async (context) => {
  const lines: string[] = [];
  const write = process.stdout.write.bind(process.stdout);
  const written = context.mock.method(process.stdout, 'write', (line: string | Uint8Array) => {
    // The test runner reports through the same stream, in bytes.
    if (typeof line !== 'string') return write(line);
    return lines.push(line) > 0;
  });
  const request = delivery({
    id: 'logged',
    body: JSON.stringify(pushOf({ pusher: { email: 'pusher@example.com' } })),
  });
  await answerOf(request);
  await answerOf(delivery({ secret: 'guessed' }));
  written.mock.restore();
  assert.equal(lines.length, 2);
  assert.match(lines[0] ?? '', /"status":202,"delivery":"logged","state":"published"/);
  const signature = request.headers['x-hub-signature-256'] ?? '';
  for (const secret of ['pusher@example.com', hookSecret, signature.slice(7)]) {
    assert.ok(!lines.join('').includes(secret), secret);
  }
});

test('when AWS is silent, the sender is told so before it hangs up', async () => {
  await using server = await brokenAws(() => ({ kind: 'silence' }));
  const silent = await coldStart({ AWS_ENDPOINT_URL: server.endpoint }, 'silent');
  const gitHubHangsUp = new Promise<never>((_, reject) => {
    setTimeout(reject, 10_000, new Error('no answer after 10 s')).unref();
  });
  const answer = await Promise.race([silent(urlEvent(delivery({ id: 'silent' }))), gitHubHangsUp]);
  assert.equal(answer.statusCode, 503);
  assert.match(answer.body, /not taken; deliver it again/);
});
