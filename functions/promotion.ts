import { tmpdir } from 'node:os';
import { CloudWatchAlarms } from '../adapters/cloudwatch-alarms.ts';
import { roleSigning } from '../adapters/codecommit.ts';
import { readEnvironment } from '../adapters/environment.ts';
import { EventBridgeBus } from '../adapters/eventbridge-bus.ts';
import { GitHosts } from '../adapters/git-hosts.ts';
import { HttpGit } from '../adapters/git.ts';
import { log } from '../adapters/log.ts';
import { S3Store } from '../adapters/s3-store.ts';
import { SecretsManagerSecrets } from '../adapters/secrets-manager.ts';
import { handleTogether, type BatchResponse } from '../adapters/sqs-batch.ts';
import { SqsQueues } from '../adapters/sqs-queues.ts';
import { stackConfigAt } from '../adapters/stack-config.ts';
import { SystemClock, SystemIds } from '../adapters/system-clock.ts';
import { promotionMessageSchema } from '../core/contract/events.ts';
import { promoteEnvironments } from '../core/promote-environments.ts';

const environment = readEnvironment(['bucket', 'bus', 'config', 'pushQueue']);
const loadConfig = stackConfigAt(environment.config);
const clock = new SystemClock();
const secrets = new SecretsManagerSecrets(clock);
const path = process.env['PATH'] ?? '';
const git = new HttpGit({ secrets, scratch: tmpdir(), path, clock, codeCommit: roleSigning() });
const own = {
  bucket: environment.bucket,
  store: new S3Store(environment.bucket),
  clock,
  alarms: new CloudWatchAlarms(clock),
  queue: new SqsQueues({ pushQueue: environment.pushQueue }, new SystemIds()),
  bus: new EventBridgeBus(environment.bus),
  proposals: { git, writer: git, host: new GitHosts({ secrets, clock }) },
};

/** Promotes commits from environment to environment; what came together is looked at together. */
export function handler(event: unknown): Promise<BatchResponse> {
  return handleTogether(event, promotionMessageSchema, async (messages) => {
    const deps = { ...own, config: await loadConfig() };
    for (const { kind, environment: name, sha = '', why = '' } of await promoteEnvironments(messages, deps)) {
      if (kind === 'promoted') log('INFO', 'a commit was promoted', { repository: name, sha, reason: why });
    }
  });
}
