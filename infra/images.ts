import { Duration } from 'aws-cdk-lib/core';
import { Rule } from 'aws-cdk-lib/aws-events';
import { SqsQueue } from 'aws-cdk-lib/aws-events-targets';
import { Construct } from 'constructs';
import { eventSource, type EventType, type ImagePollRequest } from '../core/contract/events.ts';
import { imageBranches } from '../core/contract/images.ts';
import { imageWriterOf } from '../core/contract/repository.ts';
import { codeWithGit, type GitPackaging } from './function-code.ts';
import { scheduleMessage } from './queue-schedule.ts';
import { allowCodeCommit, allowImageSources } from './source-rights.ts';
import type { Queues } from './queues.ts';
import type { TargetWorld } from './target-functions.ts';
import { workTimeout, workVisibility, type NamedQueues } from './target-queues.ts';
import { TrueUpFunction } from './trueup-function.ts';
import { WorkQueue } from './work-queue.ts';

export interface ImagesProps extends TargetWorld, GitPackaging {
  readonly queues: Pick<Queues, 'undelivered'>;
}

const imagePushed: EventType = 'ImagePushed';
const pullRequestChanged: EventType = 'PullRequestChanged';
const poll: ImagePollRequest = { version: 1, poll: 'images' };
/** Of the one in CodeCommit: to propose, and to close. */
const proposing = [
  'codecommit:CreatePullRequest',
  'codecommit:GetPullRequest',
  'codecommit:ListPullRequests',
  'codecommit:UpdatePullRequestDescription',
  'codecommit:UpdatePullRequestStatus',
  'codecommit:UpdatePullRequestTitle',
];

/** Writes pushed images into repositories (issue 7): only made where a repository wants that. */
export class Images extends Construct {
  readonly function: TrueUpFunction;
  readonly #queue: WorkQueue;

  constructor(scope: Construct, id: string, props: ImagesProps) {
    super(scope, id);
    const { config, configAsset, storage, bus, secrets, queues } = props;
    this.#queue = new WorkQueue(this, 'Images', { visibility: workVisibility, attempts: 5 });
    this.function = new TrueUpFunction(this, 'Function', {
      description: 'Writes pushed images into the repositories whose applications follow them',
      code: codeWithGit(this, 'images', props),
      timeout: workTimeout,
      memoryMiB: 1024,
      scratchMiB: 2048,
    });
    configAsset.grant(this.function);
    secrets.grantImageWrites(this.function);
    const written = config.repositories.filter(({ images }) => images !== undefined);
    allowCodeCommit(this.function, written, ['codecommit:GitPull', 'codecommit:GitPush']);
    const proposed = written.filter(({ images }) => images?.pullRequest !== undefined).map(imageWriterOf);
    secrets.grantHostApis(this.function, proposed);
    allowCodeCommit(this.function, proposed, proposing);
    secrets.grantImageSources(this.function);
    allowImageSources(this.function, config);
    storage.grant(this.function, { write: ['images'] });
    this.#queue.feedTogether(this.function);
    new Rule(this, 'Pushed', {
      eventBus: bus.bus,
      description: 'An image was pushed: write it where it is followed',
      eventPattern: { source: [eventSource], detailType: [imagePushed] },
      targets: [new SqsQueue(this.#queue.queue, { deadLetterQueue: queues.undelivered })],
    });
    if (proposed.length > 0) this.#followPullRequests(props);
    if (proposed.length > 0 || config.sources.images.length > 0) this.#poll(props);
  }

  /** Merged or closed ones of ours: what a person said by that is remembered at once. */
  #followPullRequests({ bus, queues }: ImagesProps): void {
    const head = { branch: [{ prefix: imageBranches }] };
    new Rule(this, 'PullRequests', {
      eventBus: bus.bus,
      description: 'A pull request of ours changed: look at what images are still to be proposed',
      eventPattern: { source: [eventSource], detailType: [pullRequestChanged], detail: { head } },
      targets: [new SqsQueue(this.#queue.queue, { deadLetterQueue: queues.undelivered })],
    });
  }

  #poll({ config, queues }: ImagesProps): void {
    const every = Duration.minutes(config.pollMinutes);
    scheduleMessage(this, 'Poll', {
      description: 'Asks registries for images that nobody told of',
      every,
      within: Duration.minutes(1),
      queue: this.#queue.queue,
      message: poll,
      queues,
    });
  }

  /** By its name in alarms. */
  get work(): NamedQueues {
    return { images: this.#queue };
  }
}
