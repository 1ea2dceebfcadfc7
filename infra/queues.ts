import { Duration, Validations } from 'aws-cdk-lib/core';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { deadLetterQueue, WorkQueue } from './work-queue.ts';

/** Timeout of the functions that fetch, apply or check. */
export const workTimeout = Duration.minutes(5);

// A minute above the timeout and no more: when a function dies, its message, and for a FIFO queue its whole target,
// waits this long. (AWS advises six times for throttled functions; here `maxConcurrency` keeps those rare.)
const workVisibility = Duration.minutes(6);

/** Every queue of the installation, each with its dead-letter queue. */
export class Queues extends Construct {
  /** PushReceived events, for the snapshot function. */
  readonly pushes: WorkQueue;
  /** Events of AWS services that tell of images and pushes, for the intake function. */
  readonly intake: WorkQueue;
  /** Run requests, a message group per target. */
  readonly runs: WorkQueue;
  /** Run requests with a delay, which a FIFO queue has not: health looked at again, retries. */
  readonly later: WorkQueue;
  /** Sweep requests: one for the fleet, which becomes one per cluster. */
  readonly sweeps: WorkQueue;
  /** Events and schedules that could not be delivered to a queue at all. */
  readonly undelivered: Queue;

  constructor(scope: Construct, id: string) {
    super(scope, id);
    this.pushes = new WorkQueue(this, 'Pushes', { visibility: workVisibility, attempts: 5 });
    this.intake = new WorkQueue(this, 'Intake', { visibility: Duration.minutes(3), attempts: 5 });
    // Fewer attempts than elsewhere: a message that kills its function holds up its target all the while.
    this.runs = new WorkQueue(this, 'Runs', { fifo: true, visibility: workVisibility, attempts: 3 });
    this.later = new WorkQueue(this, 'Later', { visibility: workVisibility, attempts: 5 });
    // The next sweep is the better retry; after an outage only a few old requests may be left to catch up with.
    this.sweeps = new WorkQueue(this, 'Sweeps', {
      visibility: workVisibility,
      attempts: 2,
      retention: Duration.hours(1),
    });
    this.undelivered = deadLetterQueue(this, 'Undelivered');
    Validations.of(this.undelivered).acknowledge({
      id: 'AwsSolutions-SQS3',
      reason:
        'It is the dead-letter queue of the rules and of the schedule, which the check does not look at.',
    });
  }

  /** Every dead-letter queue by its name in alarms. */
  get deadLetters(): Readonly<Record<string, Queue>> {
    const { pushes, intake, runs, later, sweeps, undelivered } = this;
    return {
      pushes: pushes.deadLetters,
      intake: intake.deadLetters,
      runs: runs.deadLetters,
      later: later.deadLetters,
      sweeps: sweeps.deadLetters,
      undelivered,
    };
  }
}
