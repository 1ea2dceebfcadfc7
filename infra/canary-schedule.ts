import { Duration } from 'aws-cdk-lib/core';
import { Construct } from 'constructs';
import type { PollRequest } from '../core/contract/events.ts';
import { scheduleMessage } from './queue-schedule.ts';
import type { Queues } from './queues.ts';

const request: PollRequest = { version: 1, poll: 'canary' };
/** Twice a day, so that a day that is looked back upon always has one. */
const every = Duration.hours(12);

/** Has the canary changed, which a sweep must find. */
export class CanarySchedule extends Construct {
  constructor(scope: Construct, id: string, { queues }: { readonly queues: Queues }) {
    super(scope, id);
    scheduleMessage(this, 'Schedule', {
      description: 'Changes an object of trueup so that the change is found',
      every,
      within: Duration.minutes(15),
      queue: queues.pushes.queue,
      message: request,
      queues,
      maxEventAge: Duration.hours(1),
    });
  }
}
