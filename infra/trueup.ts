import { Duration, RemovalPolicy } from 'aws-cdk-lib/core';
import { Construct } from 'constructs';
import { s3ObjectOf } from '../core/contract/artifact.ts';
import type { StackConfig } from '../core/contract/config.ts';
import { Alarms } from './alarms.ts';
import { ConfigAsset } from './config-asset.ts';
import { Dashboard } from './dashboard.ts';
import { EventBus } from './event-bus.ts';
import { Functions } from './functions.ts';
import { Outputs } from './outputs.ts';
import { PollSchedule } from './poll-schedule.ts';
import { Queues } from './queues.ts';
import { Secrets } from './secrets.ts';
import { Storage } from './storage.ts';
import { SweepSchedule } from './sweep-schedule.ts';

export interface TrueUpProps {
  /** What the installation serves, as `parseStackConfig` gives it. */
  readonly config: StackConfig;
  /** Folder that `bundleFunctions` filled. It is copied to the cloud assembly: it may go when this constructor is done. */
  readonly bundles: string;
  /**
   * `image`: git, kubectl and Helm come with the snapshot function; built by Docker at deploy. `zip`: the same bundle
   * alone, for a local deployment where the machine has these tools.
   * @default 'image'
   */
  readonly snapshotPackaging?: 'image' | 'zip';
  /**
   * Concurrency reserved for the webhook function, which is also its limit: a flood of requests from the internet can
   * then neither starve the other functions nor cost more than this. An account must keep 100 unreserved, or all 10
   * of a new account's: the deployment fails there until the quota is raised, or nothing is reserved.
   * @default - nothing is reserved
   */
  readonly hookConcurrency?: number | undefined;
  /**
   * How long events are kept for replay.
   * @default 30 days
   */
  readonly archiveRetention?: Duration;
  /**
   * What becomes of the bucket and of the sealing key with the stack. A bucket must be empty to be destroyed.
   * @default RemovalPolicy.RETAIN
   */
  readonly removalPolicy?: RemovalPolicy;
}

/**
 * One installation of trueup: GitOps for the configured clusters. One per stack, since the names of the outputs are
 * fixed; several per account and region, told apart by the `fleet` of their configuration.
 */
export class TrueUp extends Construct {
  constructor(scope: Construct, id: string, props: TrueUpProps) {
    super(scope, id);
    const { config, bundles, snapshotPackaging = 'image', hookConcurrency } = props;

    const configAsset = new ConfigAsset(this, 'Config', config);
    const storage = new Storage(this, 'Storage', {
      removalPolicy: props.removalPolicy ?? RemovalPolicy.RETAIN,
    });
    const secrets = new Secrets(this, 'Secrets', { config });
    const queues = new Queues(this, 'Queues');
    const bus = new EventBus(this, 'Events', {
      fleet: config.fleet,
      queues,
      archiveRetention: props.archiveRetention ?? Duration.days(30),
      followsCodeCommit: config.repositories.some(({ provider }) => provider === 'codecommit'),
      objects: config.repositories.flatMap(({ url }) => s3ObjectOf(url) ?? []),
    });
    const functions = new Functions(this, 'Functions', {
      config,
      configAsset,
      storage,
      bus,
      queues,
      secrets,
      bundles,
      snapshotPackaging,
      hookConcurrency,
    });
    new SweepSchedule(this, 'Sweeps', { queues, every: Duration.minutes(config.sweepMinutes) });
    new PollSchedule(this, 'Polls', { queues, every: Duration.minutes(config.pollMinutes) });
    const { deadLetters } = queues;
    const alarms = new Alarms(this, 'Alarms', { config, webhook: functions.webhook, deadLetters });
    const dashboard = new Dashboard(this, 'Dashboard', { config, alarms, functions, queues });

    new Outputs(this, 'Outputs', {
      hookUrl: functions.hookUrl,
      bucket: storage.bucket.bucketName,
      bus: bus.bus.eventBusName,
      config: configAsset.location,
      runQueue: queues.runs.queue.queueUrl,
      sweepQueue: queues.sweeps.queue.queueUrl,
      alarmTopic: alarms.topic.topicArn,
      hookSecretPrefix: secrets.hookPrefix,
      digestKeySecret: secrets.digestKeyName,
      sealingKey: storage.sealingKey.keyArn,
      fleet: config.fleet,
      dashboard: dashboard.name,
      reconcileRole: functions.reconcile.role.roleArn,
      sweepRole: functions.sweep.role.roleArn,
    });
  }
}
