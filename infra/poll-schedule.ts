import { Duration } from 'aws-cdk-lib/core';
import { Construct } from 'constructs';
import type { PollRequest } from '../core/contract/events.ts';
import { scheduleMessage } from './queue-schedule.ts';
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
    scheduleMessage(this, 'Schedule', {
      description: 'Looks for pushes that trueup was not told of',
      every,
      within: Duration.minutes(1),
      queue: queues.intake.queue,
      message: request,
      queues,
    });
  }
}
