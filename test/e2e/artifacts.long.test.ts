import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { after, before, test } from 'node:test';
import { CreateBucketCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { ListQueuesCommand, SQSClient, SendMessageCommand } from '@aws-sdk/client-sqs';
import type { PollRequest } from '../../core/contract/events.ts';
import { ArtifactRegistry } from '../artifacts/artifact-registry.ts';
import { signByKey } from '../artifacts/cosign.ts';
import { emitServiceEvent } from '../aws/emulator.ts';
import { testAws } from '../aws/test-aws.ts';
import { archiveOf } from '../charts/archive.ts';
import { at } from '../cluster/cluster-client.ts';
import type { TestCluster } from '../cluster/test-cluster.ts';
import { openStage, type OpenStage } from './open-stage.ts';
import { until } from './until.ts';

/** An artifact in a registry and an archive in S3 as repositories (issue 5), on the real stack, to a real API server. */

const { client, prefix } = await testAws();
const s3 = new S3Client(client);
const bucket = `${prefix}-artifacts`;
const signer = generateKeyPairSync('ec', { namedCurve: 'P-256' });
let registry: ArtifactRegistry;
let opened: OpenStage;
let cluster: TestCluster;

before(async () => {
  await s3.send(new CreateBucketCommand({ Bucket: bucket }));
  registry = await ArtifactRegistry.start();
  const key = signer.publicKey.export({ type: 'spki', format: 'pem' }).toString();
  opened = await openStage('artifacts', [
    { name: 'object', url: `s3://${bucket}/fleet/main.tar.gz` },
    {
      name: 'registry',
      url: registry.url,
      tag: 'production',
      verify: { mode: 'require', cosign: { keys: [key] } },
    },
  ]);
  ({ cluster } = opened);
});
after(async () => {
  await opened?.close();
  await registry?.[Symbol.asyncDispose]();
});

const files = (name: string, round: string) => ({
  'applications/web.yaml': `apiVersion: trueup.dev/v1
kind: Application
metadata: {name: ${name}}
spec:
  source: {path: apps/web}
  clusters: {names: [local]}
  namespace: ${cluster.namespace}
`,
  'apps/web/page.yaml': `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ${name}}\ndata: {round: "${round}"}\n`,
});

async function upload(round: string): Promise<void> {
  const key = 'fleet/main.tar.gz';
  const members = Object.entries(files('object', round)).map(([path, content]) => ({ path, content }));
  const { ETag = '' } = await s3.send(
    new PutObjectCommand({ Bucket: bucket, Key: key, Body: archiveOf(members) }),
  );
  const object = { key, etag: ETag.replaceAll('"', '') };
  const detail = { bucket: { name: bucket }, object };
  await emitServiceEvent(opened.stage.installation.aws, {
    source: 'aws.s3',
    detailType: 'Object Created',
    detail,
  });
}

async function poll(): Promise<void> {
  const sqs = new SQSClient(client);
  const { QueueUrls = [] } = await sqs.send(new ListQueuesCommand({}));
  const [url, ...more] = QueueUrls.filter((one) => /trueup-artifacts.*QueuesPushesQueue/.test(one));
  assert.deepEqual(more, []);
  const request: PollRequest = { version: 1, poll: 'remote', repositories: ['registry'] };
  await sqs.send(new SendMessageCommand({ QueueUrl: url, MessageBody: JSON.stringify(request) }));
}

const live = (name: string, round: string) =>
  until(`round ${round} of ${name} on the cluster`, async () => {
    const path = `/api/v1/namespaces/${cluster.namespace}/configmaps/${name}`;
    const found = at(await cluster.admin.get(path).catch(() => ({})), 'data', 'round');
    return found === round ? true : undefined;
  });

test('an archive that is put into S3 is applied, and so is the next one', async () => {
  await upload('1');
  await live('object', '1');
  await upload('2');
  await live('object', '2');
});

test('a signed artifact is found by the poll and applied; an unsigned one changes nothing until it is signed', async () => {
  const first = registry.pushFiles('production', files('registry', '1'));
  signByKey(registry, first, signer.privateKey);
  await poll();
  await live('registry', '1');

  const second = registry.pushFiles('production', files('registry', '2'));
  await poll();
  const target = { cluster: 'local', application: 'registry' };
  const failed = await until('the refusal in the pointer', async () => {
    const pointer = await opened.stage.records.desired(target);
    return pointer?.failed;
  });
  assert.equal(failed.sha, second.slice('sha256:'.length));
  assert.match(failed.faults[0]?.message ?? '', /is not followed, since it is not signed/);
  await live('registry', '1');

  signByKey(registry, second, signer.privateKey);
  await poll();
  await live('registry', '2');
});
