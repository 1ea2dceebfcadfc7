import { tmpdir } from 'node:os';
import { roleSigning } from '../adapters/codecommit.ts';
import { readEnvironment } from '../adapters/environment.ts';
import { GitHosts } from '../adapters/git-hosts.ts';
import { HttpGit } from '../adapters/git.ts';
import { log } from '../adapters/log.ts';
import { S3Store } from '../adapters/s3-store.ts';
import { SecretsManagerSecrets } from '../adapters/secrets-manager.ts';
import { handleBatch, type BatchResponse } from '../adapters/sqs-batch.ts';
import { stackConfigAt } from '../adapters/stack-config.ts';
import { SystemClock } from '../adapters/system-clock.ts';
import { envelopeSchema } from '../core/contract/events.ts';
import { proposeRevert } from '../core/propose-revert.ts';

const environment = readEnvironment(['bucket', 'config']);
const loadConfig = stackConfigAt(environment.config);
const clock = new SystemClock();
const secrets = new SecretsManagerSecrets(clock);
const path = process.env['PATH'] ?? '';
const git = new HttpGit({ secrets, scratch: tmpdir(), path, clock, codeCommit: roleSigning() });
const host = new GitHosts({ secrets, clock });
const { bucket } = environment;
const own = { bucket, store: new S3Store(bucket), git, writer: git, host };

/** Opens the pull requests that take back in Git what was rolled back. */
export function handler(event: unknown): Promise<BatchResponse> {
  return handleBatch(event, envelopeSchema('RolledBack'), async ({ detail }) => {
    const started = clock.now();
    const outcome = await proposeRevert(detail, { ...own, config: await loadConfig() });
    log('INFO', 'a revert was looked at', {
      ...detail.target,
      outcome: outcome.kind === 'proposed' ? `proposed ${outcome.url}` : outcome.why,
      trace: detail.trace?.id,
      milliseconds: clock.now() - started,
    });
  });
}
