import * as z from 'zod';
import { clusterSelectorSchema } from './cluster-selector.ts';
import { durationSchema } from './duration.ts';
import { variableNameSchema } from './substitute.ts';

const number = '${PR_NUMBER}';

/** How an Application is run for each pull request of its repository, before it is merged (issue 7). */
export const previewEnvironmentsSchema = z.strictObject({
  name: z
    .string()
    .max(100)
    .refine((name) => name.includes(number), `must hold ${number}: each pull request has its own`)
    .default(`\${APPLICATION}-pr-${number}`)
    .describe('of the environment, and of the namespace that is made for it; ${APPLICATION}, ${PR_NUMBER}'),
  clusters: clusterSelectorSchema
    .exactOptional()
    .describe(
      'default: those of the application; of either, those that `environments` of the repository allows',
    ),
  label: z
    .string()
    .min(1)
    .max(100)
    .exactOptional()
    .describe('only pull requests that carry this label; default: all but those of forks'),
  ttl: durationSchema
    .default('72h')
    .describe('how long after its last commit an environment is kept though its pull request is open'),
  max: z.int().min(1).max(100).default(10).describe('most environments of the application at once'),
  variables: z
    .record(variableNameSchema, z.string())
    .default({})
    .describe(
      'in place of those of `source.substitute`; ${PR_NUMBER}, ${PR_SHA} and ${PR_BRANCH} are replaced, and are variables themselves',
    ),
  url: z
    .string()
    .regex(/^https?:\/\/[^\s<>()[\]]+$/, 'must be an address, http or https')
    .max(500)
    .exactOptional()
    .describe('where it is found, for the comment on the pull request; with the same variables'),
  clusterKinds: z
    .array(
      z.string().regex(/^(?:[a-z0-9.-]+\/)?[A-Za-z0-9]+$/, 'must be KIND of the core group, or GROUP/KIND'),
    )
    .max(50)
    .default([])
    .describe('cluster-scoped kinds that it may have beside its namespace; default: none'),
});
export type PreviewEnvironments = z.infer<typeof previewEnvironmentsSchema>;

/** What the pointer of an environment says of it: a run holds every object against this. */
export const environmentBoundsSchema = z.object({
  application: z.string().describe('that it is made of'),
  pull: z.string().describe('id of the pull request'),
  url: z.string().describe('of the pull request'),
  namespace: z.string().describe('made for it: nothing is in any other'),
  clusterKinds: z.array(z.string()),
});
export type EnvironmentBounds = z.infer<typeof environmentBoundsSchema>;

/** One environment as it was last seen to. */
const environmentSchema = z.object({
  application: z.string(),
  pull: z.object({ id: z.string(), url: z.string(), branch: z.string() }),
  sha: z.string().describe('commit of the pull request that is followed'),
  since: z.string().describe('when that commit was first seen'),
  until: z.string().describe('when its time is over'),
  clusters: z.array(z.string()).describe('all that it may have something on'),
  url: z.string().exactOptional(),
  made: z.string().exactOptional().describe('digest of what its snapshot was last made from'),
  state: z.enum(['active', 'ending', 'ended']).describe('ending: not everything of it is gone yet'),
  why: z.string().exactOptional().describe('it ends'),
  endingSince: z.string().exactOptional(),
});
export type Environment = z.infer<typeof environmentSchema>;

/**
 * Environments of one repository. Written before the first pointer of an environment is: what no record knows of could
 * never be taken away.
 */
export const environmentRecordSchema = z.object({
  version: z.literal(1),
  seq: z.number().int(),
  repository: z.string(),
  environments: z.record(z.string(), environmentSchema).describe('by name'),
  looked: z
    .string()
    .exactOptional()
    .describe('digest of all that the last look went by; absent while it has something left to do'),
  told: z.record(z.string(), z.string()).describe('pull request to the digest of the comment on it'),
});
export type EnvironmentRecord = z.infer<typeof environmentRecordSchema>;
