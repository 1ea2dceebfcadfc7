import { GetObjectCommand, HeadObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { s3ObjectOf } from '../core/contract/artifact.ts';
import type { RepositoryConfig } from '../core/contract/config.ts';
import { objectRef, type ResolvedRef } from '../core/contract/tracked-ref.ts';
import { Stop } from '../core/errors.ts';
import { commitSchema, type Commit } from '../core/model/commit.ts';
import { objectRevision, type ObjectVersion } from '../core/model/object-revision.ts';
import type { Git, Worktree } from '../core/ports.ts';
import { artifactWorktree } from './artifact-worktree.ts';
import { awsClient } from './aws-client.ts';
import { awsFault, statusOf } from './aws-fault.ts';

const maxBytes = 64 * 1024 * 1024;

interface Place {
  readonly Bucket: string;
  readonly Key: string;
}

/** Archives in S3 as repositories (issue 5): each version of the object is a revision, the newest one the head. */
export class S3Objects implements Git {
  readonly #client: S3Client;

  constructor(client: S3Client = new S3Client({ ...awsClient, followRegionRedirects: true })) {
    this.#client = client;
  }

  async head(repository: RepositoryConfig): Promise<string | undefined> {
    const version = await this.#version(repository);
    return version === undefined ? undefined : objectRevision(repository.url, version);
  }

  async heads(repositories: readonly RepositoryConfig[]): Promise<ReadonlyMap<string, ResolvedRef>> {
    const [repository] = repositories;
    const sha = repository === undefined ? undefined : await this.head(repository);
    // They share one url, and there is nothing else to track.
    return new Map(sha === undefined ? [] : repositories.map(({ name }) => [name, { sha, ref: objectRef }]));
  }

  /** Undefined when that version is the newest no more: which one it was, its revision does not tell. */
  async checkout(repository: RepositoryConfig, sha: string): Promise<Worktree | undefined> {
    const { url, name } = repository;
    const version = await this.#version(repository);
    if (version === undefined || objectRevision(url, version) !== sha) return undefined;
    const found = await this.#read(repository, version);
    if (found === undefined) return undefined;
    const subject = `object ${url} of repository ${name}`;
    const commit = commitOf(repository, { sha, version, at: found.at });
    return artifactWorktree(found.bytes, commit, subject);
  }

  /** Undefined where there is no such object; S3 says so only to those who may list the bucket, and 403 to others. */
  async #version({ url }: RepositoryConfig): Promise<ObjectVersion | undefined> {
    try {
      const { VersionId, ETag } = await this.#client.send(new HeadObjectCommand(placeOf(url)));
      return { versionId: VersionId, etag: ETag ?? '' };
    } catch (error) {
      if (statusOf(error) === 404) return undefined;
      throw awsFault({ subject: url, permission: 's3:GetObject' }, error);
    }
  }

  async #read(
    { url }: RepositoryConfig,
    { versionId, etag }: ObjectVersion,
  ): Promise<{ readonly bytes: Uint8Array; readonly at: Date } | undefined> {
    const exactly = { IfMatch: etag, ...(versionId !== undefined && { VersionId: versionId }) };
    try {
      const { Body, ContentLength, LastModified } = await this.#client.send(
        new GetObjectCommand({ ...placeOf(url), ...exactly }),
      );
      if (Body === undefined || ContentLength === undefined || ContentLength > maxBytes) {
        const message = `has ${ContentLength ?? 'no known number of'} bytes; up to ${maxBytes} are read`;
        throw new Stop({ subject: url, message });
      }
      return { bytes: await Body.transformToByteArray(), at: LastModified ?? new Date(0) };
    } catch (error) {
      // Deleted, or overwritten, since it was asked about.
      if ([404, 412].includes(statusOf(error) ?? 0)) return undefined;
      throw awsFault({ subject: url, permission: 's3:GetObject and s3:GetObjectVersion' }, error);
    }
  }
}

function placeOf(url: string): Place {
  const place = s3ObjectOf(url);
  if (place === undefined) throw new Error(`not an object of S3: ${url}`);
  return { Bucket: place.bucket, Key: place.key };
}

/** Who wrote an object, S3 does not say. */
function commitOf(
  { name, url }: RepositoryConfig,
  { sha, version, at }: { readonly sha: string; readonly version: ObjectVersion; readonly at: Date },
): Commit {
  const person = { name: 'unknown', email: '', at: at.toISOString() };
  const { versionId, etag } = version;
  const which = versionId === undefined ? `ETag ${etag.replaceAll('"', '')}` : `version ${versionId}`;
  const facts = { repository: name, ref: objectRef, sha, author: person, committer: person };
  return commitSchema.parse({ ...facts, subject: `${url} ${which}` });
}
