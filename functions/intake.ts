import * as z from 'zod';
import { readEnvironment } from '../adapters/environment.ts';
import { EventBridgeBus } from '../adapters/eventbridge-bus.ts';
import { GitHubDeliveries } from '../adapters/github-deliveries.ts';
import { log } from '../adapters/log.ts';
import { S3Store } from '../adapters/s3-store.ts';
import { SecretsManagerSecrets } from '../adapters/secrets-manager.ts';
import { handleBatch, type BatchResponse } from '../adapters/sqs-batch.ts';
import { SqsQueues } from '../adapters/sqs-queues.ts';
import { stackConfigAt } from '../adapters/stack-config.ts';
import { SystemClock, SystemIds } from '../adapters/system-clock.ts';
import { pollRequestSchema } from '../core/contract/events.ts';
import { askForPolls } from '../core/poll.ts';
import { nativeEventSchema } from '../core/receive/native-event.ts';
import { receiveNative } from '../core/receive.ts';
import { redeliverFailed } from '../core/redeliver.ts';

const environment = readEnvironment(['bucket', 'bus', 'config', 'pushQueue']);
const loadConfig = stackConfigAt(environment.config);
const clock = new SystemClock();
const queues = new SqsQueues({ pushQueue: environment.pushQueue }, new SystemIds());
const attempts = new GitHubDeliveries(new SecretsManagerSecrets(clock), clock);
const deps = { store: new S3Store(environment.bucket), bus: new EventBridgeBus(environment.bus), clock };
const messageSchema = z.union([nativeEventSchema, pollRequestSchema]);

/** What comes without a webhook: events of ECR and CodeCommit, and at times the question what was missed. */
export function handler(event: unknown): Promise<BatchResponse> {
  return handleBatch(event, messageSchema, async (message) => {
    const config = await loadConfig();
    if ('source' in message) return receiveNative(message, { ...deps, config });
    const count = await askForPolls(config, queues);
    const outcome = (await redeliverFailed(config, { attempts, clock })).join('; ');
    return log('INFO', 'polls asked for', { count, outcome });
  });
}
