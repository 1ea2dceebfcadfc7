import { tmpdir } from 'node:os';
import { CloudWatchMetrics } from '../adapters/cloudwatch-metrics.ts';
import { roleSigning } from '../adapters/codecommit.ts';
import { readEnvironment } from '../adapters/environment.ts';
import { EventBridgeBus } from '../adapters/eventbridge-bus.ts';
import { HttpGit } from '../adapters/git.ts';
import { KmsSealer } from '../adapters/kms-sealer.ts';
import { log } from '../adapters/log.ts';
import { LocalRenderers } from '../adapters/renderers.ts';
import { S3Store } from '../adapters/s3-store.ts';
import { SecretsManagerSecrets } from '../adapters/secrets-manager.ts';
import { handleBatch, type BatchResponse, type MessageContext } from '../adapters/sqs-batch.ts';
import { SqsQueues } from '../adapters/sqs-queues.ts';
import { stackConfigAt } from '../adapters/stack-config.ts';
import { SystemClock, SystemIds } from '../adapters/system-clock.ts';
import { envelopeSchema, type EventDetail } from '../core/contract/events.ts';
import { produce } from '../core/produce.ts';
import { noCharts } from '../core/render/context.ts';

const environment = readEnvironment([
  'bucket',
  'bus',
  'config',
  'fleet',
  'runQueue',
  'digestKeySecret',
  'sealingKey',
]);
const loadConfig = stackConfigAt(environment.config);
const path = process.env['PATH'] ?? '';
const clock = new SystemClock();
const secrets = new SecretsManagerSecrets(clock);
const { digestKeySecret, sealingKey: keyId } = environment;
const deps = {
  store: new S3Store(environment.bucket),
  git: new HttpGit({
    secrets,
    scratch: tmpdir(),
    path,
    clock,
    codeCommit: roleSigning(),
    repositories: async () => (await loadConfig()).repositories,
  }),
  renderers: await LocalRenderers.find(path),
  charts: noCharts,
  sealer: new KmsSealer({ keyId, digestKeySecret, secrets }),
  bus: new EventBridgeBus(environment.bus),
  queues: new SqsQueues({ runQueue: environment.runQueue }, new SystemIds()),
  metrics: new CloudWatchMetrics(environment.fleet),
  clock,
};

/** Follows pushes: from a commit to snapshots and desired pointers. */
export function handler(event: unknown): Promise<BatchResponse> {
  const follow = async (
    { detail }: { readonly detail: EventDetail<'PushReceived'> },
    { receiveCount }: MessageContext,
  ) => {
    const started = clock.now();
    const outcome = await produce(detail, receiveCount, { ...deps, config: await loadConfig() });
    const { deliveryId: delivery, repository, ref } = detail;
    log('INFO', 'push followed', { delivery, repository, ref, outcome, milliseconds: clock.now() - started });
  };
  // Faults of a commit are recorded by produce: what escapes it (S3 refuses) must not lose the push.
  return handleBatch(event, envelopeSchema('PushReceived'), follow, 'fail');
}
