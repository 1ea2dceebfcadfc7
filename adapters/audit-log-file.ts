import { open, type FileHandle } from 'node:fs/promises';
import * as z from 'zod';
import { Stop, messageOf } from '../core/errors.ts';
import { auditWriteOf, ourRequests, type AuditWrite, type OurRequests } from '../core/model/audit.ts';
import type { AuditTrail } from '../core/ports.ts';

const chunkBytes = 256 * 1024;
/** Lines are written as requests end: out of order by no more than this. */
const disorderMs = 60_000;

const stampSchema = z.object({ stageTimestamp: z.string().transform((text) => Date.parse(text)) });

/**
 * The audit log of an API server as a local file: JSON lines of audit.k8s.io/v1. It is read from its end, so that a
 * large one costs what is asked of it; files that it was rotated into are not read.
 */
export class AuditLogFile implements AuditTrail {
  readonly #path: string;
  readonly #ours: OurRequests;

  constructor(path: string, ours: OurRequests = ourRequests) {
    this.#path = path;
    this.#ours = ours;
  }

  async *writes(since: number, until: number): AsyncIterable<AuditWrite> {
    await using file = await this.#open();
    for await (const line of linesFromEnd(file)) {
      // Most lines are reads, with long answers.
      if (!/"verb":\s*"(create|update|patch|delete)/.test(line)) continue;
      const event = parsed(line);
      const stamp = stampSchema.safeParse(event).data?.stageTimestamp;
      if (stamp === undefined) continue;
      if (stamp < since - disorderMs) return;
      const write = stamp < since || stamp > until ? undefined : auditWriteOf(event, this.#ours);
      if (write !== undefined) yield write;
    }
  }

  async #open(): Promise<FileHandle> {
    try {
      return await open(this.#path);
    } catch (cause) {
      throw new Stop({
        subject: this.#path,
        message: `cannot be read as an audit log: ${messageOf(cause)}`,
        cause,
      });
    }
  }
}

/** Undefined for a line in the making, or one that was cut off: it tells nothing. */
function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

/** Whole lines, the last one first. Bytes are joined before they are decoded: a character may span two chunks. */
async function* linesFromEnd(file: FileHandle): AsyncIterable<string> {
  let position = (await file.stat()).size;
  let rest: Buffer[] = [];
  while (position > 0) {
    const length = Math.min(chunkBytes, position);
    position -= length;
    const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, position);
    let chunk = buffer.subarray(0, bytesRead);
    for (let end = chunk.lastIndexOf(10); end >= 0; end = chunk.lastIndexOf(10)) {
      yield Buffer.concat([chunk.subarray(end + 1), ...rest]).toString('utf8');
      rest = [];
      chunk = chunk.subarray(0, end);
    }
    rest = [chunk, ...rest];
  }
  yield Buffer.concat(rest).toString('utf8');
}
