import * as z from 'zod';
import { imageSchema } from '../model/image.ts';
import { refSchema, shaSchema, tagSchema } from './read-body.ts';
import { absentSha, type Reading } from './reading.ts';

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

/** Events of AWS services that EventBridge brings: nobody signs them, since only AWS can put them on the bus. */
export const nativeEventSchema = z.discriminatedUnion('source', [ecrSchema, codeCommitSchema]);
export type NativeEvent = z.infer<typeof nativeEventSchema>;

/** What such an event tells, in the words of a webhook's. */
export function readNativeEvent(event: NativeEvent): Reading {
  return event.source === 'aws.ecr' ? readEcr(event) : readCodeCommit(event);
}

/** Name of the event's source in the ledger. */
export function nativeProvider({ source }: NativeEvent): 'ecr' | 'codecommit' {
  return source === 'aws.ecr' ? 'ecr' : 'codecommit';
}

/** The registry's host ends differently in the partition of China. */
function awsDomain(region: string): string {
  return region.startsWith('cn-') ? 'amazonaws.com.cn' : 'amazonaws.com';
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
  const host = `git-codecommit.${region}.${awsDomain(region)}`;
  const urls = [`https://${host}/v1/repos/${name}`, `ssh://${host}/v1/repos/${name}`];
  const push = {
    // With its host: a repository of the same name in another region is another.
    repository: { fullName: `${host}/v1/repos/${name}`, urls },
    ref,
    before: oldCommitId ?? (isDeleted ? (commitId ?? absentSha) : absentSha),
    after: isDeleted ? absentSha : (commitId ?? absentSha),
  };
  return { kind: 'pushes', ...told, pushes: [push], stamped: true };
}
