import { CloudWatchMetrics } from '../adapters/cloudwatch-metrics.ts';
import { ConfiguredClusters } from '../adapters/clusters.ts';
import { readEnvironment } from '../adapters/environment.ts';
import { EventBridgeBus } from '../adapters/eventbridge-bus.ts';
import { KmsSealer } from '../adapters/kms-sealer.ts';
import { log } from '../adapters/log.ts';
import { S3Store } from '../adapters/s3-store.ts';
import { SecretsManagerSecrets } from '../adapters/secrets-manager.ts';
import { handleBatch, type BatchResponse } from '../adapters/sqs-batch.ts';
import { SqsQueues } from '../adapters/sqs-queues.ts';
import { stackConfigAt } from '../adapters/stack-config.ts';
import { SystemClock, SystemIds } from '../adapters/system-clock.ts';
import { sweepRequestSchema } from '../core/contract/events.ts';
import { sweepCluster, sweepFleet } from '../core/sweep.ts';

const environment = readEnvironment([
  'bucket',
  'bus',
  'config',
  'fleet',
  'laterQueue',
  'sweepQueue',
  'digestKeySecret',
  'sealingKey',
]);
const { bucket, bus, fleet, laterQueue, sweepQueue, digestKeySecret, sealingKey: keyId } = environment;
const config = await stackConfigAt(environment.config)();
const clock = new SystemClock();
const ids = new SystemIds();
const secrets = new SecretsManagerSecrets(clock);
const deps = {
  store: new S3Store(bucket),
  bus: new EventBridgeBus(bus),
  queues: new SqsQueues({ laterQueue, sweepQueue }, ids),
  metrics: new CloudWatchMetrics(fleet),
  sealer: new KmsSealer({ keyId, digestKeySecret, secrets }),
  clusters: new ConfiguredClusters(config.clusters, secrets, clock),
  clock,
  ids,
  config,
};

/** What a Lambda invocation knows of its own end. */
interface Invocation {
  getRemainingTimeInMillis(): number;
}

/** Checks clusters for drift and health: the schedule asks for the fleet, which becomes a message per cluster. */
export function handler(event: unknown, invocation: Invocation): Promise<BatchResponse> {
  const deadline = clock.now() + invocation.getRemainingTimeInMillis();
  return handleBatch(event, sweepRequestSchema, async (request) => {
    const started = clock.now();
    if (request.scope === 'fleet') return sweepFleet(deps, request.requestedBy);
    const { cluster } = request;
    const { targets, unreachable } = await sweepCluster(request, { ...deps, deadline });
    const count = Object.keys(targets).length;
    const milliseconds = clock.now() - started;
    log('INFO', 'cluster swept', { cluster, count, outcome: unreachable ?? 'checked', milliseconds });
  });
}
