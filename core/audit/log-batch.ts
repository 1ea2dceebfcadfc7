import * as z from 'zod';
import { placeOf } from '../contract/cluster-access.ts';
import { auditLogGroup } from '../contract/audit.ts';
import type { StackConfig } from '../contract/config.ts';
import { auditWriteOf, type AuditWrite } from '../model/audit.ts';

/** What CloudWatch Logs sends to a subscriber, unpacked: lines of one log stream, or a test of whether it can be reached. */
const batchSchema = z.discriminatedUnion('messageType', [
  z.object({ messageType: z.literal('CONTROL_MESSAGE') }),
  z.object({
    messageType: z.literal('DATA_MESSAGE'),
    logGroup: z.string(),
    logEvents: z.array(z.object({ message: z.string() })),
  }),
]);

/** One batch of log lines, as far as it is about writes of others. */
export interface LogBatch {
  /** Undefined: of no log group of ours, or no log lines at all. */
  readonly cluster: string | undefined;
  readonly lines: number;
  /** Lines that are no JSON: EKS cuts off the longest. */
  readonly unreadable: number;
  readonly writes: readonly AuditWrite[];
}

/** Reads a batch; throws for what is none. Lines of other logs of the control plane are passed over. */
export function readBatch(payload: unknown, config: Pick<StackConfig, 'clusters'>): LogBatch {
  const batch = batchSchema.parse(payload);
  if (batch.messageType === 'CONTROL_MESSAGE') {
    return { cluster: undefined, lines: 0, unreadable: 0, writes: [] };
  }
  const events = batch.logEvents.map(({ message }) => parsed(message));
  return {
    cluster: clusterOf(batch.logGroup, config),
    lines: events.length,
    unreadable: events.filter((event) => event === undefined).length,
    writes: events.flatMap((event) => auditWriteOf(event) ?? []),
  };
}

function clusterOf(logGroup: string, { clusters }: Pick<StackConfig, 'clusters'>): string | undefined {
  const isOf = ({ access, audit }: StackConfig['clusters'][number]): boolean =>
    audit === true && access.type === 'eks' && auditLogGroup(placeOf(access).name) === logGroup;
  return clusters.find(isOf)?.name;
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
