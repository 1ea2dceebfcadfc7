import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  CreateEventBusCommand,
  EventBridgeClient,
  PutRuleCommand,
  PutTargetsCommand,
} from '@aws-sdk/client-eventbridge';
import {
  CreateQueueCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { EventBridgeBus } from '../../adapters/eventbridge-bus.ts';
import { envelopeSchema, type TrueupEvent } from '../../core/contract/events.ts';
import { Retry, Stop } from '../../core/errors.ts';
import { brokenAws } from './broken-aws.ts';
import { testAws } from '../aws/test-aws.ts';

const { client: config, prefix } = await testAws();
const client = new EventBridgeClient(config);
const sqs = new SQSClient(config);

function push(deliveryId: string, ref = 'refs/heads/main'): TrueupEvent {
  const [before, after] = ['a'.repeat(40), 'b'.repeat(40)];
  const at = '2026-11-23T12:00:00.000Z';
  const detail = {
    version: 1,
    at,
    deliveryId,
    provider: 'github',
    repository: 'shop',
    before,
    after,
  } as const;
  return { type: 'PushReceived', detail: { ...detail, ref, deleted: false } };
}

async function busIntoQueue(): Promise<{ readonly bus: string; readonly queue: string }> {
  const bus = `${prefix}-bus`;
  const { QueueUrl: queue = '' } = await sqs.send(new CreateQueueCommand({ QueueName: `${prefix}-events` }));
  const attributes = new GetQueueAttributesCommand({ QueueUrl: queue, AttributeNames: ['QueueArn'] });
  const { Attributes } = await sqs.send(attributes);
  await client.send(new CreateEventBusCommand({ Name: bus }));
  const rule = { Name: 'pushes', EventBusName: bus };
  const EventPattern = JSON.stringify({ source: ['trueup'], 'detail-type': ['PushReceived'] });
  await client.send(new PutRuleCommand({ ...rule, EventPattern }));
  const Targets = [{ Id: 'queue', Arn: Attributes?.QueueArn ?? '' }];
  await client.send(new PutTargetsCommand({ Rule: rule.Name, EventBusName: bus, Targets }));
  return { bus, queue };
}

async function receiveAll(queue: string, count: number): Promise<string[]> {
  const bodies: string[] = [];
  while (bodies.length < count) {
    const command = new ReceiveMessageCommand({
      QueueUrl: queue,
      MaxNumberOfMessages: 10,
      WaitTimeSeconds: 2,
    });
    const { Messages = [] } = await sqs.send(command);
    assert.notEqual(Messages.length, 0, `only ${bodies.length} of ${count} events arrived`);
    bodies.push(...Messages.map(({ Body }) => Body ?? ''));
  }
  return bodies;
}

test('every event of a long list arrives once, as its schema says', async () => {
  const { bus, queue } = await busIntoQueue();
  const ids = Array.from({ length: 23 }, (_, index) => `delivery-${String(index).padStart(2, '0')}`);
  await new EventBridgeBus(bus, client).publish(ids.map((id) => push(id)));
  const envelopes = (await receiveAll(queue, 23)).map((body) =>
    envelopeSchema('PushReceived').parse(JSON.parse(body)),
  );
  assert.deepEqual(envelopes.map(({ detail }) => detail.deliveryId).toSorted(), ids);
  assert.deepEqual(envelopes[0]?.detail.repository, 'shop');
});

test('calls hold at most 10 entries and stay below the size that EventBridge takes', async () => {
  const sizes: number[] = [];
  const taken = { kind: 'answer', status: 200, body: '{"FailedEntryCount":0,"Entries":[]}' } as const;
  await using server = await brokenAws(
    () => taken,
    '',
    (body) => sizes.push(body.length),
  );
  const bus = new EventBridgeBus('b', new EventBridgeClient({ ...config, endpoint: server.endpoint }));
  await bus.publish([]);
  assert.equal(server.seen.length, 0);
  await bus.publish(Array.from({ length: 21 }, (_, index) => push(`d${index}`)));
  assert.equal(server.seen.length, 3);
  await bus.publish([1, 2, 3].map((index) => push(`d${index}`, `refs/heads/${'x'.repeat(100_000)}`)));
  assert.equal(server.seen.length, 5);
  assert.ok(Math.max(...sizes) > 200_000 && Math.max(...sizes) < 256 * 1024);
  await assert.rejects(bus.publish([push('d', 'x'.repeat(260_000))]), Stop);
});

test('an entry that was not taken is a Retry with its code, never with its content', async () => {
  const answer = {
    FailedEntryCount: 1,
    Entries: [
      { EventId: '1' },
      { ErrorCode: 'ThrottlingException', ErrorMessage: 'quotes refs/heads/secret' },
    ],
  };
  await using server = await brokenAws(() => ({ kind: 'answer', status: 200, body: JSON.stringify(answer) }));
  const bus = new EventBridgeBus('main-bus', new EventBridgeClient({ ...config, endpoint: server.endpoint }));
  await assert.rejects(bus.publish([push('d1'), push('d2', 'refs/heads/secret')]), (error) => {
    assert.ok(error instanceof Retry);
    assert.match(error.message, /main-bus.*took 1 of 2 events \(PushReceived: ThrottlingException\)/);
    assert.doesNotMatch(error.message, /secret/);
    return true;
  });
});
