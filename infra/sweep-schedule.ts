import type { Duration } from 'aws-cdk-lib/core';
import { Construct } from 'constructs';
import type { SweepRequest } from '../core/contract/events.ts';
import { scheduleMessage } from './queue-schedule.ts';
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
    scheduleMessage(this, 'Schedule', {
      description: 'Checks every target of trueup for drift and health',
      every,
      queue: queues.sweeps.queue,
      message: request,
      queues,
    });
  }
}
