import * as z from 'zod';
import { digestOf } from './digest.ts';

/**
 * What something came of: the same from the push, the check or the person that began it to the object that is healthy,
 * through events, messages, pointers, records and logs.
 */
export const traceSchema = z.object({
  id: z.string().regex(/^[0-9a-f]{32}$/, 'must be 32 hex digits'),
  at: z.string().describe('when it began, ISO 8601: from here lead times are measured'),
  by: z.enum(['push', 'schedule', 'audit', 'person']),
});
export type Trace = z.infer<typeof traceSchema>;

/**
 * A trace of what is told apart by these words, such as a delivery and its sender. Derived and not drawn, so that a message
 * that comes twice has the trace that it had. In the form of W3C trace contexts, should somebody want to join them.
 */
export function traceOf(by: Trace['by'], at: string, ...words: readonly string[]): Trace {
  return { id: digestOf([by, ...words]).slice('sha256:'.length, 'sha256:'.length + 32), at, by };
}

/** Of a request to check: a line of an audit log begins one of its own. */
export function traceOfCheck(
  request: { readonly cluster: string; readonly application?: string; readonly trace?: Trace },
  at: string,
): Trace | undefined {
  const { cluster, application } = request;
  return application === undefined ? request.trace : traceOf('audit', at, cluster, application, at);
}
