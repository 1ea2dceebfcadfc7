import * as z from 'zod';
import { Blocked, Retry, Stop } from '../core/errors.ts';
import { faultFields, log } from './log.ts';

const recordSchema = z.object({
  messageId: z.string(),
  receiptHandle: z.string().default(''),
  body: z.string(),
  attributes: z.object({
    ApproximateReceiveCount: z.coerce.number().default(1),
    MessageGroupId: z.string().optional(),
  }),
});
const sqsEventSchema = z.object({ Records: z.array(recordSchema) });
type SqsRecord = z.infer<typeof recordSchema>;

const misfit = 'message does not fit its schema; it goes to the DLQ';

/** What Lambda's event source mapping reads: messages named here come again, and at last go to the DLQ. */
export interface BatchResponse {
  readonly batchItemFailures: readonly { readonly itemIdentifier: string }[];
}

/** One message by its number of receives so far, this one included. */
export interface MessageContext {
  readonly messageId: string;
  readonly receiveCount: number;
  /** Of this receive, for whoever says when the message is to come again. */
  readonly receiptHandle: string;
}

/**
 * What becomes of a message whose handling throws Stop or Blocked: `acknowledge` it as an outcome of the business kind,
 * or `fail` it, where the handler records such outcomes itself and what escapes it is ours to mend.
 */
export type FaultPolicy = 'acknowledge' | 'fail';

/**
 * Handles an SQS batch, one message after the other. A body that does not fit the schema fails until the DLQ takes it;
 * Retry and unknown errors fail; Stop and Blocked are logged and acknowledged (rule 4), unless `onFault` says `fail`.
 */
export async function handleBatch<S extends z.ZodType>(
  event: unknown,
  schema: S,
  handle: (body: z.infer<S>, context: MessageContext) => Promise<void>,
  onFault: FaultPolicy = 'acknowledge',
): Promise<BatchResponse> {
  const failed: SqsRecord[] = [];
  for (const record of sqsEventSchema.parse(event).Records) {
    const group = record.attributes.MessageGroupId;
    // In a FIFO group the later ones must wait for the failed one, or their order is lost.
    const held = group !== undefined && failed.some(({ attributes }) => attributes.MessageGroupId === group);
    if (held || !(await succeeds(record, schema, handle, onFault))) failed.push(record);
  }
  return { batchItemFailures: failed.map(({ messageId }) => ({ itemIdentifier: messageId })) };
}

/**
 * Handles all messages of a batch together, so that one effect may serve them all; those that do not fit the schema are left
 * out and fail. Whatever is thrown fails all the others, and at last takes them to the DLQ.
 */
export async function handleTogether<S extends z.ZodType>(
  event: unknown,
  schema: S,
  handle: (bodies: readonly z.infer<S>[]) => Promise<void>,
): Promise<BatchResponse> {
  const records = sqsEventSchema.parse(event).Records;
  const read = records.map(({ messageId, body }) => ({ messageId, body: parseBody(body, schema) }));
  const bodies = read.flatMap(({ body }) => (body.success ? [body.value] : []));
  for (const { messageId, body } of read) {
    if (!body.success) log('ERROR', misfit, { queueMessage: messageId, reason: body.reason });
  }
  const failures = (ids: readonly string[]) => ({
    batchItemFailures: ids.map((itemIdentifier) => ({ itemIdentifier })),
  });
  try {
    if (bodies.length > 0) await handle(bodies);
    return failures(read.filter(({ body }) => !body.success).map(({ messageId }) => messageId));
  } catch (error) {
    log(error instanceof Retry ? 'WARN' : 'ERROR', 'messages will come again', faultFields(error));
    return failures(read.map(({ messageId }) => messageId));
  }
}

async function succeeds<S extends z.ZodType>(
  record: SqsRecord,
  schema: S,
  handle: (body: z.infer<S>, context: MessageContext) => Promise<void>,
  onFault: FaultPolicy,
): Promise<boolean> {
  const { messageId, attributes, receiptHandle } = record;
  const receiveCount = attributes.ApproximateReceiveCount;
  const fields = { queueMessage: messageId, receiveCount };
  const body = parseBody(record.body, schema);
  if (!body.success) {
    log('ERROR', misfit, { ...fields, reason: body.reason });
    return false;
  }
  try {
    await handle(body.value, { messageId, receiveCount, receiptHandle });
    return true;
  } catch (error) {
    const fault = { ...fields, ...faultFields(error) };
    const isFault = error instanceof Stop || error instanceof Blocked;
    if (isFault && onFault === 'acknowledge') {
      log('WARN', 'message handled: it cannot succeed as things stand', fault);
      return true;
    }
    if (error instanceof Retry) log('WARN', 'message will come again', fault);
    else if (isFault) log('ERROR', 'message fails until this is mended, and at last goes to the DLQ', fault);
    else log('ERROR', 'message failed for a reason nobody foresaw', fault);
    return false;
  }
}

type ParsedBody<T> =
  { readonly success: true; readonly value: T } | { readonly success: false; readonly reason: string };

/** The reason holds paths and expectations, never content. */
function parseBody<S extends z.ZodType>(text: string, schema: S): ParsedBody<z.infer<S>> {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return { success: false, reason: 'not JSON' };
  }
  const parsed = schema.safeParse(json);
  if (parsed.success) return { success: true, value: parsed.data };
  const reason = parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; ');
  return { success: false, reason };
}
