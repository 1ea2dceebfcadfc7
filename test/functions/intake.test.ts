import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CreateEventBusCommand, EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { CreateBucketCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { CreateQueueCommand, GetQueueAttributesCommand, SQSClient } from '@aws-sdk/client-sqs';
import { S3Store } from '../../adapters/s3-store.ts';
import { environment } from '../../core/contract/environment.ts';
import { keys } from '../../core/contract/keys.ts';
import { deliverySchema } from '../../core/model/delivery.ts';
import { testAws } from '../aws/test-aws.ts';
import { everyHook } from '../fakes/hook-world.ts';

const { aws, client, prefix } = await testAws();
const s3 = new S3Client(client);
await s3.send(new CreateBucketCommand({ Bucket: prefix }));
const Body = JSON.stringify(everyHook);
await s3.send(new PutObjectCommand({ Bucket: prefix, Key: 'assets/c.json', Body }));
await new EventBridgeClient(client).send(new CreateEventBusCommand({ Name: prefix }));
const sqs = new SQSClient(client);
const { QueueUrl = '' } = await sqs.send(new CreateQueueCommand({ QueueName: prefix }));
Object.assign(process.env, aws.env, {
  [environment.pushQueue]: QueueUrl,
  [environment.bucket]: prefix,
  [environment.bus]: prefix,
  [environment.config]: `${prefix}/assets/c.json`,
});
const { handler } = await import('../../functions/intake.ts');

const event = {
  version: '0',
  id: '13cde686-328b-6117-af20-0e5566167482',
  'detail-type': 'ECR Image Action',
  source: 'aws.ecr',
  account: '123456789012',
  time: '2026-11-16T01:54:34Z',
  region: 'us-west-2',
  resources: [],
  detail: {
    result: 'SUCCESS',
    'repository-name': 'team/app',
    'image-digest': 'sha256:7f5b2640fe6fb4f46592dfd3410c4a79dac4f89e4782432e0378abcd1234',
    'action-type': 'PUSH',
    'image-tag': 'v1',
  },
};
const message = (messageId: string, body: unknown) => ({
  messageId,
  body: JSON.stringify(body),
  attributes: { ApproximateReceiveCount: '1' },
});

test('an image event is published once, and what is none goes to the DLQ', async () => {
  const other = { ...event, 'detail-type': 'ECR Image Scan' };
  const Records = [message('m1', event), message('m2', other), message('m3', event)];
  assert.deepEqual(await handler({ Records }), { batchItemFailures: [{ itemIdentifier: 'm2' }] });
  const stored = await new S3Store(prefix, s3).get(keys.delivery('ecr', event.id));
  const record = deliverySchema.parse(JSON.parse(stored?.text ?? ''));
  assert.deepEqual([record.state, record.attempts], ['published', 1]);
  assert.equal(record.images?.[0]?.repository, '123456789012.dkr.ecr.us-west-2.amazonaws.com/team/app');
});

test("the schedule's question becomes one for each remote, each at its own time", async () => {
  assert.deepEqual(await handler({ Records: [message('m1', { version: 1, poll: 'fleet' })] }), {
    batchItemFailures: [],
  });
  const attributes = new GetQueueAttributesCommand({
    QueueUrl,
    AttributeNames: ['ApproximateNumberOfMessages', 'ApproximateNumberOfMessagesDelayed'],
  });
  const { Attributes = {} } = await sqs.send(attributes);
  const counts = Object.values(Attributes).map(Number);
  assert.equal(counts[0] ?? 0, everyHook.repositories.length - (counts[1] ?? 0));
});
