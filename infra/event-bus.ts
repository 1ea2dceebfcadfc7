import { Duration, Stack } from 'aws-cdk-lib/core';
import { EventBus as CdkEventBus, Rule } from 'aws-cdk-lib/aws-events';
import type { EventPattern, IEventBus } from 'aws-cdk-lib/aws-events';
import { EventBus as EventBusTarget, SqsQueue } from 'aws-cdk-lib/aws-events-targets';
import { Construct } from 'constructs';
import { eventSource } from '../core/contract/events.ts';
import type { EventType } from '../core/contract/events.ts';
import type { Queues } from './queues.ts';
import type { TrueUpFunction } from './trueup-function.ts';

export interface EventBusProps {
  readonly fleet: string;
  readonly queues: Queues;
  readonly archiveRetention: Duration;
  /** Whether a repository is on CodeCommit, whose pushes EventBridge tells of. */
  readonly followsCodeCommit: boolean;
  /** S3 objects that are repositories: of each new version S3 tells EventBridge, if the bucket is set up for that. */
  readonly objects: readonly { readonly bucket: string; readonly key: string }[];
}

/** What the snapshot function is told: it alone moves desired pointers. */
const movesPointers: readonly EventType[] = ['PushReceived', 'RevisionFailed'];
const ecrImage: EventPattern = { source: ['aws.ecr'], detailType: ['ECR Image Action'] };
const codeCommitPush: EventPattern = {
  source: ['aws.codecommit'],
  detailType: ['CodeCommit Repository State Change', 'CodeCommit Pull Request State Change'],
};

/**
 * Our own bus with its archive, and the rules that lead from it to queues. Rules never call a function: a queue keeps
 * what a function could not take, and its dead-letter queue what nobody could.
 */
export class EventBus extends Construct {
  readonly bus: CdkEventBus;

  constructor(scope: Construct, id: string, props: EventBusProps) {
    super(scope, id);
    const { fleet, queues, archiveRetention, followsCodeCommit, objects } = props;
    this.bus = new CdkEventBus(this, 'Bus', {
      eventBusName: `trueup-${fleet}`,
      description: 'Events of trueup, and of the registries it follows',
    });
    this.bus.archive('Archive', {
      description: 'Events of trueup, for replay',
      eventPattern: { account: [Stack.of(this).account] },
      retention: archiveRetention,
    });
    const delivery = {
      deadLetterQueue: queues.undelivered,
      // A push that could not be queued for longer than this is found by the next push or sweep of its target.
      maxEventAge: Duration.hours(6),
      retryAttempts: 50,
    };
    new Rule(this, 'Pushes', {
      eventBus: this.bus,
      description: 'A push was received, or a new revision failed: desired pointers move',
      eventPattern: { source: [eventSource], detailType: [...movesPointers] },
      targets: [new SqsQueue(queues.pushes.queue, delivery)],
    });
    // The CDK's class and interface disagree about an optional property; it is the same bus.
    const ourBus = this.bus as IEventBus;
    // Events of AWS services appear on the default bus of the account and on no other.
    const services = {
      Ecr: ecrImage,
      ...(followsCodeCommit && { CodeCommit: codeCommitPush }),
      ...objectPatterns(objects),
    };
    for (const [name, eventPattern] of Object.entries(services)) {
      new Rule(this, `${name}ToOurBus`, {
        description: `An event of ${name}: bring it to the bus of trueup`,
        eventPattern,
        targets: [new EventBusTarget(ourBus, { deadLetterQueue: queues.undelivered })],
      });
      new Rule(this, `${name}Intake`, {
        eventBus: this.bus,
        description: `An event of ${name}: say it in our own words`,
        eventPattern,
        targets: [new SqsQueue(queues.intake.queue, delivery)],
      });
    }
  }

  grantPublish(to: TrueUpFunction): void {
    this.bus.grantPutEventsTo(to.role);
    to.set('bus', this.bus.eventBusName);
  }
}

/** One for each bucket. */
function objectPatterns(objects: EventBusProps['objects']): Readonly<Record<string, EventPattern>> {
  const byBucket = Map.groupBy(objects, ({ bucket }) => bucket);
  const patterns = [...byBucket].map(([bucket, own]): [string, EventPattern] => {
    const key = [...new Set(own.map((one) => one.key))];
    const detail = { bucket: { name: [bucket] }, object: { key } };
    return [`S3-${bucket}-`, { source: ['aws.s3'], detailType: ['Object Created'], detail }];
  });
  return Object.fromEntries(patterns);
}
