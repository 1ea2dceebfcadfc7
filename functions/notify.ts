import { readEnvironment } from '../adapters/environment.ts';
import { log } from '../adapters/log.ts';
import { SqsNoticeQueues } from '../adapters/notice-queues.ts';
import { S3Store } from '../adapters/s3-store.ts';
import { handleTogether, type BatchResponse } from '../adapters/sqs-batch.ts';
import { stackConfigAt } from '../adapters/stack-config.ts';
import { SystemClock } from '../adapters/system-clock.ts';
import { noticeMessageSchema } from '../core/contract/notice-messages.ts';
import { followNotices } from '../core/notices.ts';

const environment = readEnvironment(['bucket', 'config', 'noticeQueue', 'sendQueue']);
const region = process.env['AWS_REGION'] ?? '';
const loadConfig = stackConfigAt(environment.config);
const clock = new SystemClock();
const store = new S3Store(environment.bucket);
const queues = new SqsNoticeQueues(environment);

/** Hears of events and alarms, looks at what they are about, and decides what people are told. */
export function handler(event: unknown): Promise<BatchResponse> {
  return handleTogether(event, noticeMessageSchema, async (messages) => {
    const started = clock.now();
    const config = await loadConfig();
    const place = { fleet: config.fleet, region, bucket: environment.bucket };
    const { looked, sent, unreadable } = await followNotices(messages, {
      store,
      queues,
      clock,
      config,
      place,
    });
    for (const error of unreadable) log('WARN', 'what is told stays as it is', { error });
    const outcome = `${looked} looked at, ${sent} messages`;
    const milliseconds = clock.now() - started;
    log('INFO', 'notices', { count: messages.length, outcome, milliseconds });
  });
}
