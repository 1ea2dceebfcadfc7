import { Duration, Lazy, RemovalPolicy, Stack } from 'aws-cdk-lib/core';
import type { EventBus as CdkEventBus } from 'aws-cdk-lib/aws-events';
import type { IRole } from 'aws-cdk-lib/aws-iam';
import type { Bucket } from 'aws-cdk-lib/aws-s3';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import { Construct } from 'constructs';
import { s3ObjectOf } from '../core/contract/artifact.ts';
import { parseStackConfig } from '../core/contract/config.ts';
import type { ClusterConfig, StackConfig, StackConfigInput } from '../core/contract/config.ts';
import { Alarms } from './alarms.ts';
import { Athena } from './athena.ts';
import { Audit } from './audit.ts';
import { bundleFunctionsSync, emptyBundles } from './bundle.ts';
import { functionCode } from './function-code.ts';
import { allowCluster } from './cluster-rights.ts';
import { CanarySchedule } from './canary-schedule.ts';
import { ConfigAsset } from './config-asset.ts';
import { Dashboard } from './dashboard.ts';
import { EventBus } from './event-bus.ts';
import { Functions } from './functions.ts';
import { Network, type NetworkProps } from './network.ts';
import { addOptions } from './options.ts';
import { Outputs } from './outputs.ts';
import { PollSchedule } from './poll-schedule.ts';
import { Queues } from './queues.ts';
import { Secrets } from './secrets.ts';
import { siteFolder } from './site-folder.ts';
import { Storage } from './storage.ts';
import { SweepSchedule } from './sweep-schedule.ts';
import type { TargetFunctions, TargetWorld } from './target-functions.ts';
import { temporaryFolder } from './temporary-folder.ts';

export interface TrueUpProps {
  /** What the installation serves; every field is described in `core/contract/config.ts`. Clusters may be added later. */
  readonly config: StackConfigInput;
  /**
   * Folder that `bundleFunctions` filled. It is copied to the cloud assembly: it may go when this constructor is done.
   * @default - the functions are bundled here and now, with esbuild, in a few seconds
   */
  readonly bundles?: string;
  /**
   * Folder that `buildSite` of `web/build.ts` filled, for an installation with a dashboard. Copied like `bundles`.
   * @default - the site is bundled here and now, where the configuration has a `dashboard`
   */
  readonly site?: string;
  /**
   * `image`: git, kubectl and Helm come with the snapshot function; built by Docker at deploy. `zip`: the same bundle
   * alone, for a local deployment where the machine has these tools.
   * @default 'image'
   */
  readonly snapshotPackaging?: 'image' | 'zip';
  /**
   * Concurrency reserved for the webhook function, and as much for that of the dashboard where there is one, which is
   * also their limit: a flood of requests from the internet can then neither starve the other functions nor cost more
   * than this. An account must keep 100 unreserved, or all 10 of a new account's: the deployment fails there until the
   * quota is raised, or nothing is reserved.
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
   * @default RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE: kept, but for those of a first deployment that fails
   */
  readonly removalPolicy?: RemovalPolicy;
}

/** A cluster as the stack configuration has it, but for its network, which is given as what `addNetwork` returned. */
export type ClusterProps = Omit<NonNullable<StackConfigInput['clusters']>[number], 'network'> & {
  /**
   * The VPC that its endpoint is reached from.
   * @default - it is reached from outside a VPC
   */
  readonly network?: Network;
};

/** The addresses of all their queues are a variable of two functions, and Lambda gives a function 4 KB for all of its own. */
const mostNetworks = 5;

/**
 * One installation of trueup: GitOps for the configured clusters. One per stack, since the names of the outputs are
 * fixed; several per account and region, told apart by the `fleet` of their configuration.
 */
