import {
  GetObjectCommand,
  GetObjectLockConfigurationCommand,
  ListObjectVersionsCommand,
  PutObjectCommand,
  type ListObjectVersionsCommandInput,
  type ListObjectVersionsCommandOutput,
  type S3Client,
} from '@aws-sdk/client-s3';
import { awsFault, statusOf } from './aws-fault.ts';

/** One version of an object, or the mark of its deletion. */
export interface ObjectVersion {
  readonly id: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** Undefined for a deletion. */
  readonly etag: string | undefined;
  /** Whether it is what a reader gets now. */
  readonly isCurrent: boolean;
}

/** Versions that a bucket keeps of its objects. Throws Blocked where a right is missing, and Retry. */
export class ObjectVersions {
  readonly #bucket: string;
  readonly #client: S3Client;

  constructor(bucket: string, client: S3Client) {
    this.#bucket = bucket;
    this.#client = client;
  }

  /** Whether versions can be kept from being deleted: Object Lock is enabled. */
  async canLock(): Promise<boolean> {
    try {
      const command = new GetObjectLockConfigurationCommand({ Bucket: this.#bucket });
      const { ObjectLockConfiguration } = await this.#client.send(command);
      return ObjectLockConfiguration?.ObjectLockEnabled === 'Enabled';
    } catch (error) {
      if (error instanceof Error && error.name === 'ObjectLockConfigurationNotFoundError') return false;
      throw this.#fault('', 's3:GetBucketObjectLockConfiguration', error);
    }
  }

  /** By key; of each the newest first. */
  async below(prefix: string): Promise<ReadonlyMap<string, readonly ObjectVersion[]>> {
    const found = new Map<string, ObjectVersion[]>();
    const add = (key: string, version: ObjectVersion): void => {
      found.set(key, [...(found.get(key) ?? []), version]);
    };
    try {
      for await (const { Versions = [], DeleteMarkers = [] } of this.#pages(prefix)) {
        for (const { Key = '', ETag = '', ...rest } of Versions) add(Key, { ...named(rest), etag: ETag });
        for (const { Key = '', ...rest } of DeleteMarkers) add(Key, { ...named(rest), etag: undefined });
      }
    } catch (error) {
      throw this.#fault(prefix, 's3:ListBucketVersions', error);
    }
    for (const versions of found.values()) {
      versions.sort((one, other) => Number(other.isCurrent) - Number(one.isCurrent) || other.at - one.at);
    }
    return found;
  }

  async *#pages(Prefix: string): AsyncGenerator<ListObjectVersionsCommandOutput> {
    let from: Partial<ListObjectVersionsCommandInput> | undefined = {};
    while (from !== undefined) {
      const command: ListObjectVersionsCommand = new ListObjectVersionsCommand({
        Bucket: this.#bucket,
        Prefix,
        ...from,
      });
      const page = await this.#client.send(command);
      yield page;
      const { IsTruncated = false, NextKeyMarker, NextVersionIdMarker } = page;
      from = IsTruncated ? { KeyMarker: NextKeyMarker, VersionIdMarker: NextVersionIdMarker } : undefined;
    }
  }

  /** Of one version; what is compressed comes out as nonsense. */
  async text(key: string, { id }: Pick<ObjectVersion, 'id'>): Promise<string> {
    try {
      const place = { Bucket: this.#bucket, Key: key, VersionId: id };
      const { Body } = await this.#client.send(new GetObjectCommand(place));
      return (await Body?.transformToString()) ?? '';
    } catch (error) {
      throw this.#fault(key, 's3:GetObjectVersion', error);
    }
  }

  /** Makes a copy of an old version the current one, unless somebody wrote meanwhile: then nothing is done. */
  async bringBack(
    key: string,
    { id }: Pick<ObjectVersion, 'id'>,
    current: Pick<ObjectVersion, 'etag'>,
  ): Promise<'done' | 'overtaken'> {
    const where = { Bucket: this.#bucket, Key: key };
    try {
      const { Body, ContentType } = await this.#client.send(
        new GetObjectCommand({ ...where, VersionId: id }),
      );
      const bytes = (await Body?.transformToByteArray()) ?? new Uint8Array();
      const condition = current.etag === undefined ? { IfNoneMatch: '*' } : { IfMatch: current.etag };
      await this.#client.send(new PutObjectCommand({ ...where, ...condition, ContentType, Body: bytes }));
      return 'done';
    } catch (error) {
      const status = statusOf(error);
      if (status === 409 || status === 412) return 'overtaken';
      throw this.#fault(key, 's3:GetObjectVersion and s3:PutObject', error);
    }
  }

  #fault(key: string, permission: string, error: unknown): unknown {
    return awsFault({ subject: `s3://${this.#bucket}/${key}`, permission }, error);
  }
}

function named(version: {
  readonly VersionId?: string | undefined;
  readonly LastModified?: Date | undefined;
  readonly IsLatest?: boolean | undefined;
}): Pick<ObjectVersion, 'id' | 'at' | 'isCurrent'> {
  const { VersionId = 'null', LastModified, IsLatest = false } = version;
  return { id: VersionId, at: LastModified?.getTime() ?? 0, isCurrent: IsLatest };
}
