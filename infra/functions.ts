import { ArnFormat, Duration, Stack } from 'aws-cdk-lib/core';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { Architecture, FunctionUrlAuthType } from 'aws-cdk-lib/aws-lambda';
import { Construct } from 'constructs';
import type { StackConfig } from '../core/contract/config.ts';
import { codeCommitOf } from '../core/contract/repository.ts';
import { bundleOf } from './bundle.ts';
import type { FunctionName } from './bundle.ts';
import type { ConfigAsset } from './config-asset.ts';
import type { EventBus } from './event-bus.ts';
import { workTimeout } from './queues.ts';
import type { Queues } from './queues.ts';
import type { Secrets } from './secrets.ts';
import { snapshotImage } from './snapshot-image.ts';
import { allowSources } from './source-rights.ts';
import type { Storage } from './storage.ts';
import { TrueUpFunction } from './trueup-function.ts';
import type { FunctionCode } from './trueup-function.ts';

export interface FunctionsProps {
  readonly config: StackConfig;
  readonly configAsset: ConfigAsset;
  readonly storage: Storage;
  readonly bus: EventBus;
  readonly queues: Queues;
  readonly secrets: Secrets;
  readonly bundles: string;
  readonly snapshotPackaging: 'image' | 'zip';
  readonly hookConcurrency: number | undefined;
}

/** The Lambda functions: what each is given, and nothing else. */
export class Functions extends Construct {
  readonly webhook: TrueUpFunction;
  readonly snapshot: TrueUpFunction;
  readonly reconcile: TrueUpFunction;
  readonly sweep: TrueUpFunction;
  readonly intake: TrueUpFunction;
  /** Ends with a slash; the hook of a provider is at `hooks/<provider>` below it. */
  readonly hookUrl: string;
  readonly #props: FunctionsProps;

  constructor(scope: Construct, id: string, props: FunctionsProps) {
    super(scope, id);
    this.#props = props;
    this.webhook = this.#webhook();
    // Open to the internet: the signature over the body is the authentication, which no IAM identity could be.
    this.hookUrl = this.webhook.function.addFunctionUrl({ authType: FunctionUrlAuthType.NONE }).url;
    this.snapshot = this.#snapshot();
    this.reconcile = this.#reconcile();
    this.sweep = this.#sweep();
    this.intake = this.#intake();
  }

  get all(): readonly TrueUpFunction[] {
    return [this.webhook, this.snapshot, this.reconcile, this.sweep, this.intake];
  }

