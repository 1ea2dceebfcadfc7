import { tmpdir } from 'node:os';
import { roleSigning } from '../adapters/codecommit.ts';
import { EcrCredentials } from '../adapters/ecr-credentials.ts';
import { readEnvironment } from '../adapters/environment.ts';
import { GitHosts } from '../adapters/git-hosts.ts';
import { HttpGit } from '../adapters/git.ts';
import { log } from '../adapters/log.ts';
import { OciImages } from '../adapters/oci-images.ts';
import { S3Store } from '../adapters/s3-store.ts';
import { SecretsManagerSecrets } from '../adapters/secrets-manager.ts';
import { handleTogether, type BatchResponse } from '../adapters/sqs-batch.ts';
import { stackConfigAt } from '../adapters/stack-config.ts';
import { SystemClock } from '../adapters/system-clock.ts';
import { imageMessageSchema } from '../core/contract/events.ts';
import { pollImages } from '../core/poll-images.ts';
import { updateImages, type ImagesOutcome } from '../core/update-images.ts';

const environment = readEnvironment(['bucket', 'config']);
const loadConfig = stackConfigAt(environment.config);
const clock = new SystemClock();
const secrets = new SecretsManagerSecrets(clock);
const path = process.env['PATH'] ?? '';
const git = new HttpGit({ secrets, scratch: tmpdir(), path, clock, codeCommit: roleSigning() });
const sources = async () => (await loadConfig()).sources.images;
const registries = new OciImages({ secrets, ecr: new EcrCredentials(clock), clock, sources });
const host = new GitHosts({ secrets, clock });
const own = { store: new S3Store(environment.bucket), git, writer: git, host, registries, clock };

/** Writes pushed images into repositories, or proposes them; those that came together make one commit. */
export function handler(event: unknown): Promise<BatchResponse> {
  return handleTogether(event, imageMessageSchema, async (messages) => {
    const deps = { ...own, config: await loadConfig() };
    const images = messages.flatMap(({ image }) => (image === undefined ? [] : [image]));
    const asksPoll = messages.some(({ poll }) => poll);
    if (images.length > 0 || !asksPoll) tell(await updateImages(images, deps));
    if (!asksPoll) return;
    const { told, outcomes } = await pollImages(deps);
    log('INFO', 'registries asked for images', { outcome: told.join('; ') || 'nothing was missed' });
    tell(outcomes);
  });
}

function tell(outcomes: readonly ImagesOutcome[]): void {
  for (const { repository, sha, changes, left, faults, proposals = [] } of outcomes) {
    for (const { subject, message } of faults)
      log('WARN', 'an image is not followed', { repository, error: `${subject}: ${message}` });
    const outcome = [...proposals, ...left.map(({ policy, reason }) => `${policy}: ${reason}`)].join('; ');
    log('INFO', 'images looked at', {
      repository,
      ...(sha !== undefined && { sha }),
      count: changes.length,
      outcome,
    });
  }
}
