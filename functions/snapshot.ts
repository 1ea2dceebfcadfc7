import { tmpdir } from 'node:os';
import { ChartRegistry } from '../adapters/chart-registry.ts';
import { CloudWatchMetrics } from '../adapters/cloudwatch-metrics.ts';
import { roleSigning } from '../adapters/codecommit.ts';
import { EcrCredentials } from '../adapters/ecr-credentials.ts';
import { readEnvironment } from '../adapters/environment.ts';
import { EventBridgeBus } from '../adapters/eventbridge-bus.ts';
import { buildOf } from '../adapters/own-build.ts';
import { HttpGit } from '../adapters/git.ts';
import { KmsSealer } from '../adapters/kms-sealer.ts';
import { log } from '../adapters/log.ts';
import { OciArtifacts } from '../adapters/oci-artifacts.ts';
import { LocalRenderers } from '../adapters/renderers.ts';
import { S3Objects } from '../adapters/s3-objects.ts';
import { S3Store } from '../adapters/s3-store.ts';
import { SecretsManagerSecrets } from '../adapters/secrets-manager.ts';
import { Sources } from '../adapters/sources.ts';
import { handleBatch, type BatchResponse, type MessageContext } from '../adapters/sqs-batch.ts';
import { SqsQueues } from '../adapters/sqs-queues.ts';
import { stackConfigAt } from '../adapters/stack-config.ts';
import { SystemClock, SystemIds } from '../adapters/system-clock.ts';
import * as z from 'zod';
import {
  envelopeSchema,
  pollRequestSchema,
  type EventDetail,
  type PollRequest,
} from '../core/contract/events.ts';
import { plantCanary } from '../core/canary.ts';
import { pollCharts } from '../core/poll-charts.ts';
import { poll } from '../core/poll.ts';
import { produce } from '../core/produce.ts';

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
const { runsPerCluster } = (await loadConfig()).concurrency;
const path = process.env['PATH'] ?? '';
const clock = new SystemClock();
const secrets = new SecretsManagerSecrets(clock);
const ecr = new EcrCredentials(clock);
const { digestKeySecret, sealingKey: keyId } = environment;
const deps = {
  build: await buildOf(import.meta.filename),
  store: new S3Store(environment.bucket),
  git: new Sources({
    git: new HttpGit({
      secrets,
      scratch: tmpdir(),
      path,
      clock,
      codeCommit: roleSigning(),
      repositories: async () => (await loadConfig()).repositories,
    }),
    oci: new OciArtifacts({ secrets, ecr }),
    s3: new S3Objects(),
  }),
  renderers: await LocalRenderers.find(path),
  charts: new ChartRegistry({
    secrets,
    ecr,
    clock,
    sources: async () => (await loadConfig()).sources.charts,
  }),
  sealer: new KmsSealer({ keyId, digestKeySecret, secrets }),
  bus: new EventBridgeBus(environment.bus),
  queues: new SqsQueues({ runQueue: environment.runQueue }, new SystemIds(), { runsPerCluster }),
  metrics: new CloudWatchMetrics(environment.fleet),
  clock,
};

const messageSchema = z.union([envelopeSchema('PushReceived'), pollRequestSchema]);

/** Follows pushes: from a commit to snapshots and desired pointers. Polls here too, since git is only here. */
export function handler(event: unknown): Promise<BatchResponse> {
  // Faults of a commit are recorded by produce: what escapes it (S3 refuses) must not lose the push.
  return handleBatch(
    event,
    messageSchema,
    async (message, context) => ('poll' in message ? look(message) : follow(message.detail, context)),
    'fail',
  );
}

async function follow(push: EventDetail<'PushReceived'>, { receiveCount }: MessageContext): Promise<void> {
  const started = clock.now();
  const outcome = await produce(push, receiveCount, { ...deps, config: await loadConfig() });
  const { deliveryId: delivery, repository, ref } = push;
  const trace = push.trace?.id;
  log('INFO', 'push followed', {
    delivery,
    repository,
    ref,
    outcome,
    trace,
    milliseconds: clock.now() - started,
  });
}

async function look(request: PollRequest): Promise<void> {
  // The fleet is the intake function's to divide.
  if (request.poll === 'fleet') return;
  const started = clock.now();
  const now = { ...deps, config: await loadConfig() };
  if (request.poll === 'charts') {
    return log('INFO', 'charts polled', {
      outcome: await pollCharts(now),
      milliseconds: clock.now() - started,
    });
  }
  if (request.poll === 'canary') {
    return log('INFO', 'canary planted', { outcome: await plantCanary(now) });
  }
  const outcome = await poll(request.repositories, now);
  const repository = request.repositories.join(', ');
  log('INFO', 'remote polled', { repository, outcome, milliseconds: clock.now() - started });
}