  #webhook(): TrueUpFunction {
    const { configAsset, storage, bus, secrets, hookConcurrency } = this.#props;
    const to = new TrueUpFunction(this, 'Webhook', {
      description: 'Verifies webhooks and puts pushes on the bus',
      code: this.#zip('webhook'),
      // GitHub gives up after 10 s.
      timeout: Duration.seconds(9),
      memoryMiB: 512,
      reservedConcurrency: hookConcurrency,
    });
    configAsset.grant(to);
    secrets.grantHooks(to);
    // Open to the internet, so it may not read what others sent.
    storage.grant(to, { write: ['deliveries'], add: ['bodies'] });
    bus.grantPublish(to);
    return to;
  }

  #snapshot(): TrueUpFunction {
    const { config, configAsset, storage, bus, queues, secrets } = this.#props;
    const to = new TrueUpFunction(this, 'Snapshot', {
      description: 'Fetches a commit, renders it and moves the desired pointers',
      code: this.#snapshotCode(),
      timeout: workTimeout,
      memoryMiB: 2048,
      scratchMiB: 2048,
    });
    configAsset.grant(to);
    secrets.grantRepositories(to);
    this.#allowCodeCommit(to);
    secrets.grantChartSources(to);
    allowSources(to, config);
    secrets.grantDigestKey(to);
    storage.grant(to, {
      read: ['inventory', 'facts'],
      write: ['deliveries', 'repositories', 'snapshots', 'desired', 'renders', 'asked'],
    });
    storage.grantSeal(to);
    storage.grantUnsealLookups(to);
    bus.grantPublish(to);
    queues.pushes.feed(to, 5);
    queues.runs.grantSend(to, 'runQueue');
    to.allowMetrics(config.fleet);
    return to;
  }

  #reconcile(): TrueUpFunction {
    const { config, configAsset, storage, bus, queues, secrets } = this.#props;
    const to = new TrueUpFunction(this, 'Reconcile', {
      description: 'Makes a target match its snapshot',
      code: this.#zip('reconcile'),
      timeout: workTimeout,
      memoryMiB: 1024,
    });
    configAsset.grant(to);
    secrets.grantDigestKey(to);
    storage.grant(to, {
      read: ['desired', 'snapshots', 'repositories', 'checks'],
      write: ['inventory', 'leases', 'runs', 'drift', 'openDrift', 'heals'],
      delete: ['openDrift', 'heals'],
    });
    storage.grantUnseal(to);
    secrets.grantSops(to);
    secrets.grantReferences(to);
    bus.grantPublish(to);
    queues.runs.feed(to, 20);
    queues.later.feed(to, 10);
    queues.runs.grantSend(to, 'runQueue');
    queues.later.grantSend(to, 'laterQueue');
    to.allowMetrics(config.fleet);
    this.#allowClusters(to);
    return to;
  }

  #sweep(): TrueUpFunction {
    const { config, configAsset, storage, bus, queues, secrets } = this.#props;
    const to = new TrueUpFunction(this, 'Sweep', {
      description: 'Checks every target for drift and health',
      code: this.#zip('sweep'),
      timeout: workTimeout,
      memoryMiB: 1024,
    });
    configAsset.grant(to);
    secrets.grantDigestKey(to);
    storage.grant(to, {
      read: ['desired', 'snapshots', 'inventory', 'leases', 'asked'],
      write: ['drift', 'openDrift', 'heals', 'checks', 'memory', 'facts'],
      delete: ['openDrift', 'heals', 'facts'],
    });
    storage.grantSeal(to);
    storage.grantUnseal(to);
    secrets.grantSops(to);
    secrets.grantReferences(to);
    bus.grantPublish(to);
    queues.sweeps.feed(to, 10);
    queues.sweeps.grantSend(to, 'sweepQueue');
    queues.later.grantSend(to, 'laterQueue');
    to.allowMetrics(config.fleet);
    this.#allowClusters(to);
    return to;
  }

  #intake(): TrueUpFunction {
    const { configAsset, storage, bus, queues, secrets } = this.#props;
    const to = new TrueUpFunction(this, 'Intake', {
      description: 'Takes what comes without a webhook, and asks what was missed',
      code: this.#zip('intake'),
      timeout: Duration.seconds(30),
      memoryMiB: 512,
    });
    configAsset.grant(to);
    storage.grant(to, { write: ['deliveries'] });
    bus.grantPublish(to);
    secrets.grantRedelivery(to);
    queues.intake.feed(to, 5);
    queues.pushes.grantSend(to, 'pushQueue');
    return to;
  }

  /** Arm costs a fifth less; the bundles hold no native code. */
  #zip(name: FunctionName): FunctionCode {
    return { kind: 'zip', folder: bundleOf(this.#props.bundles, name), architecture: Architecture.ARM_64 };
  }

  // As an image for AWS; as a zip with the machine's own git and kubectl for a local deployment. kubectl and Helm of
  // the image are built for x86_64, and the architecture is the same in both so that they differ in code alone.
  #snapshotCode(): FunctionCode {
    const folder = bundleOf(this.#props.bundles, 'snapshot');
    const architecture = Architecture.X86_64;
    return this.#props.snapshotPackaging === 'zip'
      ? { kind: 'zip', folder, architecture }
      : { kind: 'image', image: snapshotImage(this, folder), architecture };
  }

  /** To fetch from the repositories of this account that are configured, and nothing else of CodeCommit. */
  #allowCodeCommit(to: TrueUpFunction): void {
    const places = this.#props.config.repositories.map(({ url }) => codeCommitOf(url));
    const arns = places.flatMap((place) =>
      place === undefined
        ? []
        : [
            Stack.of(this).formatArn({
              service: 'codecommit',
              region: place.region,
              resource: place.name,
              arnFormat: ArnFormat.NO_RESOURCE_NAME,
            }),
          ],
    );
    if (arns.length === 0) return;
    to.allow(new PolicyStatement({ actions: ['codecommit:GitPull'], resources: [...new Set(arns)] }));
  }

  /** What it takes to find and enter the configured clusters; what may be done there, each cluster says itself. */
  #allowClusters(to: TrueUpFunction): void {
    const { config, secrets } = this.#props;
    secrets.grantKubeconfigs(to);
    const clusters = config.clusters.flatMap(({ access }) =>
      access.type === 'eks' ? [this.#clusterArn(access)] : [],
    );
    if (clusters.length === 0) return;
    to.allow(new PolicyStatement({ actions: ['eks:DescribeCluster'], resources: [...new Set(clusters)] }));
  }

  #clusterArn({ name, region }: { name: string; region?: string | undefined }): string {
    const where = region === undefined ? {} : { region };
    return Stack.of(this).formatArn({ service: 'eks', resource: 'cluster', resourceName: name, ...where });
  }
}
