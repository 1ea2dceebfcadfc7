import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  CreateQueueCommand,
  DeleteMessageCommand,
  ReceiveMessageCommand,
  SQSClient,
  type Message,
} from '@aws-sdk/client-sqs';
import { SqsQueues } from '../../adapters/sqs-queues.ts';
import { SystemIds } from '../../adapters/system-clock.ts';
import { pollRequestSchema, sweepRequestSchema } from '../../core/contract/events.ts';
import { runRequestSchema, type RunRequest } from '../../core/model/run.ts';
import { targetKey } from '../../core/model/target.ts';
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
  const queues = new SqsQueues({ runQueue }, new SystemIds(), { client });
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

test('with a bound on the runs of a cluster its targets share so many groups, each target always the same one', async () => {
  const runQueue = await queue(true);
  const queues = new SqsQueues({ runQueue }, new SystemIds(), { client, runsPerCluster: 2 });
  const sent = ['prod', 'stage'].flatMap((cluster) =>
    [1, 2, 3, 4].map((number) => ({ cluster, application: `app-${number}` })),
  );
  for (const target of [...sent, ...sent]) await queues.run({ ...request, target });
  const groups = new Map<string, Set<string>>();
  for (let batch = await receive(runQueue); batch.length > 0; batch = await receive(runQueue)) {
    for (const { Body = '', Attributes, ReceiptHandle } of batch) {
      const { target } = runRequestSchema.parse(JSON.parse(Body));
      const seen = groups.get(targetKey(target)) ?? new Set();
      groups.set(targetKey(target), seen.add(Attributes?.MessageGroupId ?? ''));
      await client.send(new DeleteMessageCommand({ QueueUrl: runQueue, ReceiptHandle }));
    }
  }
  assert.equal(groups.size, sent.length);
  assert.ok([...groups.values()].every((of) => of.size === 1));
  const all = new Set([...groups.values()].flatMap((of) => [...of]));
  assert.deepEqual([...all].toSorted(), ['prod/#0', 'prod/#1', 'stage/#0', 'stage/#1']);
});

test('what waits on a standard queue says whose it is, so that one cluster does not starve the others', async () => {
  const [laterQueue, sweepQueue] = await Promise.all([queue(false), queue(false)]);
  const queues = new SqsQueues({ laterQueue, sweepQueue }, new SystemIds(), { client });
  await queues.runLater(request, 0);
  await queues.sweep({ version: 1, scope: 'cluster', cluster: 'prod', requestedBy: 'schedule' });
  for (const url of [laterQueue, sweepQueue]) {
    const [message] = await receive(url);
    assert.equal(message?.Attributes?.MessageGroupId, 'prod');
  }
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
  const queues = new SqsQueues({ laterQueue: `${server.endpoint}/1/later` }, new SystemIds(), {
    client: broken,
  });
  for (const seconds of [-1, 0, 0.2, 30, 5_000]) await queues.runLater(request, seconds);
  const delays = bodies.map((body) => (JSON.parse(body) as { DelaySeconds: number }).DelaySeconds);
  assert.deepEqual(delays, [0, 0, 1, 30, 900]);
});

test('later runs, sweeps and polls arrive on their queues', async () => {
  const [laterQueue, sweepQueue, pushQueue] = await Promise.all([queue(false), queue(false), queue(false)]);
  const queues = new SqsQueues({ laterQueue, sweepQueue, pushQueue }, new SystemIds(), { client });
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
  const queues = new SqsQueues({}, new SystemIds(), { client });
  await assert.rejects(queues.run(request), /runQueue/);
});
