import { Duration, Stack } from 'aws-cdk-lib/core';
import { Rule } from 'aws-cdk-lib/aws-events';
import { SqsQueue } from 'aws-cdk-lib/aws-events-targets';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { EmailSubscription, SqsSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import { Construct } from 'constructs';
import { eventSource } from '../core/contract/events.ts';
import { noticedEvents, type LookRequest } from '../core/contract/notice-messages.ts';
import type { ChannelConfig, Notifications } from '../core/contract/notifications.ts';
import { scheduleMessage } from './queue-schedule.ts';
import type { Queues } from './queues.ts';
import type { TargetWorld } from './target-functions.ts';
import type { NamedQueues } from './target-queues.ts';
import { TrueUpFunction } from './trueup-function.ts';
import { WorkQueue } from './work-queue.ts';

export interface NoticesProps extends TargetWorld {
  readonly notifications: Notifications;
  /** Hears of the installation's alarms. */
  readonly alarmTopic: Topic;
  readonly queues: Pick<Queues, 'undelivered'>;
}

const lookAgain: LookRequest = { version: 1, look: 'all' };
/** What tells that something is over may be lost; it is found this much later at most. */
const every = Duration.hours(1);

/**
 * Tells people (issue 7): only made where the configuration has `notifications`. Who decides reads records and holds no
 * secret of a channel; who sends reads no record and speaks to the channels.
 */
export class Notices extends Construct {
  readonly notify: TrueUpFunction;
  readonly send: TrueUpFunction;
  readonly #heard: WorkQueue;
  readonly #sends: WorkQueue;

  constructor(scope: Construct, id: string, props: NoticesProps) {
    super(scope, id);
    this.#heard = new WorkQueue(this, 'Notices', { visibility: Duration.minutes(3), attempts: 5 });
    // As many tries as take an hour; then a person must mend the channel, and send it back.
    this.#sends = new WorkQueue(this, 'Sends', { fifo: true, visibility: Duration.minutes(2), attempts: 12 });
    this.notify = this.#makeNotify(props);
    this.send = this.#makeSend(props);
    this.#listen(props);
  }

  #makeNotify({ configAsset, storage, code }: NoticesProps): TrueUpFunction {
    const to = new TrueUpFunction(this, 'Notify', {
      description: 'Decides what people are told of states that changed',
      code: code('notify'),
      timeout: Duration.minutes(2),
      memoryMiB: 512,
      asksItself: true,
    });
    configAsset.grant(to);
    storage.grant(to, {
      read: ['desired', 'inventory', 'repositories', 'checks', 'openDrift', 'drift'],
      write: ['notices'],
    });
    this.#heard.feedTogether(to);
    this.#heard.grantSend(to, 'noticeQueue');
    this.#sends.grantSend(to, 'sendQueue');
    return to;
  }

  #makeSend({ config, configAsset, storage, secrets, code, notifications }: NoticesProps): TrueUpFunction {
    const to = new TrueUpFunction(this, 'Send', {
      description: 'Delivers messages to the channels of the configuration',
      code: code('send'),
      timeout: Duration.minutes(1),
      memoryMiB: 512,
    });
    configAsset.grant(to);
    storage.grant(to, { read: ['notices'] });
    secrets.grantChannels(to, notifications);
    // Not granted as others are: it may see its own messages later, and send none.
    this.#sends.feed(to, concurrencyOf(notifications));
    to.set('sendQueue', this.#sends.queue.queueUrl);
    const prefix = `trueup-${config.fleet}-mail-`;
    to.set('emailTopicPrefix', Stack.of(this).formatArn({ service: 'sns', resource: prefix }));
    for (const channel of notifications.channels) this.#allowTopic(to, channel, prefix);
    return to;
  }

  #allowTopic(to: TrueUpFunction, channel: ChannelConfig, prefix: string): void {
    if (channel.type === 'sns') {
      to.allow(new PolicyStatement({ actions: ['sns:Publish'], resources: [channel.topicArn] }));
      if (channel.kmsKeyArn === undefined) return;
      const actions = ['kms:GenerateDataKey', 'kms:Decrypt'];
      to.allow(new PolicyStatement({ actions, resources: [channel.kmsKeyArn] }));
    }
    if (channel.type !== 'email') return;
    const topic = new Topic(this, `Mail-${channel.name}`, {
      topicName: `${prefix}${channel.name}`,
      displayName: `trueup ${channel.name}`,
      enforceSSL: true,
    });
    for (const address of channel.to) topic.addSubscription(new EmailSubscription(address));
    topic.grantPublish(to.role);
  }

  #listen({ bus, alarmTopic, queues }: NoticesProps): void {
    const { queue } = this.#heard;
    new Rule(this, 'Heard', {
      eventBus: bus.bus,
      description: 'Something changed that people may have to be told of',
      eventPattern: { source: [eventSource], detailType: [...noticedEvents] },
      targets: [new SqsQueue(queue, { deadLetterQueue: queues.undelivered })],
    });
    alarmTopic.addSubscription(new SqsSubscription(queue));
    scheduleMessage(this, 'Again', {
      description: 'Looks again at everything that people were told of',
      every,
      within: Duration.minutes(10),
      queue,
      message: lookAgain,
      queues,
    });
  }

  /** By its name in alarms. */
  get work(): NamedQueues {
    return { notices: this.#heard, sends: this.#sends };
  }
}

/** One at a time for each channel: none holds up another. Lambda wants at least 2. */
function concurrencyOf({ channels }: Notifications): number {
  return Math.max(2, channels.length);
}
