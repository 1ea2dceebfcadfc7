import { CloudWatchAlarms } from '../adapters/cloudwatch-alarms.ts';
import { readEnvironment } from '../adapters/environment.ts';
import { EventBridgeBus } from '../adapters/eventbridge-bus.ts';
import { log } from '../adapters/log.ts';
import { S3Store } from '../adapters/s3-store.ts';
import { handleTogether, type BatchResponse } from '../adapters/sqs-batch.ts';
import { SqsQueues } from '../adapters/sqs-queues.ts';
import { stackConfigAt } from '../adapters/stack-config.ts';
import { SystemClock, SystemIds } from '../adapters/system-clock.ts';
import { promotionMessageSchema } from '../core/contract/events.ts';
import { promoteEnvironments } from '../core/promote-environments.ts';

const environment = readEnvironment(['bucket', 'bus', 'config', 'pushQueue']);
const loadConfig = stackConfigAt(environment.config);
const clock = new SystemClock();
const own = {
  store: new S3Store(environment.bucket),
  clock,
  alarms: new CloudWatchAlarms(clock),
  queue: new SqsQueues({ pushQueue: environment.pushQueue }, new SystemIds()),
  bus: new EventBridgeBus(environment.bus),
};

/** Promotes commits from environment to environment; what came together is looked at together. */
export function handler(event: unknown): Promise<BatchResponse> {
  return handleTogether(event, promotionMessageSchema, async (messages) => {
    const deps = { ...own, config: await loadConfig() };
    for (const { kind, environment: name, sha = '', why = '' } of await promoteEnvironments(messages, deps)) {
      if (kind === 'promoted') log('INFO', 'a commit was promoted', { name, sha, why });
    }
  });
}
