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
import { runRequestSchema } from '../core/model/run.ts';
import { reconcile } from '../core/reconcile.ts';

const environment = readEnvironment([
  'bucket',
  'bus',
  'config',
  'fleet',
  'runQueue',
  'laterQueue',
  'digestKeySecret',
  'sealingKey',
]);
const { bucket, bus, fleet, runQueue, laterQueue, digestKeySecret, sealingKey: keyId } = environment;
const config = await stackConfigAt(environment.config)();
const clock = new SystemClock();
const ids = new SystemIds();
const secrets = new SecretsManagerSecrets(clock);
const deps = {
  store: new S3Store(bucket),
  bus: new EventBridgeBus(bus),
  queues: new SqsQueues({ runQueue, laterQueue }, ids),
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

/** Makes a target match its snapshot. Reads the FIFO queue of runs and the standard queue of later looks alike. */
export function handler(event: unknown, invocation: Invocation): Promise<BatchResponse> {
  const deadline = clock.now() + invocation.getRemainingTimeInMillis();
  return handleBatch(event, runRequestSchema, async (request) => {
    const started = clock.now();
    const result = await reconcile(request, { ...deps, deadline });
    const outcome = result.kind === 'ran' ? (result.record.outcome?.kind ?? 'unfinished') : result.why;
    const { cluster, application } = request.target;
    const { reason } = request;
    const milliseconds = clock.now() - started;
    log('INFO', `run ${result.kind}`, { cluster, application, reason, outcome, milliseconds });
  });
}
