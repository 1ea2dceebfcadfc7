import { Duration } from 'aws-cdk-lib/core';
import { Schedule, ScheduleExpression, ScheduleTargetInput, TimeWindow } from 'aws-cdk-lib/aws-scheduler';
import { SqsSendMessage } from 'aws-cdk-lib/aws-scheduler-targets';
import { Construct } from 'constructs';
import type { PollRequest } from '../core/contract/events.ts';
import type { Queues } from './queues.ts';

const request: PollRequest = { version: 1, poll: 'canary' };
/** Twice a day, so that a day that is looked back upon always has one. */
const every = Duration.hours(12);

/** Has the canary changed, which a sweep must find. */
export class CanarySchedule extends Construct {
  constructor(scope: Construct, id: string, { queues }: { readonly queues: Queues }) {
    super(scope, id);
    new Schedule(this, 'Schedule', {
      description: 'Changes an object of trueup so that the change is found',
      schedule: ScheduleExpression.rate(every),
      timeWindow: TimeWindow.flexible(Duration.minutes(15)),
      target: new SqsSendMessage(queues.pushes.queue, {
        input: ScheduleTargetInput.fromObject(request),
        deadLetterQueue: queues.undelivered,
        maxEventAge: Duration.hours(1),
        retryAttempts: 10,
      }),
    });
  }
}
