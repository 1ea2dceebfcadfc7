import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import * as z from 'zod';
import { parseStackConfig } from '../../core/contract/config.ts';
import { ofType, sample, synthesize } from '../infra/synthesized.ts';
import { queueSettings } from './queue.ts';

const stack = synthesize();
after(() => stack[Symbol.dispose]());

const queueSchema = z.object({
  FifoQueue: z.boolean().default(false),
  VisibilityTimeout: z.number(),
  MessageRetentionPeriod: z.number().default(4 * 86_400),
  RedrivePolicy: z.object({ maxReceiveCount: z.number() }),
});
const mappingSchema = z.object({ ScalingConfig: z.object({ MaximumConcurrency: z.number() }) });

for (const settings of Object.values(queueSettings(parseStackConfig(sample)))) {
  const name = `${settings.name.slice(0, 1).toUpperCase()}${settings.name.slice(1)}`;
  test(`the simulated queue ${settings.name} is as the template has it`, () => {
    const found = ofType(stack.resources, 'AWS::SQS::Queue').find(([id]) =>
      id.startsWith(`TrueUpQueues${name}Queue`),
    );
    const queue = queueSchema.parse(found?.[1].Properties);
    const mapping = ofType(stack.resources, 'AWS::Lambda::EventSourceMapping').find(([id]) =>
      id.includes(`Queues${name}Queue`),
    );
    const { ScalingConfig } = mappingSchema.parse(mapping?.[1].Properties);
    assert.deepEqual(
      { ...settings },
      {
        name: settings.name,
        fifo: queue.FifoQueue,
        visibility: queue.VisibilityTimeout * 1000,
        retention: queue.MessageRetentionPeriod * 1000,
        attempts: queue.RedrivePolicy.maxReceiveCount,
        concurrency: ScalingConfig.MaximumConcurrency,
      },
    );
  });
}
