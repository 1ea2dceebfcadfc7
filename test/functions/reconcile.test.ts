import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { after, before, describe, test } from 'node:test';
import { CreateEventBusCommand, EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { CreateKeyCommand, KMSClient } from '@aws-sdk/client-kms';
import { CreateBucketCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { CreateSecretCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { CreateQueueCommand, SQSClient } from '@aws-sdk/client-sqs';
import { KmsSealer } from '../../adapters/kms-sealer.ts';
import { S3Store } from '../../adapters/s3-store.ts';
import { SecretsManagerSecrets } from '../../adapters/secrets-manager.ts';
import type { BatchResponse } from '../../adapters/sqs-batch.ts';
import { SystemClock } from '../../adapters/system-clock.ts';
import { environment } from '../../core/contract/environment.ts';
import { keys } from '../../core/contract/keys.ts';
import { parseDocument, readDocument } from '../../core/documents.ts';
import { inventorySchema, type Inventory } from '../../core/model/inventory.ts';
import type { KubeObject } from '../../core/model/object.ts';
import { runRecordSchema, type RunRecord } from '../../core/model/run.ts';
import { testAws } from '../aws/test-aws.ts';
import { at } from '../cluster/cluster-client.ts';
import { testCluster, type TestCluster } from '../cluster/test-cluster.ts';
import { configMap, pushTo, type PushPlace } from '../core/reconcile/reconcile-world.ts';

/** The function as Lambda loads it, over the local AWS and a real API server. */

const { aws, client, prefix } = await testAws();
const clock = new SystemClock();
const store = new S3Store(prefix, new S3Client(client));
let real: TestCluster;
let sealer: KmsSealer;

before(async () => {
  real = await testCluster('functions');
  const config = {
    repositories: [{ name: 'fleet', url: 'https://git.example/fleet.git' }],
    clusters: [{ name: 'east', access: { type: 'kubeconfig', secret: `${prefix}/east` } }],
  };
  await new S3Client(client).send(new CreateBucketCommand({ Bucket: prefix }));
  const asset = { Bucket: prefix, Key: 'assets/c.json', Body: JSON.stringify(config) };
  await new S3Client(client).send(new PutObjectCommand(asset));
  const secrets = new SecretsManagerClient(client);
  await secrets.send(new CreateSecretCommand({ Name: `${prefix}/east`, SecretString: real.kubeconfig }));
  await secrets.send(new CreateSecretCommand({ Name: `${prefix}/digests`, SecretString: 'a key' }));
  await new EventBridgeClient(client).send(new CreateEventBusCommand({ Name: prefix }));
  const { KeyMetadata } = await new KMSClient(client).send(new CreateKeyCommand({}));
  const keyId = KeyMetadata?.KeyId ?? '';
  const sqs = new SQSClient(client);
  const fifo = new CreateQueueCommand({ QueueName: `${prefix}.fifo`, Attributes: { FifoQueue: 'true' } });
  const [runs, later] = await Promise.all([
    sqs.send(fifo),
    sqs.send(new CreateQueueCommand({ QueueName: `${prefix}-later` })),
  ]);
  Object.assign(process.env, aws.env, {
    [environment.bucket]: prefix,
    [environment.bus]: prefix,
    [environment.config]: `${prefix}/assets/c.json`,
    [environment.fleet]: prefix,
    [environment.runQueue]: runs.QueueUrl,
    [environment.laterQueue]: later.QueueUrl,
    [environment.networks]: '{}',
    [environment.digestKeySecret]: `${prefix}/digests`,
    [environment.sealingKey]: keyId,
  });
  const held = new SecretsManagerSecrets(clock, secrets);
  const digestKeySecret = `${prefix}/digests`;
  sealer = new KmsSealer({ keyId, digestKeySecret, secrets: held }, new KMSClient(client));
});
after(async () => real.stop());

/** An application of its own on the one cluster. */
function placeOf(application: string): PushPlace {
  return { store, sealer, clock, namespace: real.namespace, target: { cluster: 'east', application } };
}

/** What Lambda passes on from the run queue. */
function eventOf({ target }: PushPlace): object {
  const body = JSON.stringify({ version: 1, target, reason: 'push', requestedBy: 'test' });
  return { Records: [{ messageId: 'm1', body, attributes: { ApproximateReceiveCount: '1' } }] };
}

/** The function in a process of its own: prints its answer as its last line. */
const script = `
const { handler } = await import('${new URL('../../functions/reconcile.ts', import.meta.url).href}');
const response = await handler(JSON.parse(process.argv[1]), { getRemainingTimeInMillis: () => 300_000 });
process.stdout.write(JSON.stringify(response));
`;

/** Runs the function in a process of its own; \`whileItRuns\` may kill it. Gives its answer, if it gave one. */
async function inProcess(
  place: PushPlace,
  whileItRuns: (kill: () => void) => Promise<void> = async () => undefined,
): Promise<BatchResponse | undefined> {
  const args = ['--input-type=module', '--eval', script, JSON.stringify(eventOf(place))];
  const child = spawn(process.execPath, args, {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString();
  });
  const ended = once(child, 'exit');
  await whileItRuns(() => child.kill('SIGKILL'));
  await ended;
  const last = output.trim().split('\n').at(-1) ?? '';
  return last.includes('batchItemFailures') ? (JSON.parse(last) as BatchResponse) : undefined;
}

async function inventoryOf({ target }: PushPlace): Promise<Inventory> {
  const document = await readDocument(store, keys.inventory(target), inventorySchema);
  assert.ok(document, 'there is an inventory');
  return document.value;
}

async function runsOf({ target }: PushPlace): Promise<RunRecord[]> {
  const all = await Array.fromAsync(store.list('runs/'));
  const own = all.filter((key) => key.includes(`/${target.cluster}/${target.application}/`));
  return Promise.all(
    own.map(async (key) => parseDocument(key, (await store.get(key))?.text ?? '', runRecordSchema)),
  );
}

async function liveOf(application: string) {
  const selector = encodeURIComponent(`trueup.dev/application=${application}`);
  return real.admin.list(`/api/v1/namespaces/${real.namespace}/configmaps?labelSelector=${selector}`);
}

describe('the reconcile function', () => {
  test('applies a push once, whatever number of times it is asked', async () => {
    const { handler } = await import('../../functions/reconcile.ts');
    const place = placeOf('asked');
    const password = Buffer.from('hunter2').toString('base64');
    const secret: KubeObject = {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 's' },
      data: { password },
    };
    await pushTo(place, [configMap('a'), secret]);
    const invocation = { getRemainingTimeInMillis: () => 300_000 };
    for (let times = 0; times < 5; times += 1) {
      assert.deepEqual(await handler(eventOf(place), invocation), { batchItemFailures: [] });
    }
    const [run, ...others] = await runsOf(place);
    assert.equal(others.length, 0);
    assert.deepEqual([run?.outcome?.kind, run?.outcome?.counts.created], ['applied', 2]);
    const live = await real.admin.get(`/api/v1/namespaces/${real.namespace}/secrets/s`);
    assert.equal(at(live, 'data', 'password'), password);
    assert.doesNotMatch(JSON.stringify([run, await inventoryOf(place)]), /hunter2|aHVudGVyMg/);
  });

  test('a cluster that is not configured is recorded as such, and the message is taken', async () => {
    const { handler } = await import('../../functions/reconcile.ts');
    const place = { ...placeOf('lost'), target: { cluster: 'nowhere', application: 'lost' } };
    await pushTo(place, [configMap('a')]);
    const response = await handler(eventOf(place), { getRemainingTimeInMillis: () => 300_000 });
    assert.deepEqual(response, { batchItemFailures: [] });
    const [run] = await runsOf(place);
    assert.equal(run?.outcome?.kind, 'blocked');
    assert.match(run.outcome.message, /cluster nowhere: is not in the stack configuration/);
  });
});

test('killed by SIGKILL in the middle of an apply: the next run completes it, nothing is orphaned', async () => {
  const place = placeOf('killed');
  const objects = Array.from({ length: 400 }, (_, index) => configMap(`k${String(index).padStart(3, '0')}`));
  await pushTo(place, objects);
  const answer = await inProcess(place, async (kill) => {
    const deadline = Date.now() + 60_000;
    while ((await liveOf('killed')).length < 100) {
      assert.ok(Date.now() < deadline, 'the first hundred objects are there in time');
      await delay(5);
    }
    kill();
  });
  assert.equal(answer, undefined, 'it did not live to answer');

  const created = (await liveOf('killed')).length;
  assert.ok(created >= 100 && created < 400, `${created} of 400 objects were created when it died`);
  const [dead] = await runsOf(place);
  assert.equal(dead?.plan.actions.length, 400, 'what it was about to do is on record');
  assert.equal(dead.outcome, undefined);
  const left = Object.values((await inventoryOf(place)).entries);
  assert.equal(left.length, 400, 'every object was in the inventory before the first was created');
  assert.ok(left.every(({ state }) => state === 'intent'));

  // As if the 90 s of its lease had passed. Meanwhile the commit was replaced by one that drops some of its objects.
  const lease = keys.lease(place.target);
  const held = JSON.parse((await store.get(lease))?.text ?? '') as object;
  await store.put(lease, JSON.stringify({ ...held, expiresAt: Date.now() - 1 }), 'any');
  await pushTo(place, objects.slice(20));
  assert.deepEqual(await inProcess(place), { batchItemFailures: [] });

  const { entries, applied } = await inventoryOf(place);
  const live = await liveOf('killed');
  assert.deepEqual([live.length, Object.keys(entries).length, applied?.revision], [380, 380, 2]);
  const uids = new Set(live.map((object) => at(object, 'metadata', 'uid')));
  const own = Object.values(entries).filter(
    ({ uid, created: isOurs, state }) => uids.has(uid) && isOurs && state === 'applied',
  );
  assert.equal(
    own.length,
    380,
    'each is known by its uid as created by us, so that it can be pruned one day',
  );
  const [, next] = await runsOf(place);
  assert.equal(next?.outcome?.kind, 'applied', next?.outcome?.message);
  assert.equal(next.outcome.counts.pruned, 20, 'those of the dead run that Git no longer wants');
});
