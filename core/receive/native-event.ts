import * as z from 'zod';
import { awsDomain } from '../contract/aws-domain.ts';
import { objectRef } from '../contract/tracked-ref.ts';
import { imageSchema } from '../model/image.ts';
import { objectRevision } from '../model/object-revision.ts';
import { branchSchema, headShaSchema, pullIdSchema, refSchema, shaSchema, tagSchema } from './read-body.ts';
import { absentSha, type PullHint, type Reading, type RepositoryHint } from './reading.ts';

const id = z.string().regex(/^[\w-]{1,100}$/);

/** ECR's own event, as EventBridge delivers it; emitted on a best-effort basis, at least once. */
const ecrSchema = z.object({
  id,
  account: z.string(),
  region: z.string(),
  source: z.literal('aws.ecr'),
  'detail-type': z.literal('ECR Image Action'),
  detail: z.object({
    'action-type': z.string(),
    result: z.string(),
    'repository-name': z.string(),
    'image-digest': imageSchema.shape.digest,
    'image-tag': z.string().optional(),
    'manifest-media-type': z.string().optional(),
  }),
});

const codeCommitSchema = z.object({
  id,
  account: z.string(),
  region: z.string(),
  source: z.literal('aws.codecommit'),
  'detail-type': z.literal('CodeCommit Repository State Change'),
  detail: z.object({
    event: z.string(),
    repositoryName: z.string(),
    referenceFullName: refSchema.optional(),
    commitId: shaSchema.optional(),
    oldCommitId: shaSchema.optional(),
  }),
});

const codeCommitPullSchema = z.object({
  id,
  account: z.string(),
  region: z.string(),
  source: z.literal('aws.codecommit'),
  'detail-type': z.literal('CodeCommit Pull Request State Change'),
  detail: z.object({
    event: z.string(),
    pullRequestId: pullIdSchema,
    pullRequestStatus: z.string().optional(),
    repositoryNames: z.array(z.string()).min(1).max(10),
    // Absent from those that are about approval rules alone.
    sourceReference: branchSchema.optional(),
    destinationReference: branchSchema.optional(),
    sourceCommit: headShaSchema.optional(),
  }),
});

/** S3's event of one object, which the bucket sends only where it was told to. */
const objectSchema = z.object({
  id,
  source: z.literal('aws.s3'),
  'detail-type': z.literal('Object Created'),
  detail: z.object({
    bucket: z.object({ name: z.string().max(63) }),
    object: z.object({
      key: z.string().max(1024),
      etag: z.string().max(200).optional(),
      'version-id': z.string().max(1024).optional(),
    }),
  }),
});

/** Events of AWS services that EventBridge brings: nobody signs them, since only AWS can put them on the bus. */
export const nativeEventSchema = z.discriminatedUnion('source', [
  ecrSchema,
  z.discriminatedUnion('detail-type', [codeCommitSchema, codeCommitPullSchema]),
  objectSchema,
]);
export type NativeEvent = z.infer<typeof nativeEventSchema>;

/** What such an event tells, in the words of a webhook's. */
export function readNativeEvent(event: NativeEvent): Reading {
  if (event.source === 'aws.ecr') return readEcr(event);
  if (event.source === 'aws.s3') return readObject(event);
  return event['detail-type'] === 'CodeCommit Repository State Change'
    ? readCodeCommit(event)
    : readCodeCommitPull(event);
}

const providers = { 'aws.ecr': 'ecr', 'aws.codecommit': 'codecommit', 'aws.s3': 's3' } as const;

/** Name of the event's source in the ledger. */
export function nativeProvider({ source }: NativeEvent): (typeof providers)[NativeEvent['source']] {
  return providers[source];
}

