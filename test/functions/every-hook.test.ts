import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import {
  CreateEventBusCommand,
  EventBridgeClient,
  PutRuleCommand,
  PutTargetsCommand,
} from '@aws-sdk/client-eventbridge';
import { CreateBucketCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { CreateSecretCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import {
  CreateQueueCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import * as z from 'zod';
import type { UrlResponse } from '../../adapters/function-url.ts';
import { S3Store } from '../../adapters/s3-store.ts';
import { environment } from '../../core/contract/environment.ts';
import {
  hasSecretPath,
  hookName,
  hookSecretName,
  hooksOf,
  type HookProvider,
} from '../../core/contract/hooks.ts';
import { keys } from '../../core/contract/keys.ts';
import { deliverySchema } from '../../core/model/delivery.ts';
import type { HookRequest } from '../../core/receive/hook-request.ts';
import { testAws } from '../aws/test-aws.ts';
import { payloadsOf, unsigned } from '../core/receive/payloads.ts';
import { everyHook } from '../fakes/hook-world.ts';
import { signed } from '../fakes/senders.ts';

/** Every provider through the function itself, on the local AWS: its URL's event in, secrets, ledger and bus behind. */

const { aws, client, prefix } = await testAws();
const s3 = new S3Client(client);
const sqs = new SQSClient(client);
const store = new S3Store(prefix, s3);
const secret = 'a-secret-of-more-than-128-bits-000000';
const signingToken = `whsec_${Buffer.from('0123456789abcdef0123456789abcdef').toString('base64')}`;
/** A second GitLab hook, whose secret is a signing token. */
const config = {
  ...everyHook,
  hooks: [...everyHook.hooks, { provider: 'gitlab' as const }, { provider: 'gitlab' as const, id: 'signed' }],
};
let queue = '';
let handler: (event: unknown) => Promise<UrlResponse>;

before(async () => {
  await s3.send(new CreateBucketCommand({ Bucket: prefix }));
  const Body = JSON.stringify(config);
  await s3.send(new PutObjectCommand({ Bucket: prefix, Key: 'assets/c.json', Body }));
  const secrets = new SecretsManagerClient(client);
  for (const hook of hooksOf(config)) {
    const Name = hookSecretName(hook, `${prefix}/hooks`);
    const SecretString = hookName(hook) === 'gitlab.signed' ? signingToken : secret;
    if (Name !== undefined) await secrets.send(new CreateSecretCommand({ Name, SecretString }));
  }
  queue = (await sqs.send(new CreateQueueCommand({ QueueName: prefix }))).QueueUrl ?? '';
  const { Attributes } = await sqs.send(
    new GetQueueAttributesCommand({ QueueUrl: queue, AttributeNames: ['QueueArn'] }),
  );
  const events = new EventBridgeClient(client);
  await events.send(new CreateEventBusCommand({ Name: prefix }));
  const EventPattern = JSON.stringify({ source: ['trueup'] });
  await events.send(new PutRuleCommand({ Name: prefix, EventBusName: prefix, EventPattern }));
  const Targets = [{ Id: 'queue', Arn: Attributes?.QueueArn ?? '' }];
  await events.send(new PutTargetsCommand({ Rule: prefix, EventBusName: prefix, Targets }));
  Object.assign(process.env, aws.env, {
    [environment.bucket]: prefix,
    [environment.bus]: prefix,
    [environment.config]: `${prefix}/assets/c.json`,
    [environment.hookSecretPrefix]: `${prefix}/hooks`,
  });
  ({ handler } = await import('../../functions/webhook.ts'));
});

async function answerOf({ method, path, headers, body, sourceIp }: HookRequest, base64: boolean) {
  const { statusCode, body: text } = await handler({
    version: '2.0',
    rawPath: path,
    headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, value ?? ''])),
    requestContext: { http: { method, path, sourceIp } },
    body: Buffer.from(body).toString(base64 ? 'base64' : 'utf8'),
    isBase64Encoded: base64,
  });
  const answer = z.object({ delivery: z.string().optional(), state: z.string().optional() });
  return { status: statusCode, ...answer.parse(JSON.parse(text)) };
}

