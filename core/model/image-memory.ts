import * as z from 'zod';

/** What was written for one policy: the tag last, and those that a person took back since. */
const policyMemorySchema = z.object({
  last: z.string().exactOptional(),
  at: z.string().exactOptional().describe('when the push of the last one was told of'),
  rejected: z
    .array(z.string())
    .readonly()
    .describe('tags, or TAG@DIGEST where only what a tag leads to was taken back'),
});
export type PolicyMemory = z.infer<typeof policyMemorySchema>;

/** One image that a pull request is to bring, for one policy. */
const proposedSchema = z.object({
  policy: z.string(),
  repository: z.string(),
  tag: z.string(),
  digest: z.string().exactOptional(),
  at: z.string().exactOptional(),
  rejects: z.string().describe('what is rejected for the policy where a person closes it'),
});

/** A pull request of ours by its branch, from the intent to push on. */
const proposalSchema = z.object({
  images: z.array(proposedSchema),
  waiting: z
    .array(proposedSchema)
    .exactOptional()
    .describe('what it would bring if nobody else had pushed to the branch'),
  content: z.string().describe('digest of what the branch changes; only another is pushed again'),
  sha: z.string().exactOptional().describe('our commit; absent: its push was begun'),
  pullRequest: z.string().exactOptional().describe('id at the host; absent: it was to be opened'),
  before: z.string().exactOptional().describe('newest from that branch when this one was begun'),
});
export type ImageProposal = z.infer<typeof proposalSchema>;

/** Of one repository, by policy. Losing it costs that a version which was taken back may be written once more. */
export const imageMemorySchema = z.object({
  version: z.literal(1),
  seq: z.number().int(),
  repository: z.string(),
  policies: z.record(z.string(), policyMemorySchema),
  proposals: z.record(z.string(), proposalSchema).exactOptional(),
});
export type ImageMemory = z.infer<typeof imageMemorySchema>;

/** Which followed tags a registry had at the last look, by policy: what is new since was pushed since. */
export const imageTagsSchema = z.object({
  version: z.literal(1),
  seq: z.number().int(),
  policies: z.record(z.string(), z.array(z.string())),
});
