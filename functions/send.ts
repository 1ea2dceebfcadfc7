import { WiredChannels } from '../adapters/channels.ts';
import { readEnvironment } from '../adapters/environment.ts';
import { log } from '../adapters/log.ts';
import { SqsHeldMessages } from '../adapters/notice-queues.ts';
import { S3Store } from '../adapters/s3-store.ts';
import { SecretsManagerSecrets } from '../adapters/secrets-manager.ts';
import { handleBatch, type BatchResponse } from '../adapters/sqs-batch.ts';
import { stackConfigAt } from '../adapters/stack-config.ts';
import { SystemClock } from '../adapters/system-clock.ts';
import { testRequestSchema, type TestAnswer, type TestRequest } from '../core/contract/notice-messages.ts';
import { messageOf } from '../core/errors.ts';
import { outgoingSchema } from '../core/model/notice.ts';
import { delayAfter, sendNotice, sendTest } from '../core/send-notice.ts';

const environment = readEnvironment(['bucket', 'config', 'sendQueue', 'emailTopicPrefix']);
const loadConfig = stackConfigAt(environment.config);
const clock = new SystemClock();
const secrets = new SecretsManagerSecrets(clock);
const store = new S3Store(environment.bucket);
const held = new SqsHeldMessages(environment.sendQueue);
const channels = new WiredChannels({ secrets, clock, emailTopicPrefix: environment.emailTopicPrefix });
const depsNow = async () => ({ store, channels, clock, config: await loadConfig() });

/** Delivers messages to channels, each in the order of its channel; a person may ask for a test of one. */
export async function handler(event: unknown): Promise<BatchResponse | TestAnswer> {
  const test = testRequestSchema.safeParse(event);
  if (test.success) return tried(test.data);
  return handleBatch(
    event,
    outgoingSchema,
    async (outgoing, { receiptHandle, receiveCount }) => {
      try {
        const outcome = await sendNotice(outgoing, await depsNow());
        log('INFO', 'notice', { key: outgoing.channel, event: outgoing.notice.event, outcome });
      } catch (error) {
        await held.hold(receiptHandle, delayAfter(error, receiveCount));
        throw error;
      }
    },
    'fail',
  );
}

async function tried({ test, by }: TestRequest): Promise<TestAnswer> {
  return sendTest(test, by, await depsNow()).then(
    () => ({ sent: true, message: '' }),
    (error: unknown) => ({ sent: false, message: messageOf(error) }),
  );
}
