import { whyNotRead } from '../core/contract/reserved-secrets.ts';
import { AssumedRoles } from './assumed-roles.ts';
import { CloudWatchMetrics } from './cloudwatch-metrics.ts';
import { ConfiguredClusters } from './clusters.ts';
import { CountedStore } from './counted-store.ts';
import { EksFinder } from './eks-finder.ts';
import type { Environment } from './environment.ts';
import { EventBridgeBus } from './eventbridge-bus.ts';
import { KmsSealer } from './kms-sealer.ts';
import { Networks } from './networks.ts';
import { S3Store } from './s3-store.ts';
import { ReferencedValuesOnDemand } from './referenced-values-on-demand.ts';
import { SecretsManagerSecrets } from './secrets-manager.ts';
import { SopsOnDemand } from './sops-on-demand.ts';
import { SqsQueues, type QueueUrls } from './sqs-queues.ts';
import { stackConfigAt } from './stack-config.ts';
import { SystemClock, SystemIds } from './system-clock.ts';

/** Variables of every function that works on targets. */
export const targetVariables = [
  'bucket',
  'bus',
  'config',
  'fleet',
  'digestKeySecret',
  'sealingKey',
  'networks',
] as const;

/** The world of a function that works on targets, made once at cold start; `queues` are those it may send to. */
export async function targetPorts(
  environment: Pick<Environment, (typeof targetVariables)[number]>,
  queues: QueueUrls,
) {
  const { bucket, bus, fleet, digestKeySecret, sealingKey: keyId } = environment;
  const config = await stackConfigAt(environment.config)();
  const { ageSecret, kmsKeys } = config.sops;
  const { runsPerCluster } = config.concurrency;
  const clock = new SystemClock();
  const ids = new SystemIds();
  const secrets = new SecretsManagerSecrets(clock);
  const roles = new AssumedRoles(fleet, clock);
  return {
    store: new CountedStore(new S3Store(bucket, undefined, '', config.recordLock)),
    bus: new EventBridgeBus(bus),
    queues: new SqsQueues(queues, ids, { runsPerCluster }),
    networks: new Networks(environment.networks, config.clusters, ids, { runsPerCluster }),
    metrics: new CloudWatchMetrics(fleet),
    sealer: new KmsSealer({ keyId, digestKeySecret, secrets }),
    sops: new SopsOnDemand({
      age: async () => (ageSecret === undefined ? undefined : (await secrets.get(ageSecret)).current),
      kms: kmsKeys,
      remedy: 'allow its key under `sops` in the stack configuration',
    }),
    references: new ReferencedValuesOnDemand((place) => whyNotRead(place, config)),
    clustersOf: (served: ConstructorParameters<typeof ConfiguredClusters>[0]) =>
      new ConfiguredClusters(served, secrets, clock, roles),
    finder: new EksFinder(roles),
    clock,
    ids,
    config,
  };
}

/** What a Lambda invocation knows of its own end. */
export interface Invocation {
  getRemainingTimeInMillis(): number;
}
