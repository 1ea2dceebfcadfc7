import { Rule } from 'aws-cdk-lib/aws-events';
import { SqsQueue } from 'aws-cdk-lib/aws-events-targets';
import { Construct } from 'constructs';
import { eventSource, type EventType } from '../core/contract/events.ts';
import { revertWriterOf } from '../core/contract/repository.ts';
import { codeWithGit, type GitPackaging } from './function-code.ts';
import { allowCodeCommit } from './source-rights.ts';
import type { Queues } from './queues.ts';
import type { TargetWorld } from './target-functions.ts';
import { workTimeout, workVisibility, type NamedQueues } from './target-queues.ts';
import { TrueUpFunction } from './trueup-function.ts';
import { WorkQueue } from './work-queue.ts';

export interface RevertProps extends TargetWorld, GitPackaging {
  readonly queues: Pick<Queues, 'undelivered'>;
}

const rolledBack: EventType = 'RolledBack';
/** While Git is down a pull request waits: an hour and a half, and then for `trueup redrive`. */
const attempts = 15;
/** The least that SQS knows. */
const atOnce = 2;

/** Opens pull requests beside rollbacks (issue 7): only made where a repository wants that. */
export class Revert extends Construct {
  readonly function: TrueUpFunction;
  readonly #queue: WorkQueue;

  constructor(scope: Construct, id: string, props: RevertProps) {
    super(scope, id);
    const { config, configAsset, storage, bus, secrets, queues } = props;
    this.#queue = new WorkQueue(this, 'Revert', { visibility: workVisibility, attempts });
    this.function = new TrueUpFunction(this, 'Function', {
      description: 'Opens pull requests that take back in Git what was rolled back',
      code: codeWithGit(this, 'revert', props),
      timeout: workTimeout,
      memoryMiB: 1024,
      scratchMiB: 2048,
    });
    configAsset.grant(this.function);
    const written = config.repositories.flatMap((one) => revertWriterOf(one) ?? []);
    secrets.grantReverts(this.function);
    secrets.grantHostApis(this.function, written);
    allowCodeCommit(this.function, written, [
      'codecommit:CreatePullRequest',
      'codecommit:GetPullRequest',
      'codecommit:GitPull',
      'codecommit:GitPush',
      'codecommit:ListPullRequests',
      'codecommit:UpdatePullRequestDescription',
      'codecommit:UpdatePullRequestTitle',
    ]);
    storage.grant(this.function, { read: ['desired', 'repositories'] });
    this.#queue.feed(this.function, atOnce);
    new Rule(this, 'RolledBack', {
      eventBus: bus.bus,
      description: 'A target was rolled back, and a pull request is to take the change back',
      eventPattern: {
        source: [eventSource],
        detailType: [rolledBack],
        detail: { revertPullRequest: [true] },
      },
      targets: [new SqsQueue(this.#queue.queue, { deadLetterQueue: queues.undelivered })],
    });
  }

  /** By its name in alarms. */
  get work(): NamedQueues {
    return { revert: this.#queue };
  }
}
