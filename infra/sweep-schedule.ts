import type { Duration } from 'aws-cdk-lib/core';
import { Schedule, ScheduleExpression, ScheduleTargetInput } from 'aws-cdk-lib/aws-scheduler';
import { SqsSendMessage } from 'aws-cdk-lib/aws-scheduler-targets';
import { Construct } from 'constructs';
import type { SweepRequest } from '../core/contract/events.ts';
import type { Queues } from './queues.ts';

export interface SweepScheduleProps {
  readonly queues: Queues;
  readonly every: Duration;
}

const request: SweepRequest = { version: 1, scope: 'fleet', requestedBy: 'schedule' };

/** Asks for a sweep of the fleet at a fixed rate. */
export class SweepSchedule extends Construct {
  constructor(scope: Construct, id: string, { queues, every }: SweepScheduleProps) {
    super(scope, id);
    new Schedule(this, 'Schedule', {
      description: 'Checks every target of trueup for drift and health',
      schedule: ScheduleExpression.rate(every),
      target: new SqsSendMessage(queues.sweeps.queue, {
        input: ScheduleTargetInput.fromObject(request),
        deadLetterQueue: queues.undelivered,
        // The next one is due then.
        maxEventAge: every,
        retryAttempts: 10,
      }),
    });
  }
}
