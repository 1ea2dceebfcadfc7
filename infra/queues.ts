import { Duration, Validations } from 'aws-cdk-lib/core';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import type { StackConfig } from '../core/contract/config.ts';
import { targetQueues, workVisibility, type NamedQueues, type TargetQueues } from './target-queues.ts';
import { deadLetterQueue, WorkQueue } from './work-queue.ts';

/** Every queue of the installation but those of networks, each with its dead-letter queue. */
export class Queues extends Construct implements TargetQueues {
  /** PushReceived events, for the snapshot function. */
  readonly pushes: WorkQueue;
  /** Events of AWS services that tell of images and pushes, for the intake function. */
  readonly intake: WorkQueue;
  readonly runs: WorkQueue;
  readonly later: WorkQueue;
  readonly sweeps: WorkQueue;
  readonly questions: WorkQueue | undefined;
  /** Events and schedules that could not be delivered to a queue at all. */
  readonly undelivered: Queue;

  constructor(scope: Construct, id: string, config: Pick<StackConfig, 'repositories'>) {
    super(scope, id);
    this.pushes = new WorkQueue(this, 'Pushes', { visibility: workVisibility, attempts: 5 });
    this.intake = new WorkQueue(this, 'Intake', { visibility: Duration.minutes(3), attempts: 5 });
    const { runs, later, sweeps, questions } = targetQueues(this, config);
    this.runs = runs;
    this.later = later;
    this.sweeps = sweeps;
    this.questions = questions;
    this.undelivered = deadLetterQueue(this, 'Undelivered');
    Validations.of(this.undelivered).acknowledge({
      id: 'AwsSolutions-SQS3',
      reason:
        'It is the dead-letter queue of the rules and of the schedule, which the check does not look at.',
    });
  }

  /** Every work queue by its name in alarms. */
  get work(): NamedQueues {
    const { pushes, intake, runs, later, sweeps, questions } = this;
    return { pushes, intake, runs, later, sweeps, ...(questions && { questions }) };
  }

  /** Every dead-letter queue by its name in alarms. */
  get deadLetters(): Readonly<Record<string, Queue>> {
    const own = Object.entries(this.work).map(([name, { deadLetters }]) => [name, deadLetters] as const);
    return { ...Object.fromEntries(own), undelivered: this.undelivered };
  }
}
