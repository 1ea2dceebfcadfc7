import { Duration } from 'aws-cdk-lib/core';
import { Schedule, ScheduleExpression, ScheduleTargetInput, TimeWindow } from 'aws-cdk-lib/aws-scheduler';
import { SqsSendMessage } from 'aws-cdk-lib/aws-scheduler-targets';
import { Construct } from 'constructs';
import type { PollRequest } from '../core/contract/events.ts';
import type { Queues } from './queues.ts';

export interface PollScheduleProps {
  readonly queues: Queues;
  readonly every: Duration;
}

const request: PollRequest = { version: 1, poll: 'fleet' };

/** Asks at a fixed rate what was missed, within a minute: not all installations in the same second. */
export class PollSchedule extends Construct {
  constructor(scope: Construct, id: string, { queues, every }: PollScheduleProps) {
    super(scope, id);
    new Schedule(this, 'Schedule', {
      description: 'Looks for pushes that trueup was not told of',
      schedule: ScheduleExpression.rate(every),
      timeWindow: TimeWindow.flexible(Duration.minutes(1)),
      target: new SqsSendMessage(queues.intake.queue, {
        input: ScheduleTargetInput.fromObject(request),
        deadLetterQueue: queues.undelivered,
        // The next one is due then.
        maxEventAge: every,
        retryAttempts: 10,
      }),
    });
  }
}
