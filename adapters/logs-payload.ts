import { gunzipSync } from 'node:zlib';
import * as z from 'zod';

const eventSchema = z.object({ awslogs: z.object({ data: z.base64() }) });

/** Lambda takes a request of 6 MB; lines of a log are about a tenth of their size when they are packed. */
const mostBytes = 128 * 1024 * 1024;

/** What CloudWatch Logs sent to a subscribed function, unpacked. Throws for anything else, without quoting it. */
export function readLogsPayload(event: unknown): unknown {
  const { data } = eventSchema.parse(event).awslogs;
  const text = gunzipSync(Buffer.from(data, 'base64'), { maxOutputLength: mostBytes }).toString('utf8');
  try {
    return JSON.parse(text);
  } catch {
    // The parser's own words quote what they cannot read.
    throw new Error('the payload of CloudWatch Logs is no JSON');
  }
}
