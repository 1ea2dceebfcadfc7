import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CreateQueueCommand, ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { Networks } from '../../adapters/networks.ts';
import { SystemIds } from '../../adapters/system-clock.ts';
import { sweepRequestSchema, type SweepRequest } from '../../core/contract/events.ts';
import { testAws } from '../aws/test-aws.ts';

const { client: config, prefix } = await testAws();
const client = new SQSClient(config);
const ids = new SystemIds();

async function queue(name: string): Promise<string> {
  const { QueueUrl = '' } = await client.send(new CreateQueueCommand({ QueueName: `${prefix}-${name}` }));
  return QueueUrl;
}

const clusters = [{ name: 'open' }, { name: 'vault', network: 'inside' }];
const request = (cluster: string): SweepRequest => ({
  version: 1,
  scope: 'cluster',
  cluster,
  requestedBy: 'schedule',
});

test('outside, what is for a cluster of a network goes to its queues, and all else is for this function', async () => {
  const sweepQueue = await queue('sweeps');
  const urls = { runQueue: sweepQueue, laterQueue: sweepQueue, sweepQueue };
  const networks = new Networks(JSON.stringify({ queues: { inside: urls } }), clusters, ids, { client });
  const passOn = async (cluster: string) =>
    networks.passOn(cluster, async (queues) => queues.sweep(request(cluster)));
  assert.equal(await passOn('open'), false);
  assert.equal(await passOn('unknown'), false);
  assert.equal(await passOn('vault'), true);
  const { Messages = [] } = await client.send(
    new ReceiveMessageCommand({ QueueUrl: sweepQueue, MaxNumberOfMessages: 10, WaitTimeSeconds: 1 }),
  );
  assert.deepEqual(
    Messages.map(({ Body = '' }) => sweepRequestSchema.parse(JSON.parse(Body))),
    [request('vault')],
  );
});

test('inside, what is for a cluster of this network is for this function', async () => {
  const networks = new Networks('{"own":"inside"}', clusters, ids, { client });
  const isPassedOn = await networks.passOn('vault', () => assert.fail('was sent'));
  assert.equal(isPassedOn, false);
});

test('a network without functions is told, with what to do', async () => {
  const networks = new Networks('{}', clusters, ids, { client });
  await assert.rejects(
    networks.passOn('vault', () => assert.fail('was sent')),
    /cluster vault: is in the network inside, which has no functions: add it with addNetwork/,
  );
  assert.throws(
    () => new Networks('{"queues": 1}', clusters, ids),
    /TRUEUP_NETWORKS: .*deploy the stack again/s,
  );
});
