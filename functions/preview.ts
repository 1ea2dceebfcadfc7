import { tmpdir } from 'node:os';
import { ChartRegistry } from '../adapters/chart-registry.ts';
import { roleSigning } from '../adapters/codecommit.ts';
import { EcrCredentials } from '../adapters/ecr-credentials.ts';
import { readEnvironment } from '../adapters/environment.ts';
import { GitHosts } from '../adapters/git-hosts.ts';
import { HttpGit } from '../adapters/git.ts';
import { KmsSealer } from '../adapters/kms-sealer.ts';
import { readKubernetesSchemas } from '../adapters/kubernetes-schemas.ts';
import { log } from '../adapters/log.ts';
import { OciArtifacts } from '../adapters/oci-artifacts.ts';
import { buildOf } from '../adapters/own-build.ts';
import { LocalRenderers } from '../adapters/renderers.ts';
import { S3Objects } from '../adapters/s3-objects.ts';
import { S3Store } from '../adapters/s3-store.ts';
import { SecretsManagerSecrets } from '../adapters/secrets-manager.ts';
import { Sources } from '../adapters/sources.ts';
import { handleBatch, type BatchResponse, type MessageContext } from '../adapters/sqs-batch.ts';
import { SqsQueues } from '../adapters/sqs-queues.ts';
import { stackConfigAt } from '../adapters/stack-config.ts';
import type { Invocation } from '../adapters/target-ports.ts';
import { SystemClock, SystemIds } from '../adapters/system-clock.ts';
import { previewMessageSchema, type PreviewMessage } from '../core/contract/events.ts';
import { previewAttempts } from '../core/contract/preview.ts';
import { pollPulls } from '../core/poll-pulls.ts';
import { previewPull } from '../core/preview-pull.ts';

const names = ['bucket', 'config', 'digestKeySecret', 'sealingKey', 'questionQueue', 'previewQueue'] as const;
const { bucket, digestKeySecret, sealingKey, ...environment } = readEnvironment(names);
const loadConfig = stackConfigAt(environment.config);
const path = process.env['PATH'] ?? '';
const clock = new SystemClock();
const secrets = new SecretsManagerSecrets(clock);
const ecr = new EcrCredentials(clock);
const codeCommit = roleSigning();
const repositories = async () => (await loadConfig()).repositories;
const git = new HttpGit({ secrets, scratch: tmpdir(), path, clock, codeCommit, repositories });
const sources = async () => (await loadConfig()).sources.charts;
const deps = {
  build: await buildOf(import.meta.filename),
  store: new S3Store(bucket),
  git: new Sources({ git, oci: new OciArtifacts({ secrets, ecr }), s3: new S3Objects() }),
  history: git,
  host: new GitHosts({ secrets, clock }),
  renderers: await LocalRenderers.find(path),
  charts: new ChartRegistry({ secrets, ecr, clock, sources }),
  sealer: new KmsSealer({ keyId: sealingKey, digestKeySecret, secrets }),
  queues: new SqsQueues(environment, new SystemIds()),
  schemas: readKubernetesSchemas,
  clock,
};

/** Says to pull requests what they would change. Reads what strangers wrote, and reaches no cluster. */
export function handler(event: unknown, invocation: Invocation): Promise<BatchResponse> {
  const deadline = clock.now() + invocation.getRemainingTimeInMillis();
  const handle = async (message: PreviewMessage, { receiveCount }: MessageContext): Promise<void> => {
    const started = clock.now();
    if (message.kind === 'poll') {
      const outcome = await pollPulls({ ...deps, config: await loadConfig() });
      return log('INFO', 'pull requests polled', { outcome, milliseconds: clock.now() - started });
    }
    const isLast = receiveCount >= previewAttempts;
    const outcome = await previewPull(message, { ...deps, config: await loadConfig(), deadline }, { isLast });
    const { kind, repository, id } = message;
    const milliseconds = clock.now() - started;
    log('INFO', `preview ${kind}`, { repository, pullRequest: id, outcome, milliseconds });
  };
  // A host that refuses us is ours to mend: it must not look like a pull request without a preview.
  return handleBatch(event, previewMessageSchema, handle, 'fail');
}
