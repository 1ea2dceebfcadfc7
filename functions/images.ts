import { tmpdir } from 'node:os';
import { roleSigning } from '../adapters/codecommit.ts';
import { readEnvironment } from '../adapters/environment.ts';
import { HttpGit } from '../adapters/git.ts';
import { log } from '../adapters/log.ts';
import { S3Store } from '../adapters/s3-store.ts';
import { SecretsManagerSecrets } from '../adapters/secrets-manager.ts';
import { handleTogether, type BatchResponse } from '../adapters/sqs-batch.ts';
import { stackConfigAt } from '../adapters/stack-config.ts';
import { SystemClock } from '../adapters/system-clock.ts';
import { envelopeSchema } from '../core/contract/events.ts';
import { updateImages } from '../core/update-images.ts';

const environment = readEnvironment(['bucket', 'config']);
const loadConfig = stackConfigAt(environment.config);
const clock = new SystemClock();
const secrets = new SecretsManagerSecrets(clock);
const path = process.env['PATH'] ?? '';
const git = new HttpGit({ secrets, scratch: tmpdir(), path, clock, codeCommit: roleSigning() });
const store = new S3Store(environment.bucket);

/** Writes pushed images into repositories; those that came together make one commit. */
export function handler(event: unknown): Promise<BatchResponse> {
  return handleTogether(event, envelopeSchema('ImagePushed'), async (messages) => {
    const started = clock.now();
    const images = messages.map(({ detail }) => detail);
    const deps = { store, git, writer: git, clock, config: await loadConfig() };
    for (const { repository, sha, changes, left, faults } of await updateImages(images, deps)) {
      for (const { subject, message } of faults)
        log('WARN', 'an image is not followed', { repository, error: `${subject}: ${message}` });
      const outcome = left.map(({ policy, reason }) => `${policy}: ${reason}`).join('; ');
      const written = { ...(sha !== undefined && { sha }), count: changes.length, outcome };
      log('INFO', 'images looked at', { repository, ...written, milliseconds: clock.now() - started });
    }
  });
}
