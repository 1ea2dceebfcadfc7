import { Rule } from 'aws-cdk-lib/aws-events';
import { SqsQueue } from 'aws-cdk-lib/aws-events-targets';
import { Construct } from 'constructs';
import { eventSource, type EventType } from '../core/contract/events.ts';
import { codeWithGit, type GitPackaging } from './function-code.ts';
import { allowCodeCommit } from './source-rights.ts';
import type { Queues } from './queues.ts';
import type { TargetWorld } from './target-functions.ts';
import { workTimeout, workVisibility, type NamedQueues } from './target-queues.ts';
import { TrueUpFunction } from './trueup-function.ts';
import { WorkQueue } from './work-queue.ts';

export interface ImagesProps extends TargetWorld, GitPackaging {
  readonly queues: Pick<Queues, 'undelivered'>;
}

const imagePushed: EventType = 'ImagePushed';

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
    storage.grant(this.function, { write: ['images'] });
    this.#queue.feedTogether(this.function);
    new Rule(this, 'Pushed', {
      eventBus: bus.bus,
      description: 'An image was pushed: write it where it is followed',
      eventPattern: { source: [eventSource], detailType: [imagePushed] },
      targets: [new SqsQueue(this.#queue.queue, { deadLetterQueue: queues.undelivered })],
    });
  }

  /** By its name in alarms. */
  get work(): NamedQueues {
    return { images: this.#queue };
  }
}
