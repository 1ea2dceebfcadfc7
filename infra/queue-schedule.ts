import type { Duration } from 'aws-cdk-lib/core';
import { Schedule, ScheduleExpression, ScheduleTargetInput, TimeWindow } from 'aws-cdk-lib/aws-scheduler';
import { SqsSendMessage } from 'aws-cdk-lib/aws-scheduler-targets';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';
import type { Queues } from './queues.ts';

export interface QueueScheduleProps {
  readonly description: string;
  readonly every: Duration;
  /**
   * Spread over so long, so that not all installations ask in the same second.
   * @default - to the second
   */
  readonly within?: Duration;
  readonly queue: IQueue;
  /** Sent as JSON. */
  readonly message: object;
  readonly queues: Pick<Queues, 'undelivered'>;
  /**
   * How long a message that could not be sent is tried again.
   * @default - until the next one is due
   */
  readonly maxEventAge?: Duration;
  readonly retryAttempts?: number;
}

/** Sends one message to a queue at a fixed rate. */
export function scheduleMessage(scope: Construct, id: string, props: QueueScheduleProps): void {
  const {
    description,
    every,
    within,
    queue,
    message,
    queues,
    maxEventAge = every,
    retryAttempts = 10,
  } = props;
  new Schedule(scope, id, {
    description,
    schedule: ScheduleExpression.rate(every),
    ...(within !== undefined && { timeWindow: TimeWindow.flexible(within) }),
    target: new SqsSendMessage(queue, {
      input: ScheduleTargetInput.fromObject(message),
      deadLetterQueue: queues.undelivered,
      maxEventAge,
      retryAttempts,
    }),
  });
}