function readEcr({ id: deliveryId, account, region, detail, ...event }: z.infer<typeof ecrSchema>): Reading {
  const told = { deliveryId, event: event['detail-type'] };
  const name = detail['repository-name'];
  const action = `${detail['action-type']} ${detail.result}`;
  if (action !== 'PUSH SUCCESS') return { kind: 'ignored', ...told, reason: `${action} of ${name}` };
  const tag = tagSchema.safeParse(detail['image-tag']);
  // One platform of several, or what was pushed by its digest.
  if (!tag.success) return { kind: 'ignored', ...told, reason: `an image without a tag in ${name}` };
  const { 'image-digest': digest, 'manifest-media-type': mediaType } = detail;
  const repository = `${account}.dkr.ecr.${region}.${awsDomain(region)}/${name}`;
  const image = {
    repository,
    tag: tag.data,
    ...(digest !== undefined && { digest }),
    ...(mediaType !== undefined && { mediaType }),
  };
  return { kind: 'images', ...told, images: [image], stamped: true };
}

function readCodeCommit({
  id: deliveryId,
  region,
  detail,
  ...event
}: z.infer<typeof codeCommitSchema>): Reading {
  const told = { deliveryId, event: event['detail-type'] };
  const { repositoryName: name, referenceFullName: ref, commitId, oldCommitId } = detail;
  if (!/^reference(Created|Updated|Deleted)$/.test(detail.event) || ref === undefined) {
    return { kind: 'ignored', ...told, reason: `${detail.event} of ${name} moved no ref` };
  }
  const isDeleted = detail.event === 'referenceDeleted';
  const push = {
    repository: codeCommitHint(region, name),
    ref,
    before: oldCommitId ?? (isDeleted ? (commitId ?? absentSha) : absentSha),
    after: isDeleted ? absentSha : (commitId ?? absentSha),
  };
  return { kind: 'pushes', ...told, pushes: [push], stamped: true };
}

function codeCommitHint(region: string, name: string): RepositoryHint {
  const host = `git-codecommit.${region}.${awsDomain(region)}`;
  const urls = [`https://${host}/v1/repos/${name}`, `ssh://${host}/v1/repos/${name}`];
  // With its host: a repository of the same name in another region is another.
  return { fullName: `${host}/v1/repos/${name}`, urls };
}

const pullActions: Readonly<Record<string, PullHint['action']>> = {
  pullRequestCreated: 'opened',
  pullRequestSourceBranchUpdated: 'updated',
  pullRequestMergeStatusUpdated: 'closed',
  pullRequestStatusChanged: 'closed',
  pullRequestApprovalStateChanged: 'reviewed',
  pullRequestApprovalRuleOverridden: 'reviewed',
};

function readCodeCommitPull({
  id: deliveryId,
  region,
  detail,
  ...event
}: z.infer<typeof codeCommitPullSchema>): Reading {
  const told = { deliveryId, event: event['detail-type'] };
  const { pullRequestId, sourceReference, destinationReference, sourceCommit, repositoryNames } = detail;
  const action = Object.hasOwn(pullActions, detail.event) ? pullActions[detail.event] : undefined;
  if (action === undefined || sourceReference === undefined || destinationReference === undefined) {
    return { kind: 'ignored', ...told, reason: `${detail.event} of pull request ${pullRequestId}` };
  }
  const pulls = repositoryNames.map((name): PullHint => ({
    repository: codeCommitHint(region, name),
    id: pullRequestId,
    action: action === 'closed' && detail.pullRequestStatus === 'Open' ? 'updated' : action,
    head: { branch: sourceReference, sha: sourceCommit ?? absentSha },
    base: { branch: destinationReference },
  }));
  return { kind: 'pulls', ...told, pulls, stamped: true };
}

function readObject({ id: deliveryId, detail, ...event }: z.infer<typeof objectSchema>): Reading {
  const url = `s3://${detail.bucket.name}/${detail.object.key}`;
  const { etag = '', 'version-id': versionId } = detail.object;
  const push = {
    repository: { fullName: url, urls: [url] },
    ref: objectRef,
    before: absentSha,
    after: objectRevision(url, { versionId, etag }),
  };
  return { kind: 'pushes', deliveryId, event: event['detail-type'], pushes: [push], stamped: true };
}
