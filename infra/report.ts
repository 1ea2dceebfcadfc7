import { Duration } from 'aws-cdk-lib/core';
import { Rule } from 'aws-cdk-lib/aws-events';
import { SqsQueue } from 'aws-cdk-lib/aws-events-targets';
import { Construct } from 'constructs';
import { eventSource, type EventType, type ReportRequest } from '../core/contract/events.ts';
import { scheduleMessage } from './queue-schedule.ts';
import type { Queues } from './queues.ts';
import type { TargetWorld } from './target-functions.ts';
import type { NamedQueues } from './target-queues.ts';
import { TrueUpFunction } from './trueup-function.ts';
import { WorkQueue } from './work-queue.ts';

export interface ReportProps extends TargetWorld {
  readonly queues: Pick<Queues, 'undelivered'>;
}

const tells: readonly EventType[] = ['CommitExamined', 'ReconcileFinished', 'HealthChanged'];
const request: ReportRequest = { version: 1, report: 'open' };

/** Tells Git hosts what became of commits (issue 7): only made where a repository wants that. */
export class Report extends Construct {
  readonly function: TrueUpFunction;
  readonly #queue: WorkQueue;

  constructor(scope: Construct, id: string, props: ReportProps) {
    super(scope, id);
    const { config, configAsset, storage, bus, secrets, code, queues } = props;
    this.#queue = new WorkQueue(this, 'Report', { visibility: Duration.minutes(3), attempts: 5 });
    this.function = new TrueUpFunction(this, 'Function', {
      description: 'Tells Git hosts by statuses and deployments what became of commits',
      code: code('report'),
      // Less than the turn to tell a host is held, `core/report/turn.ts`.
      timeout: Duration.minutes(2),
      memoryMiB: 512,
    });
    configAsset.grant(this.function);
    secrets.grantHostApis(
      this.function,
      config.repositories.filter(({ status }) => status !== undefined),
    );
    storage.grant(this.function, {
      read: ['repositories', 'desired', 'inventory', 'checks', 'holds', 'clusters'],
      write: ['reports'],
    });
    this.#queue.feedTogether(this.function);
    new Rule(this, 'Told', {
      eventBus: bus.bus,
      description: 'Something became of a commit: tell its Git host',
      eventPattern: { source: [eventSource], detailType: [...tells] },
      targets: [new SqsQueue(this.#queue.queue, { deadLetterQueue: queues.undelivered })],
    });
    const every = Duration.minutes(config.pollMinutes);
    scheduleMessage(this, 'Schedule', {
      description: 'Tells Git hosts what was not told them yet',
      every,
      within: Duration.minutes(1),
      queue: this.#queue.queue,
      message: request,
      queues,
    });
  }

  /** By its name in alarms. */
  get work(): NamedQueues {
    return { report: this.#queue };
  }
}
