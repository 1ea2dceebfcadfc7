import { Blocked, Retry, Stop, messageOf } from '../core/errors.ts';

/**
 * Everything that may stand in a log line besides its message. Closed on purpose: there is no field for a body,
 * a header, a signature or a token, so none can get in.
 */
export interface LogFields {
  /** Id of the trace: the same in all that came of one push, check or wish. */
  readonly trace?: string | undefined;
  readonly function?: string;
  readonly provider?: string;
  readonly delivery?: string;
  readonly event?: string;
  readonly repository?: string;
  readonly ref?: string;
  readonly pullRequest?: string;
  readonly sha?: string;
  readonly cluster?: string;
  readonly application?: string;
  readonly run?: string;
  readonly reason?: string;
  readonly outcome?: string;
  readonly state?: string;
  readonly duplicate?: boolean;
  readonly status?: number;
  readonly count?: number;
  readonly lines?: number;
  readonly unreadable?: number;
  readonly writes?: number;
  readonly targets?: number;
  readonly asked?: number;
  readonly objects?: number;
  readonly drifting?: number;
  readonly completed?: number;
  readonly milliseconds?: number;
  /** Requests to the API server of the cluster, and how many it put off. */
  readonly requests?: number;
  readonly throttled?: number;
  /** Requests to S3, as it charges them: listings among the writes. */
  readonly s3Reads?: number;
  readonly s3Writes?: number;
  readonly key?: string;
  readonly queueMessage?: string;
  readonly receiveCount?: number;
  /** Class of an error and its text, which by house rule holds no secret. */
  readonly errorName?: string;
  readonly error?: string;
  readonly stack?: string;
}

export type LogLevel = 'INFO' | 'WARN' | 'ERROR';

/** One JSON object on one line, as CloudWatch Logs Insights reads it. */
export function log(level: LogLevel, message: string, fields: LogFields = {}): void {
  const timestamp = new Date().toISOString();
  // Not console.log: Lambda would put a prefix before it, or wrap it in a JSON object of its own.
  process.stdout.write(`${JSON.stringify({ timestamp, level, message, ...fields })}\n`);
}

/** What a log line says of an error; where it was thrown is worth telling only of one that nobody foresaw. */
export function faultFields(error: unknown): LogFields {
  if (!(error instanceof Error)) return { error: messageOf(error) };
  const foreseen = error instanceof Retry || error instanceof Stop || error instanceof Blocked;
  const stack = foreseen || error.stack === undefined ? {} : { stack: error.stack };
  return { errorName: error.name, error: error.message, ...stack };
}
