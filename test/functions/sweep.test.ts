import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { CreateEventBusCommand, EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { CreateKeyCommand, KMSClient } from '@aws-sdk/client-kms';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { CreateSecretCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { CreateQueueCommand, ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { S3Store } from '../../adapters/s3-store.ts';
import type { BatchResponse } from '../../adapters/sqs-batch.ts';
import { environment } from '../../core/contract/environment.ts';
import { sweepRequestSchema } from '../../core/contract/events.ts';
import { keys } from '../../core/contract/keys.ts';
import { readDocument } from '../../core/documents.ts';
import { clusterCheckSchema } from '../../core/model/check.ts';
import { driftRecordSchema } from '../../core/model/drift.ts';
import { testAws } from '../aws/test-aws.ts';
import { testCluster, type TestCluster } from '../cluster/test-cluster.ts';
import { workbench } from '../core/drift/workbench.ts';
import { SweepWorld, configMap } from '../core/sweep/sweep-world.ts';

/** The function as Lambda loads it, over the local AWS: one cluster is real, of the other only the kubeconfig is left. */

const { aws, client, prefix } = await testAws();
const sqs = new SQSClient(client);
const store = new S3Store(prefix, new S3Client(client));
const invocation = { getRemainingTimeInMillis: () => 300_000 };
let testing: TestCluster;
let urls: Readonly<Record<'later' | 'sweeps' | 'inside', string>>;
let handler: (event: unknown, context: typeof invocation) => Promise<BatchResponse>;

before(async () => {
  testing = await testCluster('sweep');
  await putRecords();
  urls = {
    later: await createQueue('later'),
    sweeps: await createQueue('sweeps'),
    inside: await createQueue('inside'),
  };
  const inside = { runQueue: urls.inside, laterQueue: urls.inside, sweepQueue: urls.inside };
  const { KeyMetadata } = await new KMSClient(client).send(new CreateKeyCommand({}));
  await new EventBridgeClient(client).send(new CreateEventBusCommand({ Name: prefix }));
  const gone = testing.kubeconfig.replace(/server: .*/, 'server: https://127.0.0.1:1');
  const secrets = { digest: 'the key of the digests', east: testing.kubeconfig, west: gone };
  for (const [name, SecretString] of Object.entries(secrets)) {
    const command = new CreateSecretCommand({ Name: `${prefix}/${name}`, SecretString });
    await new SecretsManagerClient(client).send(command);
  }
  const config = {
    repositories: [{ name: 'config', url: 'https://example.com/config.git' }],
    clusters: ['east', 'west', 'vault'].map((name) => ({
      name,
      access: { type: 'kubeconfig', secret: `${prefix}/${name}` },
      ...(name === 'vault' && { network: 'inside' }),
    })),
  };
  await store.put('config.json', JSON.stringify(config), 'any');
  Object.assign(process.env, aws.env, {
    [environment.bucket]: prefix,
    [environment.bus]: prefix,
    [environment.config]: `${prefix}/config.json`,
    [environment.fleet]: prefix,
    [environment.laterQueue]: urls.later,
    [environment.networks]: JSON.stringify({ queues: { inside } }),
    [environment.sweepQueue]: urls.sweeps,
    [environment.digestKeySecret]: `${prefix}/digest`,
    [environment.sealingKey]: KeyMetadata?.KeyId ?? '',
  });
  ({ handler } = await import('../../functions/sweep.ts'));
});
after(async () => testing.stop());

/** One application, applied on `east`; the same on `west`, where nobody answers. */
async function putRecords(): Promise<void> {
  await new S3Client(client).send(new CreateBucketCommand({ Bucket: prefix }));
  const world = new SweepWorld((await workbench(testing.kubeconfig)).cluster);
  const object = configMap('front');
  const pointer = await world.deploy('web', [
    { ...object, metadata: { ...object.metadata, namespace: testing.namespace } },
  ]);
  for await (const key of world.store.list('')) {
    await store.put(key, (await world.store.get(key))?.text ?? '', 'any');
  }
  const target = { cluster: 'west', application: 'web' };
  await store.put(keys.desired(target), JSON.stringify({ ...pointer, target }), 'any');
}

async function createQueue(name: string): Promise<string> {
  const Attributes = name.endsWith('.fifo') ? { FifoQueue: 'true' } : {};
  const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName: `${prefix}-${name}`, Attributes }));
  return QueueUrl ?? '';
}

async function received(QueueUrl: string): Promise<readonly string[]> {
  const command = new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10, WaitTimeSeconds: 2 });
  const { Messages = [] } = await sqs.send(command);
  return Messages.map(({ Body }) => Body ?? '').sort();
}

async function handle(...bodies: readonly string[]): Promise<BatchResponse> {
  const Records = bodies.map((body, index) => ({
    messageId: `m${index}`,
    body,
    attributes: { ApproximateReceiveCount: '1' },
  }));
  return handler({ Records }, invocation);
}

async function checkOf(cluster: string) {
  const check = (await readDocument(store, keys.check(cluster), clusterCheckSchema))?.value;
  return { ...check?.targets['web'], unreachable: check?.unreachable };
}

test('the schedule asks for the fleet; a cluster that is gone does not hold up the other', async () => {
  const fleet = JSON.stringify({ version: 1, scope: 'fleet', requestedBy: 'schedule' });
  assert.deepEqual(await handle(fleet, '{}'), { batchItemFailures: [{ itemIdentifier: 'm1' }] });
  const requests = await received(urls.sweeps);
  assert.equal(requests.length, 3);
  assert.deepEqual(await handle(...requests), { batchItemFailures: [] });
  assert.equal((await checkOf('east')).sync, 'Synced');
  const west = await checkOf('west');
  assert.deepEqual([west.sync, west.reason], ['Unknown', west.unreachable]);
  assert.match(
    west.unreachable ?? '',
    /cluster west at https:\/\/127\.0\.0\.1:1: the connection was refused/,
  );
  assert.deepEqual(await received(urls.later), []);
});

test('a cluster in a network is left to the functions inside it', async () => {
  const [passedOn, ...more] = await received(urls.inside);
  const request = sweepRequestSchema.parse(JSON.parse(passedOn ?? ''));
  assert.equal('cluster' in request && request.cluster, 'vault');
  assert.deepEqual(more, []);
  assert.equal((await checkOf('vault')).unreachable, 'it has not been checked yet');
});

test('an edit by hand becomes a record and a wish to heal it', async () => {
  const path = `/api/v1/namespaces/${testing.namespace}/configmaps/front`;
  await testing.admin.patch(path, { data: { a: 'by hand' } });
  await handle(JSON.stringify({ version: 1, scope: 'cluster', cluster: 'east', requestedBy: 'test' }));
  assert.equal((await checkOf('east')).sync, 'Drifted');
  const [key = '', ...more] = await Array.fromAsync(store.list('drift/'));
  assert.equal(more.length, 0);
  const [field] = (await readDocument(store, key, driftRecordSchema))?.value.drift.fields ?? [];
  assert.deepEqual(
    [field?.path, field?.desired, field?.live, field?.manager],
    ['data.a', '1', 'by hand', 'kubectl-edit'],
  );
  const [run = ''] = await received(urls.later);
  assert.deepEqual(JSON.parse(run), {
    version: 1,
    target: { cluster: 'east', application: 'web' },
    reason: 'heal',
    requestedBy: 'sweep',
  });
});
