import { Duration } from 'aws-cdk-lib/core';
import { FunctionUrlAuthType } from 'aws-cdk-lib/aws-lambda';
import { Construct } from 'constructs';
import { allowFound, allowListing } from './cluster-rights.ts';
import type { Queues } from './queues.ts';
import { codeWithGit, type GitPackaging } from './function-code.ts';
import { allowCodeCommit, allowSources } from './source-rights.ts';
import { targetFunctions, type TargetWorld } from './target-functions.ts';
import { workTimeout } from './target-queues.ts';
import { TrueUpFunction } from './trueup-function.ts';

export interface FunctionsProps extends TargetWorld, GitPackaging {
  readonly queues: Queues;
  /** Queues of each network, as the variable `networks` has them: JSON, known at synthesis. */
  readonly networks: string;
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
    const { reconcile, sweep } = targetFunctions(this, props);
    this.reconcile = reconcile;
    this.sweep = sweep;
    for (const to of [reconcile, sweep]) allowFound(to, props.config);
    allowListing(sweep, props.config);
    this.intake = this.#intake();
  }

  get all(): readonly TrueUpFunction[] {
    return [this.webhook, this.snapshot, this.reconcile, this.sweep, this.intake];
  }

  #webhook(): TrueUpFunction {
    const { code, configAsset, storage, bus, secrets, hookConcurrency } = this.#props;
    const to = new TrueUpFunction(this, 'Webhook', {
      description: 'Verifies webhooks and puts pushes on the bus',
      code: code('webhook'),
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
    const isPromotedTo = config.repositories.some(({ promotion }) => promotion !== undefined);
    const to = new TrueUpFunction(this, 'Snapshot', {
      description: 'Fetches a commit, renders it and moves the desired pointers',
      code: codeWithGit(this, 'snapshot', this.#props),
      timeout: workTimeout,
      memoryMiB: 2048,
      scratchMiB: 2048,
    });
    configAsset.grant(to);
    secrets.grantRepositories(to);
    allowCodeCommit(to, config.repositories, ['codecommit:GitPull']);
    secrets.grantChartSources(to);
    allowSources(to, config);
    secrets.grantDigestKey(to);
    storage.grant(to, {
      read: ['inventory', 'facts', 'clusters', ...(isPromotedTo ? (['promoted'] as const) : [])],
      write: ['deliveries', 'repositories', 'snapshots', 'desired', 'renders', 'asked'],
    });
    storage.grantSeal(to);
    storage.grantUnsealLookups(to);
    bus.grantPublish(to);
    queues.pushes.feed(to, config.concurrency.pushes);
    queues.runs.grantSend(to, 'runQueue');
    to.allowMetrics(config.fleet);
    return to;
  }

  #intake(): TrueUpFunction {
    const { code, configAsset, storage, bus, queues, secrets } = this.#props;
    const to = new TrueUpFunction(this, 'Intake', {
      description: 'Takes what comes without a webhook, and asks what was missed',
      code: code('intake'),
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
}
