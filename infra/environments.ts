import { Rule } from 'aws-cdk-lib/aws-events';
import { SqsQueue } from 'aws-cdk-lib/aws-events-targets';
import { Construct } from 'constructs';
import { eventSource, type EventType } from '../core/contract/events.ts';
import type { Queues } from './queues.ts';
import { allowCodeCommit } from './source-rights.ts';
import type { TargetWorld } from './target-functions.ts';
import type { TrueUpFunction } from './trueup-function.ts';

export interface EnvironmentsProps extends Pick<TargetWorld, 'config' | 'bus' | 'secrets'> {
  readonly queues: Pick<Queues, 'pushes' | 'undelivered'>;
  /** It alone moves desired pointers, those of preview environments too. */
  readonly snapshot: TrueUpFunction;
}

const pullRequestChanged: EventType = 'PullRequestChanged';
/** Of pull requests in CodeCommit: to look at them, and to keep one comment current. */
const looking = [
  'codecommit:GetPullRequest',
  'codecommit:ListPullRequests',
  'codecommit:GetCommentsForPullRequest',
  'codecommit:PostCommentForPullRequest',
  'codecommit:UpdateComment',
];

/** Runs applications for pull requests (issue 7): only made where a repository wants that. */
export class Environments extends Construct {
  constructor(scope: Construct, id: string, { config, bus, secrets, queues, snapshot }: EnvironmentsProps) {
    super(scope, id);
    const run = config.repositories.filter(({ environments }) => environments !== undefined);
    secrets.grantHostApis(snapshot, run);
    allowCodeCommit(snapshot, run, looking);
    const detail = { repository: run.map(({ name }) => name) };
    new Rule(this, 'Pulls', {
      eventBus: bus.bus,
      description: 'A pull request changed: bring its environments there',
      eventPattern: { source: [eventSource], detailType: [pullRequestChanged], detail },
      targets: [new SqsQueue(queues.pushes.queue, { deadLetterQueue: queues.undelivered })],
    });
  }
}
