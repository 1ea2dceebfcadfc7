import assert from 'node:assert/strict';
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, before, test } from 'node:test';
import {
  DeleteObjectCommand,
  GetObjectRetentionCommand,
  ListObjectVersionsCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { DescribeAccessEntryCommand, EKSClient } from '@aws-sdk/client-eks';
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { DescribeKeyCommand, KMSClient } from '@aws-sdk/client-kms';
import { GetQueueAttributesCommand, SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import * as z from 'zod';
import { S3Store } from '../../adapters/s3-store.ts';
import { stackResources } from '../../adapters/stack-resources.ts';
import { CloudFormationClient } from '@aws-sdk/client-cloudformation';
import { stackName } from '../../core/contract/environment.ts';
import { runTrueup } from '../e2e/stage.ts';
import { until } from '../e2e/until.ts';
import { testCluster, type TestCluster } from '../cluster/test-cluster.ts';
import { clientConfig, deploy, destroy } from './deploy.ts';
import { putEksCluster } from './emulator.ts';
import type { LocalAws } from './local-aws.ts';
import { testAws } from './test-aws.ts';

/**
 * The life of an installation: deployed from the template of the version before, with records that it wrote, then
 * deployed from today's; records lost and brought back; removed. One stack, test after test.
 */

const root = resolve(import.meta.dirname, '../..');
const previous = join(root, 'test/fixtures/previous-version');
const stack = stackName('upgrade');
const config = {
  fleet: 'upgrade',
  repositories: [{ name: 'config', url: 'https://git.example/config.git' }],
  clusters: [
    {
      name: 'production',
      labels: { environment: 'production' },
      access: { type: 'kubeconfig', secret: 'trueup/upgrade/production' },
    },
    { name: 'new', access: { type: 'eks', name: 'upgrade-new' } },
  ],
  sweepMinutes: 60,
  recordLock: { mode: 'governance', days: 30 },
} as const;
/** What the functions of today may write at any time; of all else, nothing may change by a deployment. */
const lively = /^(checks|deliveries|facts|memory|asked|leases|clusters)\//;

let dir = '';
let aws: LocalAws;
let cluster: TestCluster;
let s3: S3Client;
let records: Readonly<Record<string, string>>;
let outputs: Readonly<Record<string, string>>;

before(async () => {
  dir = await mkdtemp(join(tmpdir(), 'trueup-upgrade-'));
  ({ aws } = await testAws());
  cluster = await testCluster('upgrade');
  s3 = new S3Client({ ...clientConfig(aws), forcePathStyle: true });
  records = z
    .record(z.string(), z.string())
    .parse(JSON.parse(await readFile(join(previous, 'records.json'), 'utf8')));
  // The CDK writes beside what it deploys.
  const assembly = join(dir, 'previous');
  await cp(join(previous, 'cloud-assembly'), assembly, { recursive: true });
  await mkdir(join(dir, 'deployed-before'));
  const deployed = await deploy({ aws, app: { assembly }, dir: join(dir, 'deployed-before') });
  outputs = deployed[stack] ?? {};
  for (const [key, text] of Object.entries(records)) await store().put(key, text, 'any');
});
after(async () => {
  await cluster.stop();
  await rm(dir, { recursive: true, force: true });
});

function store(lock?: ConstructorParameters<typeof S3Store>[3]): S3Store {
  return new S3Store(outputs['BucketName'] ?? '', s3, '', lock);
}

async function secretValue(SecretId: string | undefined): Promise<string | undefined> {
  const client = new SecretsManagerClient(clientConfig(aws));
  return (await client.send(new GetSecretValueCommand({ SecretId }))).SecretString;
}

async function secrets() {
  const hook = `${outputs['HookSecretPrefix']}/github`;
  return [await secretValue(outputs['DigestKeySecretName']), await secretValue(hook)];
}

async function trueup(...args: readonly string[]) {
  return runTrueup({ aws, stack }, ...args);
}

async function deadLetterUrl(name: string): Promise<string> {
  const found = await stackResources(stack, new CloudFormationClient(clientConfig(aws)));
  return found.find(({ logicalId }) => logicalId.includes(`Queues${name}DeadLetters`))?.physicalId ?? '';
}

test('today’s version takes over what the version before left: names, keys, secrets, queues, records', async () => {
  const kept = await secrets();
  const sqs = new SQSClient(clientConfig(aws));
  const lost = { version: 1, target: { cluster: 'production', application: 'storefront' }, reason: 'sync' };
  await sqs.send(
    new SendMessageCommand({
      QueueUrl: await deadLetterUrl('Runs'),
      MessageBody: JSON.stringify({ ...lost, requestedBy: 'the version before' }),
      MessageGroupId: 'production/storefront',
      MessageDeduplicationId: 'lost',
    }),
  );
  await mkdir(join(dir, 'deployed'));
  const path = join(dir, 'config.json');
  await writeFile(path, JSON.stringify(config));
  const deployed = await deploy({
    aws,
    app: { file: join(root, 'infra/app.ts') },
    context: { config: path, snapshotPackaging: 'zip', hookConcurrency: 'none' },
    dir: join(dir, 'deployed'),
  });
  const now = deployed[stack] ?? {};
  // A configuration of today is another object; every other name that something outside may know is as it was.
  for (const name of Object.keys(outputs).filter((each) => each !== 'ConfigLocation')) {
    assert.equal(now[name], outputs[name], name);
  }
  assert.deepEqual(await secrets(), kept);
  for (const [key, text] of Object.entries(records).filter(([each]) => !lively.test(each))) {
    assert.equal((await store().get(key))?.text, text, key);
  }
});

test('and reads all of it', async () => {
  const status = await trueup('status', '-o', 'json');
  assert.equal(status.code, 0, status.err);
  for (const name of ['storefront', 'payments']) assert.match(status.out, new RegExp(name));
  const history = await trueup('history', '--app', 'storefront');
  assert.equal(history.code, 0, history.err);
  assert.match(history.out, /applied/);
  const drift = await trueup('drift', '--app', 'payments');
  assert.equal(drift.code, 1, drift.err);
  assert.match(drift.out, /LOG_LEVEL/);
});

test('RBAC is what the recorded applications need, and access entries are made and corrected', async () => {
  await putEksCluster(aws, 'upgrade-new', { endpoint: 'https://127.0.0.1:1', certificateAuthority: 'PEM' });
  const kubeconfig = ['--kubeconfig', cluster.kubeconfigPath];
  const own = await trueup('grant', '--cluster', 'production', ...kubeconfig, '-o', 'json');
  assert.equal(own.code, 0, own.err);
  const roles = z
    .array(
      z.object({ kind: z.string(), rules: z.array(z.record(z.string(), z.array(z.string()))).optional() }),
    )
    .parse(JSON.parse(own.out));
  const [rules] = roles.flatMap(({ rules: found }) => (found === undefined ? [] : [found]));
  assert.deepEqual(
    rules?.map(({ apiGroups, resources, verbs }) => [...(apiGroups ?? []), resources?.join(), verbs?.join()]),
    [
      ['', 'configmaps,namespaces,services', 'get,list,create,patch,delete'],
      ['apps', 'deployments', 'get,list,create,patch,delete'],
      ['apiextensions.k8s.io', 'customresourcedefinitions', 'get,list'],
    ],
  );
  assert.match(own.err, /kubeconfig has to be in the group trueup:reconcile/);
  const entries = ['grant', '--cluster', 'new', ...kubeconfig, '--entries'] as const;
  for (const what of ['created', 'updated']) {
    const { code, err, out } = await trueup(...entries);
    assert.equal(code, 0, err);
    assert.match(out, /kind: ClusterRoleBinding/);
    assert.match(err, /No application is on new yet: these are the kinds of all clusters/);
    assert.match(err, new RegExp(`access entry ${what}: .*Reconcile.* is in trueup:reconcile`));
  }
  const { accessEntry } = await new EKSClient(clientConfig(aws)).send(
    new DescribeAccessEntryCommand({
      clusterName: 'upgrade-new',
      principalArn: outputs['SweepRoleArn'],
    }),
  );
  assert.deepEqual(accessEntry?.kubernetesGroups, ['trueup:sweep']);
  assert.match((await trueup('grant', '--cluster', 'other', ...kubeconfig)).err, /serves no cluster other/);
});

test('work that was given up is counted and sent back to its queue', async () => {
  const counted = await trueup('redrive');
  assert.match(counted.out, /^runs +1$/m, counted.err);
  const sent = await trueup('redrive', 'runs');
  assert.equal(sent.out, 'runs: 1 on the way back\n', sent.err);
  const QueueUrl = await deadLetterUrl('Runs');
  await until('the dead-letter queue empty', async () => {
    const command = new GetQueueAttributesCommand({
      QueueUrl,
      AttributeNames: ['ApproximateNumberOfMessages'],
    });
    const { Attributes } = await new SQSClient(clientConfig(aws)).send(command);
    return Attributes?.['ApproximateNumberOfMessages'] === '0' ? true : undefined;
  });
  // It went where today's function reads: the cluster's kubeconfig is not there, and a run says so.
  const history = await until('a run of it', async () => {
    const { out } = await trueup('history', '--app', 'storefront', '-o', 'json');
    return out.includes('the version before') ? out : undefined;
  });
  assert.match(history, /trueup\/upgrade\/production/);
  const refused = await trueup('redrive', 'undelivered');
  assert.equal(refused.code, 2);
  assert.match(refused.err, /replay the events of that time from the archive/);
  assert.match(
    (await trueup('redrive', 'mistyped')).err,
    /has no queue mistyped\. It has: intake, later, pushes/,
  );
});

// Nothing is under way for this application: the other one is tried again and again since its message was sent back.
test('records that were deleted or overwritten are brought back as they were at a time', async () => {
  const lost = Object.keys(records).filter((key) => /^(inventory|drift)\/.*payments/.test(key));
  const overwritten = 'desired/production/payments.json';
  const states = async () =>
    Promise.all([...lost, overwritten].map(async (key) => (await store().get(key))?.text));
  const good = await states();
  // S3 tells times in seconds.
  await until('the next second', async () => (Date.now() % 1000 < 100 ? true : undefined));
  const at = new Date().toISOString();
  await until('the second after it', async () => (Date.now() > Date.parse(at) + 1100 ? true : undefined));
  const Bucket = outputs['BucketName'];
  for (const Key of lost) await s3.send(new DeleteObjectCommand({ Bucket, Key }));
  await s3.send(new PutObjectCommand({ Bucket, Key: overwritten, Body: '{"version":1}' }));
  await s3.send(new PutObjectCommand({ Bucket, Key: 'inventory/production/later.json', Body: '{}' }));

  const told = await trueup('restore', 'inventory/production/payments', '--at', at);
  assert.match(told.err, /1 to bring back; add --yes to do it/);
  assert.equal(await store().get('inventory/production/payments.json'), undefined);
  for (const prefix of ['inventory/production/payments', 'drift/', 'desired/']) {
    const done = await trueup('restore', prefix, '--at', at, '--yes');
    assert.equal(done.code, 0, done.err);
  }
  assert.deepEqual(await states(), good);
  assert.equal((await store().get('inventory/production/later.json'))?.text, '{}', 'made since: stays');
  assert.match(
    (await trueup('restore', 'drift/', '--at', at, '--yes')).out,
    /nothing was deleted or overwritten/,
  );
  assert.equal((await trueup('restore', 'nowhere/', '--at', at)).code, 2);
  assert.equal((await trueup('restore', 'drift/', '--at', 'yesterday')).code, 2);
});

test('records are locked once the configuration says so, on the bucket that was there before, and state is not', async () => {
  const Bucket = outputs['BucketName'];
  const locked = store(config.recordLock);
  const Key = 'runs/date=2026-11-23/production/storefront/locked.json';
  await locked.put(Key, '{"version":1}', 'absent');
  await locked.put('heals/production/locked.json', '{}', 'any');
  const { Retention } = await s3.send(new GetObjectRetentionCommand({ Bucket, Key }));
  assert.equal(Retention?.Mode, 'GOVERNANCE');
  const days = ((Retention.RetainUntilDate?.getTime() ?? 0) - Date.now()) / 86_400_000;
  assert.ok(days > 29.9 && days <= 30, String(days));
  const { Versions } = await s3.send(new ListObjectVersionsCommand({ Bucket, Prefix: Key }));
  const VersionId = Versions?.[0]?.VersionId;
  await assert.rejects(
    s3.send(new DeleteObjectCommand({ Bucket, Key, VersionId })),
    /AccessDenied|Access Denied/,
  );
  await assert.rejects(
    s3.send(new GetObjectRetentionCommand({ Bucket, Key: 'heals/production/locked.json' })),
  );
  assert.match((await trueup('doctor')).out, /ok +records +the bucket locks records/);
});

test('what is removed is the machinery: bucket, records and sealing key stay', async () => {
  const known = await Array.fromAsync(store().list(''));
  await destroy(aws, join(dir, 'deployed/cdk.out'), [stack]);
  assert.notEqual((await trueup('status')).code, 0, 'the stack is gone');
  const left = await Array.fromAsync(store().list(''));
  assert.ok(Object.keys(records).every((key) => left.includes(key)));
  assert.ok(left.length >= known.length);
  const { KeyMetadata } = await new KMSClient(clientConfig(aws)).send(
    new DescribeKeyCommand({ KeyId: outputs['SealingKeyId'] }),
  );
  assert.equal(KeyMetadata?.Enabled, true);
});
