import { open } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { compilePattern } from '../aws/filter-pattern.ts';

/** What a subscription of a log group says: which lines it passes on, and to whom. */
export interface Subscription {
  readonly logGroup: string;
  readonly pattern: string;
  readonly send: (event: { readonly awslogs: { readonly data: string } }) => Promise<unknown>;
}

/** A running feed. */
export interface AuditFeed {
  /** Lines of the file so far, and those that the pattern let pass. */
  readonly seen: { lines: number; passed: number };
  readonly stop: () => Promise<void>;
}

/**
 * Plays the way from an API server's audit log to a subscribed function: new lines of the file, those that the filter pattern
 * lets pass, in batches as CloudWatch Logs sends them. How long EKS takes to put a line into the log group is not part
 * of it.
 */
export async function startAuditFeed(path: string, subscription: Subscription): Promise<AuditFeed> {
  const file = await open(path);
  const passes = compilePattern(subscription.pattern);
  const seen = { lines: 0, passed: 0 };
  let position = (await file.stat()).size;
  let rest: Buffer = Buffer.alloc(0);
  const ending = new AbortController();
  const read = async (): Promise<readonly string[]> => {
    const size = (await file.stat()).size - position;
    if (size <= 0) return [];
    const { buffer, bytesRead } = await file.read(Buffer.alloc(size), 0, size, position);
    position += bytesRead;
    rest = Buffer.concat([rest, buffer.subarray(0, bytesRead)]);
    const end = rest.lastIndexOf(10) + 1;
    const lines = rest.subarray(0, end).toString('utf8').split('\n').slice(0, -1);
    rest = rest.subarray(end);
    return lines;
  };
  const run = async (): Promise<void> => {
    while (!ending.signal.aborted) {
      const lines = await read();
      const passed = lines.filter(passes);
      seen.lines += lines.length;
      seen.passed += passed.length;
      if (passed.length > 0) await subscription.send(logsEvent(subscription.logGroup, passed));
      await delay(20);
    }
  };
  const running = run();
  const stop = async (): Promise<void> => {
    ending.abort();
    await running;
    await file.close();
  };
  return { seen, stop };
}

/** One batch as CloudWatch Logs sends it to a Lambda function. */
function logsEvent(logGroup: string, messages: readonly string[]) {
  const payload = {
    messageType: 'DATA_MESSAGE',
    owner: '000000000000',
    logGroup,
    logStream: 'kube-apiserver-audit-0123456789abcdef',
    subscriptionFilters: ['trueup'],
    logEvents: messages.map((message, index) => ({ id: String(index), timestamp: Date.now(), message })),
  };
  return { awslogs: { data: gzipSync(JSON.stringify(payload)).toString('base64') } };
}