const messageSchema = z.object({
  'detail-type': z.string(),
  detail: z.object({ provider: z.string(), deliveryId: z.string(), repository: z.string() }),
});

async function receiveEvent(): Promise<z.infer<typeof messageSchema> | undefined> {
  const command = new ReceiveMessageCommand({ QueueUrl: queue, MaxNumberOfMessages: 1, WaitTimeSeconds: 2 });
  const { Messages: [message] = [] } = await sqs.send(command);
  return message === undefined ? undefined : messageSchema.parse(JSON.parse(message.Body ?? ''));
}

interface Row {
  readonly provider: HookProvider;
  readonly hook?: string;
  readonly event: 'PushReceived' | 'ImagePushed';
}
const rows: readonly Row[] = [
  { provider: 'github', event: 'PushReceived' },
  { provider: 'gitlab', event: 'PushReceived' },
  { provider: 'gitlab', hook: 'signed', event: 'PushReceived' },
  { provider: 'bitbucket', event: 'PushReceived' },
  { provider: 'bitbucket-data-center', event: 'PushReceived' },
  { provider: 'gitea', event: 'PushReceived' },
  { provider: 'forgejo', event: 'PushReceived' },
  { provider: 'azure-devops', event: 'PushReceived' },
  { provider: 'generic', event: 'PushReceived' },
  { provider: 'ghcr', event: 'ImagePushed' },
  { provider: 'harbor', event: 'ImagePushed' },
  { provider: 'docker-hub', event: 'ImagePushed' },
  { provider: 'distribution', event: 'ImagePushed' },
  { provider: 'nexus', event: 'ImagePushed' },
  { provider: 'jfrog', hook: 'token', event: 'ImagePushed' },
  { provider: 'jfrog', event: 'ImagePushed' },
  { provider: 'acr', event: 'ImagePushed' },
  { provider: 'cdevents', event: 'ImagePushed' },
];

for (const [index, { provider, hook, event }] of rows.entries()) {
  const name = hook === undefined ? provider : `${provider}.${hook}`;
  test(`${name}: a request as it is truly signed becomes ${event}; one that is not is refused`, async () => {
    const payload = payloadsOf(provider)[0];
    assert.ok(payload);
    const { headers, body } = unsigned(provider, payload);
    const own = name === 'gitlab.signed' ? signingToken : secret;
    const at = Math.floor(Date.now() / 1000);
    const base = { headers: headers ?? {}, body, at, ...(hook !== undefined && { hook }) };
    const { status, delivery, state } = await answerOf(
      signed(provider, { ...base, secret: own }),
      index % 2 === 0,
    );
    assert.deepEqual([status, state], [202, 'published']);
    const published = await receiveEvent();
    assert.equal(published?.['detail-type'], event);
    assert.deepEqual([published.detail.provider, published.detail.deliveryId], [name, delivery]);
    const stored = await store.get(keys.delivery(name, delivery ?? ''));
    const record = deliverySchema.parse(JSON.parse(stored?.text ?? ''));
    assert.equal(record.state, 'published');
    const kept = await store.get(keys.body(name, record.bodyDigest));
    assert.ok(kept, 'the body is kept for a replay');
    assert.ok(kept.text.includes(JSON.stringify(String(body)).slice(1, -1)));
    assert.ok(!kept.text.includes(own), 'and no secret with it');

    const forged =
      name === 'gitlab.signed' ? `whsec_${Buffer.from('x'.repeat(32)).toString('base64')}` : 'x'.repeat(40);
    const refused = await answerOf(signed(provider, { ...base, secret: forged }), false);
    assert.equal(refused.status, hasSecretPath({ provider }) ? 404 : 401);
  });
}

test('an address that is not on the list of a hook is refused, whatever it knows', async () => {
  const payload = payloadsOf('docker-hub')[0];
  assert.ok(payload);
  const request = signed('docker-hub', { ...unsigned('docker-hub', payload), secret });
  assert.equal((await answerOf({ ...request, sourceIp: '198.51.100.7' }, false)).status, 403);
});
