import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CreateQueueCommand, ReceiveMessageCommand, SQSClient, type Message } from '@aws-sdk/client-sqs';
import { SqsQueues } from '../../adapters/sqs-queues.ts';
import { SystemIds } from '../../adapters/system-clock.ts';
import { pollRequestSchema, sweepRequestSchema } from '../../core/contract/events.ts';
import { runRequestSchema, type RunRequest } from '../../core/model/run.ts';
import { brokenAws } from './broken-aws.ts';
import { testAws } from '../aws/test-aws.ts';

const { client: config, prefix } = await testAws();
const client = new SQSClient(config);

let made = 0;
async function queue(fifo: boolean): Promise<string> {
  const QueueName = `${prefix}-${(made += 1)}${fifo ? '.fifo' : ''}`;
  const Attributes = fifo ? { FifoQueue: 'true' } : {};
  const { QueueUrl = '' } = await client.send(new CreateQueueCommand({ QueueName, Attributes }));
  return QueueUrl;
}

async function receive(url: string): Promise<Message[]> {
  const command = new ReceiveMessageCommand({
    QueueUrl: url,
    MaxNumberOfMessages: 10,
    WaitTimeSeconds: 1,
    MessageSystemAttributeNames: ['MessageGroupId', 'MessageDeduplicationId'],
  });
  return (await client.send(command)).Messages ?? [];
}

const request: RunRequest = {
  version: 1,
  target: { cluster: 'prod', application: 'web' },
  reason: 'push',
  requestedBy: 'webhook',
};

test('a run goes to the group of its target, and the same wish twice is two messages', async () => {
  const runQueue = await queue(true);
  const queues = new SqsQueues({ runQueue }, new SystemIds(), client);
  await queues.run(request);
  await queues.run(request);
  const messages = await receive(runQueue);
  assert.equal(messages.length, 2);
  assert.deepEqual(
    new Set(messages.map(({ Attributes }) => Attributes?.MessageGroupId)),
    new Set(['prod/web']),
  );
  assert.equal(new Set(messages.map(({ Attributes }) => Attributes?.MessageDeduplicationId)).size, 2);
  assert.deepEqual(runRequestSchema.parse(JSON.parse(messages[0]?.Body ?? '')), request);
});

test('a later run waits its seconds, at most 900', async () => {
  const bodies: string[] = [];
  const answer = { kind: 'answer', status: 200, body: '{"MessageId":"1"}' } as const;
  await using server = await brokenAws(
    () => answer,
    '',
    (body) => bodies.push(body.toString()),
  );
  const broken = new SQSClient({ ...config, endpoint: server.endpoint, md5: false });
  const queues = new SqsQueues({ laterQueue: `${server.endpoint}/1/later` }, new SystemIds(), broken);
  for (const seconds of [-1, 0, 0.2, 30, 5_000]) await queues.runLater(request, seconds);
  const delays = bodies.map((body) => (JSON.parse(body) as { DelaySeconds: number }).DelaySeconds);
  assert.deepEqual(delays, [0, 0, 1, 30, 900]);
});

test('later runs, sweeps and polls arrive on their queues', async () => {
  const [laterQueue, sweepQueue, pushQueue] = await Promise.all([queue(false), queue(false), queue(false)]);
  const queues = new SqsQueues({ laterQueue, sweepQueue, pushQueue }, new SystemIds(), client);
  await queues.runLater(request, 0);
  await queues.sweep({ version: 1, scope: 'cluster', cluster: 'prod', requestedBy: 'schedule' });
  assert.deepEqual(runRequestSchema.parse(JSON.parse((await receive(laterQueue))[0]?.Body ?? '')), request);
  const sweep = sweepRequestSchema.parse(JSON.parse((await receive(sweepQueue))[0]?.Body ?? ''));
  assert.deepEqual(sweep, { version: 1, scope: 'cluster', cluster: 'prod', requestedBy: 'schedule' });
  await queues.poll({ version: 1, poll: 'remote', repositories: ['apps'] }, 0);
  const poll = pollRequestSchema.parse(JSON.parse((await receive(pushQueue))[0]?.Body ?? ''));
  assert.deepEqual(poll, { version: 1, poll: 'remote', repositories: ['apps'] });
});

test('a queue that this function was not given is named', async () => {
  const queues = new SqsQueues({}, new SystemIds(), client);
  await assert.rejects(queues.run(request), /runQueue/);
});
