import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { Construct } from 'constructs';
import type { Concurrency } from '../core/contract/concurrency.ts';
import type { StackConfig } from '../core/contract/config.ts';
import type { FunctionName } from './bundle.ts';
import type { ConfigAsset } from './config-asset.ts';
import type { EventBus } from './event-bus.ts';
import type { Secrets } from './secrets.ts';
import type { Storage } from './storage.ts';
import { workTimeout, type TargetQueues } from './target-queues.ts';
import { TrueUpFunction } from './trueup-function.ts';
import type { FunctionCode, VpcPlace } from './trueup-function.ts';

/** Clusters that are asked for pull requests at once: the fewest that SQS takes. */
const questionsAtOnce = 2;

/** What every function that works on targets is given. */
export interface TargetWorld {
  readonly config: StackConfig;
  readonly configAsset: ConfigAsset;
  readonly storage: Storage;
  readonly bus: EventBus;
  readonly secrets: Secrets;
  /** Of each function that is no image. */
  readonly code: (name: FunctionName) => FunctionCode;
}

export interface TargetFunctionsProps extends TargetWorld {
  readonly queues: TargetQueues;
  /** Of the variable `networks`: JSON. */
  readonly networks: string;
  readonly vpc?: VpcPlace;
}

/** The two functions that reach clusters: outside a VPC once, and once in each network. */
export interface TargetFunctions {
  readonly reconcile: TrueUpFunction;
  readonly sweep: TrueUpFunction;
}

/** Makes them right below `scope`. Which clusters they may enter is granted cluster by cluster. */
export function targetFunctions(scope: Construct, props: TargetFunctionsProps): TargetFunctions {
  return { reconcile: reconcileFunction(scope, props), sweep: sweepFunction(scope, props) };
}

function reconcileFunction(scope: Construct, props: TargetFunctionsProps): TrueUpFunction {
  const { storage, queues } = props;
  const to = makeFunction(scope, 'Reconcile', props, 'Makes a target match its snapshot');
  storage.grant(to, {
    read: ['desired', 'snapshots', 'repositories', 'checks', 'holds', 'clusters'],
    write: ['inventory', 'leases', 'runs', 'drift', 'openDrift', 'heals'],
    delete: ['openDrift', 'heals'],
  });
  storage.grantUnseal(to);
  // Alarms that rollouts go by are named in Git; composite ones are told to nobody who may not see all.
  to.allow(new PolicyStatement({ actions: ['cloudwatch:DescribeAlarms'], resources: ['*'] }));
  const { runs, later } = concurrencyOf(props);
  queues.runs.feed(to, runs);
  queues.later.feed(to, later);
  queues.runs.grantSend(to, 'runQueue');
  queues.later.grantSend(to, 'laterQueue');
  return to;
}

function sweepFunction(scope: Construct, props: TargetFunctionsProps): TrueUpFunction {
  const { storage, queues } = props;
  const to = makeFunction(scope, 'Sweep', props, 'Checks every target for drift and health');
  storage.grant(to, {
    // Repositories: those that were ever rendered are looked at again when clusters came or changed.
    read: ['desired', 'snapshots', 'inventory', 'leases', 'asked', 'holds', 'repositories'],
    write: ['drift', 'openDrift', 'heals', 'checks', 'memory', 'facts', 'clusters'],
    delete: ['openDrift', 'heals', 'facts'],
  });
  // It alone asks clusters for previews of pull requests, by dry runs.
  if (queues.questions !== undefined) {
    storage.grant(to, { write: ['previews'] });
    queues.questions.feed(to, questionsAtOnce);
  }
  storage.grantSeal(to);
  storage.grantUnseal(to);
  queues.sweeps.feed(to, concurrencyOf(props).sweeps);
  queues.sweeps.grantSend(to, 'sweepQueue');
  queues.later.grantSend(to, 'laterQueue');
  return to;
}

function concurrencyOf({ config }: TargetFunctionsProps): Concurrency {
  return config.concurrency;
}

/** What both have in common. */
function makeFunction(
  scope: Construct,
  id: 'Reconcile' | 'Sweep',
  { config, configAsset, bus, secrets, code, networks, vpc }: TargetFunctionsProps,
  description: string,
): TrueUpFunction {
  const to = new TrueUpFunction(scope, id, {
    description,
    code: code(id === 'Reconcile' ? 'reconcile' : 'sweep'),
    timeout: workTimeout,
    memoryMiB: 1024,
    vpc,
    asksItself: true,
  });
  configAsset.grant(to);
  secrets.grantDigestKey(to);
  secrets.grantSops(to);
  secrets.grantReferences(to);
  bus.grantPublish(to);
  to.allowMetrics(config.fleet);
  to.set('networks', networks);
  return to;
}
