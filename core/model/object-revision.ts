import { digestOf } from './digest.ts';

/** What S3 tells of one version of an object. */
export interface ObjectVersion {
  /** Absent, or `null`, where the bucket keeps no versions. */
  readonly versionId?: string | undefined;
  /** With or without the quotes around it. */
  readonly etag: string;
}

/** 64 hex digits that stand for one version of an S3 object, as a SHA does for a commit. `url`: `s3://BUCKET/KEY`. */
export function objectRevision(url: string, { versionId = 'null', etag }: ObjectVersion): string {
  return digestOf([url, versionId, etag.replaceAll('"', '')]).slice('sha256:'.length);
}
