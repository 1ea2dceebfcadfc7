import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { CreateEventBusCommand, EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { CreateKeyCommand, KMSClient } from '@aws-sdk/client-kms';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import {
  CreateSecretCommand,
  PutSecretValueCommand,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { CreateQueueCommand, ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { PutParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { KmsSealer } from '../../adapters/kms-sealer.ts';
import { S3Store } from '../../adapters/s3-store.ts';
import { SecretsManagerSecrets } from '../../adapters/secrets-manager.ts';
import type { BatchResponse } from '../../adapters/sqs-batch.ts';
import { SystemClock } from '../../adapters/system-clock.ts';
import { environment } from '../../core/contract/environment.ts';
import { keys } from '../../core/contract/keys.ts';
import { readDocument } from '../../core/documents.ts';
import { clusterCheckSchema } from '../../core/model/check.ts';
import { inventorySchema } from '../../core/model/inventory.ts';
import { testAws } from '../aws/test-aws.ts';
import { testCluster, type TestCluster } from '../cluster/test-cluster.ts';
import { pushTo } from '../core/reconcile/reconcile-world.ts';

/** The two functions that read values, as Lambda loads them, over the local AWS and a real API server. */

const { aws, client, prefix } = await testAws();
const sqs = new SQSClient(client);
const secrets = new SecretsManagerClient(client);
const store = new S3Store(prefix, new S3Client(client));
const invocation = { getRemainingTimeInMillis: () => 300_000 };
type Handler = (event: unknown, context: typeof invocation) => Promise<BatchResponse>;
let testing: TestCluster;
let later: string;
let reconcile: Handler;
let sweep: Handler;

const keySecret = `${prefix}/digest`;
const db = `${prefix}/apps/db`;
const token = `/${prefix}/apps/token`;

before(async () => {
  testing = await testCluster('references');
  await new S3Client(client).send(new CreateBucketCommand({ Bucket: prefix }));
  const queues: string[] = [];
  for (const [name, Attributes] of [
    ['later', {}],
    ['runs.fifo', { FifoQueue: 'true' }],
  ] as const) {
    const { QueueUrl } = await sqs.send(
      new CreateQueueCommand({ QueueName: `${prefix}-${name}`, Attributes }),
    );
    queues.push(QueueUrl ?? '');
  }
  const [laterUrl = '', runs = ''] = queues;
  later = laterUrl;
  const { KeyMetadata } = await new KMSClient(client).send(new CreateKeyCommand({}));
  const keyId = KeyMetadata?.KeyId ?? '';
  await new EventBridgeClient(client).send(new CreateEventBusCommand({ Name: prefix }));
  const kubeconfig = `${prefix}/apps/kubeconfig`;
  await secret(keySecret, 'hunter2 of the digests');
  await secret(kubeconfig, testing.kubeconfig);
  const config = {
    repositories: [{ name: 'config', url: 'https://example.com/config.git' }],
    clusters: [{ name: 'east', access: { type: 'kubeconfig', secret: kubeconfig } }],
    secretReferences: { secrets: [`${prefix}/apps/*`], parameters: [token] },
  };
  await store.put('config.json', JSON.stringify(config), 'any');
  Object.assign(process.env, aws.env, {
    [environment.bucket]: prefix,
    [environment.bus]: prefix,
    [environment.config]: `${prefix}/config.json`,
    [environment.fleet]: prefix,
    [environment.laterQueue]: later,
    [environment.networks]: '{}',
    [environment.runQueue]: runs,
    [environment.sweepQueue]: later,
    [environment.digestKeySecret]: keySecret,
    [environment.sealingKey]: keyId,
  });
  ({ handler: reconcile } = await import('../../functions/reconcile.ts'));
  ({ handler: sweep } = await import('../../functions/sweep.ts'));
  sealer = new KmsSealer({
    keyId,
    digestKeySecret: keySecret,
    secrets: new SecretsManagerSecrets(new SystemClock(), secrets),
  });
});
after(async () => testing.stop());

let sealer: KmsSealer;

async function secret(Name: string, SecretString: string): Promise<string> {
  return (await secrets.send(new CreateSecretCommand({ Name, SecretString }))).VersionId ?? '';
}

const targetOf = (application: string) => ({ cluster: 'east', application });

async function push(application: string, data: Readonly<Record<string, string>>): Promise<void> {
  const { namespace } = testing;
  const clock = new SystemClock();
  await pushTo({ store, sealer, clock, target: targetOf(application), namespace }, [
    { apiVersion: 'v1', kind: 'Secret', metadata: { name: application }, stringData: data },
  ]);
}

async function handle(handler: Handler, request: object): Promise<void> {
  const body = JSON.stringify(request);
  const record = { messageId: 'm', body, attributes: { ApproximateReceiveCount: '1' } };
  assert.deepEqual(await handler({ Records: [record] }, invocation), { batchItemFailures: [] });
}

async function run(application: string): Promise<string> {
  await handle(reconcile, {
    version: 1,
    target: targetOf(application),
    reason: 'push',
    requestedBy: 'test',
  });
  const inventory = await readDocument(store, keys.inventory(targetOf(application)), inventorySchema);
  return `${inventory?.value.lastRun?.outcome}: ${inventory?.value.lastRun?.message}`;
}

async function check(application: string) {
  await handle(sweep, { version: 1, scope: 'cluster', cluster: 'east', requestedBy: 'test', full: true });
  return (await readDocument(store, keys.check('east'), clusterCheckSchema))?.value.targets[application];
}

async function live(name: string): Promise<unknown> {
  const { body } = await testing.admin.ask('GET', `/api/v1/namespaces/${testing.namespace}/secrets/${name}`);
  const data: unknown = typeof body === 'object' && body !== null && 'data' in body ? body.data : undefined;
  return data;
}

const encoded = (text: string) => Buffer.from(text).toString('base64');

test('a secret that is not allowed, or that trueup itself needs, goes to no application', async () => {
  await push('thief', { a: `ref+awssecrets://${keySecret}` });
  assert.match(
    await run('thief'),
    /^blocked: .*is not allowed; add .*\/digest, or a pattern for it, to secretRef/,
  );
  await push('spy', { a: `ref+awssecrets://${prefix}/apps/kubeconfig` });
  assert.match(await run('spy'), /^blocked: .*trueup itself works with/);
  assert.deepEqual([await live('thief'), await live('spy')], [undefined, undefined]);
});

test('what is allowed is applied, its rotation waits and is applied, and no record tells a value', async () => {
  const first = await secret(db, '{"password":"hunter2-one"}');
  const value = { Name: token, Value: 'hunter2-token', Type: 'SecureString' } as const;
  await new SSMClient(client).send(new PutParameterCommand(value));
  const place = `ref+awssecrets://${db}`;
  await push('web', { password: `${place}#/password`, token: `ref+awsssm:/${token}` });
  assert.match(await run('web'), /^applied: 1 created/);
  assert.deepEqual(await live('web'), { password: encoded('hunter2-one'), token: encoded('hunter2-token') });
  assert.equal((await check('web'))?.sync, 'Synced');

  const { VersionId: second = '' } = await secrets.send(
    new PutSecretValueCommand({ SecretId: db, SecretString: '{"password":"hunter2-two"}' }),
  );
  const found = await check('web');
  assert.deepEqual([found?.sync, found?.drifted], ['Pending', 0]);
  assert.equal(found?.reason, `${place} has version ${second}, applied is ${first}`);
  const command = new ReceiveMessageCommand({ QueueUrl: later, MaxNumberOfMessages: 10, WaitTimeSeconds: 2 });
  const { Messages = [] } = await sqs.send(command);
  const asked: unknown[] = Messages.map(({ Body = '' }) => JSON.parse(Body));
  const request = asked.find((each) => JSON.stringify(each).includes('"rotation"'));
  assert.ok(typeof request === 'object' && request !== null, JSON.stringify(asked));
  await handle(reconcile, request);
  const data = await live('web');
  assert.ok(typeof data === 'object' && data !== null && 'password' in data);
  assert.equal(data.password, encoded('hunter2-two'));
  assert.equal((await check('web'))?.sync, 'Synced');

  for await (const key of store.list('')) {
    assert.doesNotMatch((await store.get(key))?.text ?? '', /hunter2|aHVudGVyMi/, key);
  }
});
