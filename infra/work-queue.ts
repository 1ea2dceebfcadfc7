import { Duration } from 'aws-cdk-lib/core';
import { SqsEventSource } from 'aws-cdk-lib/aws-lambda-event-sources';
import { DeduplicationScope, FifoThroughputLimit, Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import type { QueueProps } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import type { environment } from '../core/contract/environment.ts';
import type { TrueUpFunction } from './trueup-function.ts';

export interface WorkQueueProps {
  /** Order within a message group, and one message of a group at a time. */
  readonly fifo?: boolean;
  /** Longer than the timeout of the function that reads it, or a message is worked on twice. */
  readonly visibility: Duration;
  /** Deliveries before a message is given up. */
  readonly attempts: number;
  /** Default: 4 days. */
  readonly retention?: Duration;
}

const secure = { encryption: QueueEncryption.SQS_MANAGED, enforceSSL: true };

/** A queue where nothing is read by a function: what lies in it was given up and awaits a person. */
export function deadLetterQueue(scope: Construct, id: string, options: QueueProps = {}): Queue {
  return new Queue(scope, id, { retentionPeriod: Duration.days(14), ...secure, ...options });
}

/** A queue of hints for one function, with its dead-letter queue. */
export class WorkQueue extends Construct {
  readonly queue: Queue;
  readonly deadLetters: Queue;

  constructor(scope: Construct, id: string, { fifo, visibility, attempts, retention }: WorkQueueProps) {
    super(scope, id);
    // A FIFO queue takes a FIFO queue for its dead letters.
    const order = fifo === true ? { fifo } : {};
    this.deadLetters = deadLetterQueue(this, 'DeadLetters', order);
    this.queue = new Queue(this, 'Queue', {
      ...secure,
      ...order,
      ...(fifo === true
        ? {
            // Deduplication and quota per group: one busy target never slows another.
            deduplicationScope: DeduplicationScope.MESSAGE_GROUP,
            fifoThroughputLimit: FifoThroughputLimit.PER_MESSAGE_GROUP_ID,
          }
        : {}),
      visibilityTimeout: visibility,
      ...(retention === undefined ? {} : { retentionPeriod: retention }),
      deadLetterQueue: { queue: this.deadLetters, maxReceiveCount: attempts },
    });
  }

  /** The function reads it, a message at a time, at most `concurrency` at once; it reports failures by message. */
  feed(to: TrueUpFunction, concurrency: number): void {
    to.function.addEventSource(
      new SqsEventSource(this.queue, {
        batchSize: 1,
        reportBatchItemFailures: true,
        maxConcurrency: concurrency,
      }),
    );
  }

  /** The function reads what came within a second together, at most ten messages; two of it at once. */
  feedTogether(to: TrueUpFunction): void {
    to.function.addEventSource(
      new SqsEventSource(this.queue, {
        batchSize: 10,
        maxBatchingWindow: Duration.seconds(1),
        reportBatchItemFailures: true,
        maxConcurrency: 2,
      }),
    );
  }

  grantSend(to: TrueUpFunction, variable: keyof typeof environment): void {
    this.queue.grant(to.role, 'sqs:SendMessage');
    to.set(variable, this.queue.queueUrl);
  }
}
