import { Duration } from 'aws-cdk-lib/core';
import { Rule } from 'aws-cdk-lib/aws-events';
import { SqsQueue } from 'aws-cdk-lib/aws-events-targets';
import { Construct } from 'constructs';
import { previewAttempts } from '../core/contract/preview.ts';
import { eventSource, type EventType, type PreviewPoll } from '../core/contract/events.ts';
import { codeWithGit, type GitPackaging } from './function-code.ts';
import { scheduleMessage } from './queue-schedule.ts';
import type { Queues } from './queues.ts';
import { allowCodeCommit, allowSources } from './source-rights.ts';
import type { TargetWorld } from './target-functions.ts';
import { workTimeout, workVisibility, type NamedQueues } from './target-queues.ts';
import { TrueUpFunction } from './trueup-function.ts';
import { WorkQueue } from './work-queue.ts';

export interface PreviewProps extends TargetWorld, GitPackaging {
  readonly queues: Pick<Queues, 'questions' | 'undelivered'>;
}

const tells: readonly EventType[] = ['PullRequestChanged', 'PreviewAnswered'];
const poll: PreviewPoll = { version: 1, preview: 'poll' };
/** Of pull requests in CodeCommit: to look at them, and to keep one comment current. */
const looking = [
  'codecommit:GetPullRequest',
  'codecommit:ListPullRequests',
  'codecommit:GetCommentsForPullRequest',
  'codecommit:PostCommentForPullRequest',
  'codecommit:UpdateComment',
];
/** Renders of pull requests at once. */
const atOnce = 2;

/**
 * Says to pull requests what they would change (issue 7): only made where a repository wants that. The function reads what
 * nobody has reviewed: it may not write desired state, and holds no rights in any cluster.
 */
export class Preview extends Construct {
  readonly function: TrueUpFunction;
  readonly #queue: WorkQueue;

  constructor(scope: Construct, id: string, props: PreviewProps) {
    super(scope, id);
    const { config, configAsset, storage, bus, secrets, queues } = props;
    this.#queue = new WorkQueue(this, 'Previews', {
      visibility: workVisibility,
      attempts: previewAttempts,
    });
    const to = new TrueUpFunction(this, 'Function', {
      description: 'Renders pull requests and says what they would change',
      code: codeWithGit(this, 'preview', props),
      timeout: workTimeout,
      memoryMiB: 2048,
      scratchMiB: 2048,
      asksItself: true,
    });
    this.function = to;
    const previewed = config.repositories.filter(({ preview }) => preview !== undefined);
    configAsset.grant(to);
    // Renders may read other repositories and charts, as those of the tracked branch do.
    secrets.grantRepositories(to);
    secrets.grantChartSources(to);
    secrets.grantHostApis(to, previewed);
    secrets.grantDigestKey(to);
    allowSources(to, config);
    allowCodeCommit(to, config.repositories, ['codecommit:GitPull']);
    allowCodeCommit(to, previewed, looking);
    storage.grant(to, {
      read: ['repositories', 'snapshots', 'desired', 'renders', 'asked', 'facts', 'clusters'],
      write: ['previews'],
    });
    storage.grantSeal(to);
    queues.questions?.grantSend(to, 'questionQueue');
    this.#queue.grantSend(to, 'previewQueue');
    this.#queue.feed(to, atOnce);
    new Rule(this, 'Pulls', {
      eventBus: bus.bus,
      description: 'A pull request changed, or a cluster has answered: say what it would change',
      eventPattern: {
        source: [eventSource],
        detailType: [...tells],
        detail: { repository: previewed.map(({ name }) => name) },
      },
      targets: [new SqsQueue(this.#queue.queue, { deadLetterQueue: queues.undelivered })],
    });
    this.#poll(props);
  }

  /** For pull requests that nobody told of: a status that is required must not wait for them. */
  #poll({ config, queues }: PreviewProps): void {
    const every = Duration.minutes(config.pollMinutes);
    scheduleMessage(this, 'Schedule', {
      description: 'Looks for pull requests that nobody told of',
      every,
      within: Duration.minutes(1),
      queue: this.#queue.queue,
      message: poll,
      queues,
    });
  }

  /** By its name in alarms. */
  get work(): NamedQueues {
    return { previews: this.#queue };
  }
}
