import { tmpdir } from 'node:os';
import { ChartRegistry } from '../adapters/chart-registry.ts';
import { CloudWatchMetrics } from '../adapters/cloudwatch-metrics.ts';
import { roleSigning } from '../adapters/codecommit.ts';
import { EcrCredentials } from '../adapters/ecr-credentials.ts';
import { readEnvironment } from '../adapters/environment.ts';
import { EventBridgeBus } from '../adapters/eventbridge-bus.ts';
import { buildOf } from '../adapters/own-build.ts';
import { GitHosts } from '../adapters/git-hosts.ts';
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
import { rollBackFailed } from '../core/auto-rollback.ts';
import {
  envelopeSchema,
  pollRequestSchema,
  type EventDetail,
  type PollRequest,
} from '../core/contract/events.ts';
import { plantCanary } from '../core/canary.ts';
import { pollCharts } from '../core/poll-charts.ts';
import { poll } from '../core/poll.ts';
import { followPullEvent, isPullRef, pollPulls, remakeEnvironments } from '../core/preview-environments.ts';
import { produce } from '../core/produce.ts';
import { PromotedGit } from '../core/promoted-git.ts';

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
const store = new S3Store(environment.bucket);
const deps = {
  build: await buildOf(import.meta.filename),
  store,
  git: new PromotedGit(
    new Sources({
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
    store,
  ),
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
  host: new GitHosts({ secrets, clock }),
};

const messageSchema = z.union([
  envelopeSchema('PushReceived'),
  envelopeSchema('RevisionFailed'),
  envelopeSchema('PullRequestChanged'),
  pollRequestSchema,
]);

/** Follows pushes: from a commit to snapshots and desired pointers. Polls here too, since git is only here. */
export function handler(event: unknown): Promise<BatchResponse> {
  // Faults of a commit are recorded by produce: what escapes it (S3 refuses) must not lose the push.
  return handleBatch(
    event,
    messageSchema,
    async (message, context) => {
      if ('poll' in message) return look(message);
      if (message['detail-type'] === 'RevisionFailed') return rollBack(message.detail);
      if (message['detail-type'] === 'PullRequestChanged') return followPull(message.detail, context);
      return follow(message.detail, context);
    },
    'fail',
  );
}

async function follow(push: EventDetail<'PushReceived'>, { receiveCount }: MessageContext): Promise<void> {
  const started = clock.now();
  const now = { ...deps, config: await loadConfig() };
  const { deliveryId: delivery, repository, ref } = push;
  const outcome = isPullRef(ref)
    ? await remakeEnvironments(push, now)
    : await produce(push, receiveCount, now);
  const trace = push.trace?.id;
  log('INFO', 'push followed', {
    delivery,
    repository,
    ref,
    outcome,
    trace,
    milliseconds: clock.now() - started,
  });
  const isRun = now.config.repositories.some(({ name, environments }) => name === repository && environments);
  if (isRun && !isPullRef(ref)) await lookAtPulls([repository], now);
}

async function followPull(
  event: EventDetail<'PullRequestChanged'>,
  { receiveCount }: MessageContext,
): Promise<void> {
  const started = clock.now();
  const outcome = await followPullEvent(event, receiveCount, { ...deps, config: await loadConfig() });
  const { deliveryId: delivery, repository, id: pullRequest, trace } = event;
  const milliseconds = clock.now() - started;
  log('INFO', 'pull request followed', {
    delivery,
    repository,
    pullRequest,
    outcome,
    trace: trace?.id,
    milliseconds,
  });
}

async function lookAtPulls(names: readonly string[], now: Parameters<typeof pollPulls>[1]): Promise<void> {
  const started = clock.now();
  for (const { repository, outcome } of await pollPulls(names, now)) {
    const milliseconds = clock.now() - started;
    log('INFO', 'pull requests polled', { repository, outcome, milliseconds });
  }
}

async function rollBack(failed: EventDetail<'RevisionFailed'>): Promise<void> {
  const { cluster, application } = failed.target;
  const outcome = await rollBackFailed(failed, deps);
  log('WARN', 'a revision failed', { cluster, application, outcome, trace: failed.trace?.id });
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
  await lookAtPulls(request.repositories, now);
}
