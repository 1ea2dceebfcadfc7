import { readEnvironment } from '../adapters/environment.ts';
import { log } from '../adapters/log.ts';
import { readLogsPayload } from '../adapters/logs-payload.ts';
import { S3Store } from '../adapters/s3-store.ts';
import { SqsQueues } from '../adapters/sqs-queues.ts';
import { stackConfigAt } from '../adapters/stack-config.ts';
import { SystemClock, SystemIds } from '../adapters/system-clock.ts';
import { followAudit, InventoryIndex } from '../core/audit.ts';

const environment = readEnvironment(['bucket', 'config', 'sweepQueue']);
const loadConfig = stackConfigAt(environment.config);
const clock = new SystemClock();
const store = new S3Store(environment.bucket);
const queues = new SqsQueues({ sweepQueue: environment.sweepQueue }, new SystemIds());
const index = new InventoryIndex(store, clock);

/** Follows the audit logs of clusters: a check is asked for of what others wrote to. A batch that fails comes again. */
export async function handler(event: unknown): Promise<void> {
  const started = clock.now();
  const deps = { store, clock, queues, index, config: await loadConfig() };
  const { cluster, ...found } = await followAudit(readLogsPayload(event), deps);
  const of = cluster === undefined ? {} : { cluster };
  log('INFO', 'audit log followed', { ...of, ...found, milliseconds: clock.now() - started });
}
