import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { CreateEventBusCommand, EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { CreateKeyCommand, KMSClient } from '@aws-sdk/client-kms';
import { CreateBucketCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { CreateSecretCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { CreateQueueCommand, ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { S3Store } from '../../adapters/s3-store.ts';
import type { BatchResponse } from '../../adapters/sqs-batch.ts';
import { environment } from '../../core/contract/environment.ts';
import { keys, prefixes } from '../../core/contract/keys.ts';
import { desiredPointerSchema } from '../../core/model/desired.ts';
import { runRequestSchema } from '../../core/model/run.ts';
import { testAws } from '../aws/test-aws.ts';
import { findTools } from '../cluster/tools.ts';
import { application, configMap } from '../core/produce/world.ts';
import { startGitServer, type GitServer } from '../git/git-server.ts';

/** The function as Lambda loads it, over the local AWS, a real Git host and the real kubectl. */

const token = 'a-token-of-the-test';
const { aws, client, prefix } = await testAws();
const sqs = new SQSClient(client);
const store = new S3Store(prefix, new S3Client(client));
let root = '';
let server: GitServer;
let head = '';
let runQueue = '';
let handler: (event: unknown) => Promise<BatchResponse>;

const secret = 'apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {password: hunter2}\n';
const files = {
  'applications/web.yaml': application('web'),
  'applications/broken.yaml': application('broken'),
  'apps/web/kustomization.yaml': 'resources: [web.yaml, secret.yaml]\n',
  'apps/web/web.yaml': configMap('web', '1'),
  'apps/web/secret.yaml': secret,
  'apps/broken/x.yaml': 'a: b: c\n',
};

before(async () => {
  root = await mkdtemp(join(tmpdir(), 'trueup-test-'));
  for (const [name, text] of Object.entries(files)) {
    await mkdir(join(root, 'files', name, '..'), { recursive: true });
    await writeFile(join(root, 'files', name), text);
  }
  server = await startGitServer({ dir: join(root, 'host'), token });
  head = (await server.createRepository('fleet', { from: join(root, 'files') })) ?? '';
  const config = {
    repositories: [{ name: 'fleet', url: server.url('fleet'), tokenSecret: `${prefix}/token` }],
    clusters: [{ name: 'prod', access: { type: 'eks', name: 'prod' } }],
  };
  await new S3Client(client).send(new CreateBucketCommand({ Bucket: prefix }));
  const asset = { Bucket: prefix, Key: 'assets/c.json', Body: JSON.stringify(config) };
  await new S3Client(client).send(new PutObjectCommand(asset));
  const secrets = new SecretsManagerClient(client);
  await secrets.send(new CreateSecretCommand({ Name: `${prefix}/token`, SecretString: token }));
  await secrets.send(new CreateSecretCommand({ Name: `${prefix}/digests`, SecretString: 'a key' }));
  await new EventBridgeClient(client).send(new CreateEventBusCommand({ Name: prefix }));
  const { KeyMetadata } = await new KMSClient(client).send(new CreateKeyCommand({}));
  const made = await sqs.send(
    new CreateQueueCommand({ QueueName: `${prefix}.fifo`, Attributes: { FifoQueue: 'true' } }),
  );
  runQueue = made.QueueUrl ?? '';
  Object.assign(process.env, aws.env, {
    PATH: (await findTools({ progress: () => undefined })).path,
    [environment.bucket]: prefix,
    [environment.bus]: prefix,
    [environment.config]: `${prefix}/assets/c.json`,
    [environment.fleet]: prefix,
    [environment.runQueue]: runQueue,
    [environment.digestKeySecret]: `${prefix}/digests`,
    [environment.sealingKey]: KeyMetadata?.KeyId ?? '',
  });
  ({ handler } = await import('../../functions/snapshot.ts'));
});
after(async () => {
  await server.stop();
  await rm(root, { recursive: true, force: true });
});

/** A message of the queue that the rule for PushReceived delivers to. */
function message(messageId: string, repository: string) {
  const detail = {
    version: 1,
    at: '2026-11-23T12:00:00.000Z',
    deliveryId: messageId,
    provider: 'github',
    repository,
    ref: 'refs/heads/main',
    before: '0'.repeat(40),
    after: head,
    deleted: false,
  };
  const body = { id: messageId, source: 'trueup', 'detail-type': 'PushReceived', detail };
  return { messageId, body: JSON.stringify(body), attributes: { ApproximateReceiveCount: '1' } };
}

/** What a poll of the remote published, by the ledger. */
async function poll(): Promise<number> {
  const body = { version: 1, poll: 'remote', repositories: ['fleet'] };
  const attributes = { ApproximateReceiveCount: '1' };
  const Records = [{ messageId: 'poll', body: JSON.stringify(body), attributes }];
  assert.deepEqual(await handler({ Records }), { batchItemFailures: [] });
  return (await Array.fromAsync(store.list(`${prefixes.deliveries}poll/id/`))).length;
}

test('a poll tells of what nobody told of', async () => {
  assert.equal(await poll(), 1);
});

test('a batch of pushes: one followed, one of no repository of ours, one that is no push', async () => {
  const nonsense = { messageId: 'nonsense', body: '{}', attributes: { ApproximateReceiveCount: '1' } };
  const response = await handler({ Records: [message('m1', 'fleet'), message('m2', 'other'), nonsense] });
  assert.deepEqual(response, { batchItemFailures: [{ itemIdentifier: 'nonsense' }] });

  const stored = await store.get(keys.desired({ cluster: 'prod', application: 'web' }));
  const pointer = desiredPointerSchema.parse(JSON.parse(stored?.text ?? ''));
  assert.deepEqual([pointer.commit.sha, pointer.objects, pointer.revision], [head, 2, 1]);
  const snapshot = await store.get(keys.snapshot('web', pointer.snapshot));
  assert.match(snapshot?.text ?? '', /"password":"sealed:v1:hmac:/);
  assert.doesNotMatch(snapshot?.text ?? '', /aHVudGVyMg/);

  const receive = new ReceiveMessageCommand({
    QueueUrl: runQueue,
    MaxNumberOfMessages: 10,
    WaitTimeSeconds: 2,
  });
  const { Messages = [] } = await sqs.send(receive);
  const targets = Messages.map(({ Body }) => runRequestSchema.parse(JSON.parse(Body ?? '')).target);
  assert.deepEqual(targets, [{ cluster: 'prod', application: 'web' }]);
});

test('a poll of what was followed tells nothing', async () => {
  assert.equal(await poll(), 1);
});

test('a push that finds an unreadable record stays in the queue, for the DLQ and its alarm', async () => {
  await store.put(keys.repository('fleet', 'refs/heads/main'), '{}', 'any');
  const response = await handler({ Records: [message('m3', 'fleet')] });
  assert.deepEqual(response, { batchItemFailures: [{ itemIdentifier: 'm3' }] });
});