export class TrueUp extends Construct {
  /** Everything that the installation knows. */
  readonly bucket: Bucket;
  /** Events of the installation, for rules of your own. */
  readonly bus: CdkEventBus;
  /** Hears of each alarm and of its end. */
  readonly alarmTopic: ITopic;
  /** Where webhooks are sent: ends with a slash, and the hook of a provider is at `hooks/<provider>` below it. */
  readonly hookUrl: string;
  readonly #alarms: Alarms;
  readonly #functions: Functions;
  readonly #networks = new Map<string, Network>();
  readonly #world: TargetWorld;
  #audit: Audit | undefined;
  #config: StackConfig;

  constructor(scope: Construct, id: string, props: TrueUpProps) {
    super(scope, id);
    const { snapshotPackaging = 'image', hookConcurrency } = props;
    const config = parseForNow(props.config);
    this.#config = config;
    using folder = temporaryFolder();
    const makeBundles = Stack.of(this).bundlingRequired ? bundleFunctionsSync : emptyBundles;
    const bundles = props.bundles ?? makeBundles(folder.path);

    const configAsset = new ConfigAsset(this, 'Config', () => this.#finished());
    const storage = new Storage(this, 'Storage', {
      removalPolicy: props.removalPolicy ?? RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
      recordLock: config.recordLock,
    });
    if (config.athena) new Athena(this, 'Athena', { fleet: config.fleet, bucket: storage.bucket });
    const secrets = new Secrets(this, 'Secrets', { config });
    const queues = new Queues(this, 'Queues', config);
    const bus = new EventBus(this, 'Events', {
      fleet: config.fleet,
      queues,
      archiveRetention: props.archiveRetention ?? Duration.days(30),
      followsCodeCommit: config.repositories.some(({ provider }) => provider === 'codecommit'),
      objects: config.repositories.flatMap(({ url }) => s3ObjectOf(url) ?? []),
    });
    this.#world = { config, configAsset, storage, bus, secrets, code: functionCode(bundles) };
    const functions = new Functions(this, 'Functions', {
      ...this.#world,
      bundles,
      queues,
      networks: Lazy.string({ produce: () => this.#networkQueues() }),
      snapshotPackaging,
      hookConcurrency,
    });
    new SweepSchedule(this, 'Sweeps', { queues, every: Duration.minutes(config.sweepMinutes) });
    if (config.canary !== undefined) new CanarySchedule(this, 'Canary', { queues });
    new PollSchedule(this, 'Polls', { queues, every: Duration.minutes(config.pollMinutes) });
    const { deadLetters } = queues;
    const alarms = new Alarms(this, 'Alarms', { config, webhook: functions.webhook, deadLetters });
    alarms.watchBacklog(queues.work);
    const dashboard = new Dashboard(this, 'Dashboard', { config, alarms, functions, queues });

    this.bucket = storage.bucket;
    this.bus = bus.bus;
    this.alarmTopic = alarms.topic;
    this.hookUrl = functions.hookUrl;
    this.#alarms = alarms;
    this.#functions = functions;
    for (const cluster of config.clusters) this.#allow(cluster);
    using siteScratch = temporaryFolder();
    addOptions(this, {
      world: this.#world,
      bundles,
      snapshotPackaging,
      queues,
      alarms,
      functions,
      hookConcurrency,
      site: () => props.site ?? siteFolder(this, siteScratch.path),
    });

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

  /** Serves one more cluster. Throws what is wrong with it, and when its name is taken. */
  addCluster({ network, ...cluster }: ClusterProps): void {
    const named = network === undefined ? cluster : { ...cluster, network: network.name };
    this.#config = parseStackConfig({ ...this.#config, clusters: [...this.#config.clusters, named] });
    for (const added of this.#config.clusters.slice(-1)) this.#allow(added);
  }

  /** Puts functions into a VPC, for clusters that are reached from there alone: each names it as its `network`. */
  addNetwork(props: NetworkProps): Network {
    if (this.#networks.has(props.name)) throw new Error(`there is a network ${props.name} already`);
    if (this.#networks.size === mostNetworks) {
      throw new Error(
        `network ${props.name} is one too many: an installation has room for ${mostNetworks}; have one VPC reach the clusters of several, or make another installation for the rest`,
      );
    }
    const network = new Network(this, `Network-${props.name}`, props, this.#world);
    this.#networks.set(props.name, network);
    const { runs, sweeps, questions } = network.queues;
    // Nobody else needs to know of networks: the functions outside pass on what is for a cluster inside.
    runs.queue.grant(this.#functions.reconcile.role, 'sqs:SendMessage');
    sweeps.queue.grant(this.#functions.sweep.role, 'sqs:SendMessage');
    questions?.queue.grant(this.#functions.sweep.role, 'sqs:SendMessage');
    this.#alarms.watchBacklog(network.work);
    this.#alarms.watchDeadLetters(network.work);
    for (const cluster of this.#config.clusters) {
      if (cluster.network === props.name) this.#allow(cluster);
    }
    return network;
  }

  /** Roles to be let into clusters, those of a network or those outside: one applies there, and one checks. */
  rolesFor(network?: Network): { readonly reconcile: IRole; readonly sweep: IRole } {
    const { reconcile, sweep } = network?.functions ?? this.#functions;
    return { reconcile: reconcile.role, sweep: sweep.role };
  }

  #functionsFor(network: string | undefined): TargetFunctions | undefined {
    return network === undefined ? this.#functions : this.#networks.get(network)?.functions;
  }

  #allow(cluster: ClusterConfig): void {
    // One whose network comes later is allowed then.
    const functions = this.#functionsFor(cluster.network);
    if (functions === undefined) return;
    const { clusters } = this.#config;
    const earlier = clusters.slice(0, clusters.indexOf(cluster));
    const before = earlier.filter(({ network }) => network === cluster.network);
    const { secrets } = this.#world;
    for (const to of [functions.reconcile, functions.sweep]) allowCluster(to, cluster, { secrets, before });
    if (cluster.audit !== true) return;
    this.#audit ??= this.#makeAudit();
    this.#audit.follow(cluster, functions.sweep);
  }

  /** Made for the first cluster that asks for it: the others pay nothing for the option. */
  #makeAudit(): Audit {
    const audit = new Audit(this, 'Audit', { ...this.#world, sweep: this.#functions.sweep });
    this.#alarms.watchDeadLetters(audit.work);
    return audit;
  }

  #networkQueues(): string {
    const queues = [...this.#networks.values()].map(
      ({ name, queues: { runs, later, sweeps, questions } }) => {
        const asked = questions && { questionQueue: questions };
        const urls = { runQueue: runs, laterQueue: later, sweepQueue: sweeps, ...asked };
        return [
          name,
          Object.entries(urls).map(([key, { queue }]) => [key, queue.queueUrl] as const),
        ] as const;
      },
    );
    return JSON.stringify({
      queues: Object.fromEntries(queues.map(([name, urls]) => [name, Object.fromEntries(urls)])),
    });
  }

  /** What the functions are to read; throws where something that a cluster needs is missing. */
  #finished(): StackConfig {
    for (const { name, network } of this.#config.clusters) {
      if (network !== undefined && !this.#networks.has(network)) {
        throw new Error(`cluster ${name} is in the network ${network}, and there is none: call addNetwork`);
      }
    }
    return this.#config;
  }
}

/** Clusters may be added later: where there are none yet, one stands in for them while all else is judged. */
function parseForNow(input: StackConfigInput): StackConfig {
  const { clusters = [], discovery = [] } = input;
  if (clusters.length + discovery.length > 0) return parseStackConfig(input);
  const standIn = { name: 'none-yet', access: { type: 'kubeconfig', secret: 'none-yet' } } as const;
  return { ...parseStackConfig({ ...input, clusters: [standIn] }), clusters: [] };
}
