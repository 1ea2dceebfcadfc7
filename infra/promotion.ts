import { Duration } from 'aws-cdk-lib/core';
import { Rule } from 'aws-cdk-lib/aws-events';
import { SqsQueue } from 'aws-cdk-lib/aws-events-targets';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import { eventSource, type EventType, type PromotionRequest } from '../core/contract/events.ts';
import { promotionWriterOf } from '../core/contract/repository.ts';
import { codeWithGit, type GitPackaging } from './function-code.ts';
import { scheduleMessage } from './queue-schedule.ts';
import { allowCodeCommit } from './source-rights.ts';
import type { Queues } from './queues.ts';
import type { TargetWorld } from './target-functions.ts';
import { workTimeout, workVisibility, type NamedQueues } from './target-queues.ts';
import { TrueUpFunction } from './trueup-function.ts';
import { WorkQueue } from './work-queue.ts';

export interface PromotionProps extends TargetWorld, GitPackaging {
  readonly queues: Pick<Queues, 'undelivered' | 'pushes'>;
}

const tells: readonly EventType[] = [
  'CommitExamined',
  'ReconcileFinished',
  'HealthChanged',
  'PromotionApproved',
  'Promoted',
];
const pullRequestChanged: EventType = 'PullRequestChanged';
const request: PromotionRequest = { version: 1, promotion: 'look' };
/** What nobody tells of: the end of a soak and of a freeze, an alarm that is OK again. */
const every = Duration.minutes(1);

/** Promotes commits from environment to environment (issue 7): only made where a repository is one that they are promoted to. */
export class Promotion extends Construct {
  readonly function: TrueUpFunction;
  readonly #queue: WorkQueue;

  constructor(scope: Construct, id: string, props: PromotionProps) {
    super(scope, id);
    const { config, configAsset, storage, bus, secrets, code, queues } = props;
    // Git comes along only where something is proposed by pull request.
    const written = config.repositories.flatMap((one) => promotionWriterOf(one) ?? []);
    const writes = written.length > 0;
    this.#queue = new WorkQueue(this, 'Promotion', { visibility: workVisibility, attempts: 5 });
    this.function = new TrueUpFunction(this, 'Function', {
      description: 'Promotes commits from environment to environment',
      code: writes ? codeWithGit(this, 'promotion', props) : code('promotion'),
      timeout: workTimeout,
      memoryMiB: writes ? 1024 : 512,
      ...(writes && { scratchMiB: 2048 }),
    });
    configAsset.grant(this.function);
    storage.grant(this.function, {
      read: ['repositories', 'desired', 'inventory', 'checks', 'holds'],
      write: ['promoted'],
    });
    bus.grantPublish(this.function);
    queues.pushes.grantSend(this.function, 'pushQueue');
    // Composite alarms are told to nobody who may not see all.
    this.function.allow(new PolicyStatement({ actions: ['cloudwatch:DescribeAlarms'], resources: ['*'] }));
    secrets.grantPromotions(this.function);
    secrets.grantHostApis(this.function, written);
    allowCodeCommit(this.function, written, [
      'codecommit:CreatePullRequest',
      'codecommit:GetPullRequest',
      'codecommit:GetPullRequestApprovalStates',
      'codecommit:GitPull',
      'codecommit:GitPush',
      'codecommit:ListPullRequests',
      'codecommit:UpdatePullRequestDescription',
      'codecommit:UpdatePullRequestTitle',
    ]);
    this.#queue.feedTogether(this.function);
    new Rule(this, 'Changed', {
      eventBus: bus.bus,
      description: 'Something became of an environment: look what may be promoted',
      eventPattern: { source: [eventSource], detailType: [...tells] },
      targets: [new SqsQueue(this.#queue.queue, { deadLetterQueue: queues.undelivered })],
    });
    // A merge or an approval is seen at once, where the host tells of it.
    if (writes) {
      const repository = written.map(({ name }) => name);
      new Rule(this, 'PullRequest', {
        eventBus: bus.bus,
        description: 'A pull request to an environment changed: look whether it was merged or approved',
        eventPattern: { source: [eventSource], detailType: [pullRequestChanged], detail: { repository } },
        targets: [new SqsQueue(this.#queue.queue, { deadLetterQueue: queues.undelivered })],
      });
    }
    scheduleMessage(this, 'Schedule', {
      description: 'Looks which environments may get a commit by now',
      every,
      queue: this.#queue.queue,
      message: request,
      queues,
      retryAttempts: 3,
    });
  }

  /** By its name in alarms. */
  get work(): NamedQueues {
    return { promotion: this.#queue };
  }
}
