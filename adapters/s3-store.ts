import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import {
  DeleteObjectCommand,
  GetObjectCommand,
  NoSuchKey,
  PutObjectCommand,
  S3Client,
  paginateListObjectsV2,
  type PutObjectCommandInput,
} from '@aws-sdk/client-s3';
import { prefixes } from '../core/contract/keys.ts';
import type { RecordLock } from '../core/contract/record-lock.ts';
import { Stop, messageOf } from '../core/errors.ts';
import type { Store, Stored, WriteCondition, WriteOutcome } from '../core/ports.ts';
import { awsClient } from './aws-client.ts';
import { awsFault, statusOf, wasRetried } from './aws-fault.ts';

const compress = promisify(gzip);
const expand = promisify(gunzip);

/** S3 says 404 where the object to be replaced is gone, 409 to racing writers and 412 to late ones. */
const conflictStatus = new Set([404, 409, 412]);
const pageSize = 1000;
const dayMs = 86_400_000;
/** What a lock of records holds: the rest of the bucket is state, which has to change. */
const locked = [prefixes.runs, prefixes.drift];
/** What was written comes back as it was, a byte order mark included. */
const utf8 = new TextDecoder('utf-8', { ignoreBOM: true });

/** Documents in one S3 bucket, or below a prefix of it. Throws Retry, Blocked, and Stop for a `.gz` object that is not gzip. */
export class S3Store implements Store {
  readonly #bucket: string;
  readonly #client: S3Client;
  readonly #prefix: string;
  readonly #lock: RecordLock | undefined;

  /** `prefix` goes before every key as it is: it ends with a slash, or is empty. `lock`: of records of runs and drift. */
  constructor(bucket: string, client: S3Client = new S3Client(awsClient), prefix = '', lock?: RecordLock) {
    this.#bucket = bucket;
    this.#client = client;
    this.#prefix = prefix;
    this.#lock = lock;
  }

  async get(key: string): Promise<Stored | undefined> {
    try {
      const { Body, ETag } = await this.#client.send(this.#getCommand(key));
      const bytes = (await Body?.transformToByteArray()) ?? new Uint8Array();
      return { text: await this.#decode(key, bytes), etag: ETag ?? '' };
    } catch (error) {
      if (error instanceof NoSuchKey) return undefined;
      // Without s3:ListBucket, S3 answers 403 for a key that does not exist.
      throw this.#fault(key, 's3:GetObject with s3:ListBucket', error);
    }
  }

  async put(key: string, text: string, condition: WriteCondition): Promise<WriteOutcome> {
    const compressed = key.endsWith('.gz');
    const body = compressed ? await compress(text) : Buffer.from(text);
    try {
      const { ETag } = await this.#client.send(
        new PutObjectCommand({
          Bucket: this.#bucket,
          Key: this.#prefix + key,
          Body: body,
          ContentLength: body.length,
          ContentType: compressed ? 'application/gzip' : 'application/json',
          ...this.#retention(key),
          ...(condition === 'absent' && { IfNoneMatch: '*' }),
          ...(typeof condition === 'object' && { IfMatch: condition.etag }),
        }),
      );
      return { kind: 'written', etag: ETag ?? '' };
    } catch (error) {
      if (condition === 'any' || !isConflict(error)) throw this.#fault(key, 's3:PutObject', error);
      return wasRetried(error) ? this.#settle(key, text) : { kind: 'conflict' };
    }
  }

  async delete(key: string, condition: 'any' | { readonly etag: string }): Promise<'deleted' | 'conflict'> {
    const match = condition === 'any' ? {} : { IfMatch: condition.etag };
    try {
      await this.#client.send(
        new DeleteObjectCommand({ Bucket: this.#bucket, Key: this.#prefix + key, ...match }),
      );
      return 'deleted';
    } catch (error) {
      if (condition !== 'any' && isConflict(error)) return 'conflict';
      throw this.#fault(key, 's3:DeleteObject', error);
    }
  }

  async entries(prefix: string): Promise<ReadonlyMap<string, string>> {
    const found = new Map<string, string>();
    try {
      const below = { Bucket: this.#bucket, Prefix: this.#prefix + prefix };
      for await (const { Contents = [] } of paginateListObjectsV2({ client: this.#client }, below)) {
        for (const { Key = '', ETag = '' } of Contents) found.set(Key.slice(this.#prefix.length), ETag);
      }
    } catch (error) {
      throw this.#fault(prefix, 's3:ListBucket', error);
    }
    return found;
  }

  async *list(prefix: string, options: { after?: string; limit?: number } = {}): AsyncIterable<string> {
    let left = options.limit ?? Number.POSITIVE_INFINITY;
    const pages = paginateListObjectsV2(
      { client: this.#client, pageSize: Math.min(pageSize, left) },
      {
        Bucket: this.#bucket,
        Prefix: this.#prefix + prefix,
        ...(options.after && { StartAfter: this.#prefix + options.after }),
      },
    );
    try {
      for await (const { Contents = [] } of pages) {
        for (const { Key } of Contents) {
          if (Key === undefined || left <= 0) return;
          left -= 1;
          yield Key.slice(this.#prefix.length);
        }
      }
    } catch (error) {
      throw this.#fault(prefix, 's3:ListBucket', error);
    }
  }

  /** Each version is kept from its own writing on: what a record said before stays as well. */
  #retention(key: string): Pick<PutObjectCommandInput, 'ObjectLockMode' | 'ObjectLockRetainUntilDate'> {
    if (this.#lock === undefined || !locked.some((prefix) => key.startsWith(prefix))) return {};
    const { mode, days } = this.#lock;
    return {
      ObjectLockMode: mode === 'compliance' ? 'COMPLIANCE' : 'GOVERNANCE',
      ObjectLockRetainUntilDate: new Date(Date.now() + days * dayMs),
    };
  }

  /**
   * The SDK sends a request again after a lost answer. The first one may have been done: then the second meets
   * our own object and says conflict, and a claim or lease that is ours would look like somebody else's.
   */
  async #settle(key: string, text: string): Promise<WriteOutcome> {
    const stored = await this.get(key);
    return stored?.text === text ? { kind: 'written', etag: stored.etag } : { kind: 'conflict' };
  }

  #getCommand(key: string): GetObjectCommand {
    return new GetObjectCommand({ Bucket: this.#bucket, Key: this.#prefix + key });
  }

  async #decode(key: string, bytes: Uint8Array): Promise<string> {
    if (!key.endsWith('.gz')) return utf8.decode(bytes);
    try {
      return utf8.decode(await expand(bytes));
    } catch (cause) {
      const message = `is not gzip (${messageOf(cause)}); restore its last version`;
      throw new Stop({ subject: this.#subject(key), message, cause });
    }
  }

  #subject(key: string): string {
    return `s3://${this.#bucket}/${this.#prefix}${key}`;
  }

  #fault(key: string, permission: string, error: unknown): unknown {
    return awsFault({ subject: this.#subject(key), permission }, error);
  }
}

function isConflict(error: unknown): boolean {
  const status = statusOf(error);
  const missingBucket = error instanceof Error && error.name === 'NoSuchBucket';
  return status !== undefined && conflictStatus.has(status) && !missingBucket;
}
