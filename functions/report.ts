import { readEnvironment } from '../adapters/environment.ts';
import { GitHosts } from '../adapters/git-hosts.ts';
import { log } from '../adapters/log.ts';
import { S3Store } from '../adapters/s3-store.ts';
import { SecretsManagerSecrets } from '../adapters/secrets-manager.ts';
import { handleTogether, type BatchResponse } from '../adapters/sqs-batch.ts';
import { stackConfigAt } from '../adapters/stack-config.ts';
import { SystemClock, SystemIds } from '../adapters/system-clock.ts';
import { reportMessageSchema } from '../core/contract/events.ts';
import { reportStatus } from '../core/report-status.ts';

const environment = readEnvironment(['bucket', 'config']);
const loadConfig = stackConfigAt(environment.config);
const clock = new SystemClock();
const host = new GitHosts({ secrets: new SecretsManagerSecrets(clock), clock });
const own = { store: new S3Store(environment.bucket), host, clock, ids: new SystemIds() };

/** Less than the function has, so that what was told is written down. */
const tellingMs = 60_000;

/** Tells Git hosts what became of commits; what came together is told together. */
export function handler(event: unknown): Promise<BatchResponse> {
  return handleTogether(event, reportMessageSchema, async (messages) => {
    const started = clock.now();
    const deps = { ...own, config: await loadConfig(), deadline: started + tellingMs };
    for (const { repository, told: count, fault } of await reportStatus(messages, deps)) {
      if (fault !== undefined)
        log('WARN', 'a Git host was not told of commits', { repository, error: fault });
      else log('INFO', 'commits told of', { repository, count, milliseconds: clock.now() - started });
    }
  });
}
