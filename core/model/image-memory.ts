import * as z from 'zod';

/** Rejected images of one policy: the oldest are forgotten. */
export const mostRejected = 50;

/** What was written for one policy: the image last, and those that a person took back since. */
const policyMemorySchema = z.object({
  last: z.string().exactOptional().describe('its tag'),
  digest: z.string().exactOptional().describe('where the last one led, if that was known'),
  at: z.string().exactOptional().describe('when the push of the last one was told of'),
  places: z
    .array(z.string())
    .exactOptional()
    .describe('where the last one stood once it was written; absent: wherever the image stood'),
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
  places: z.array(z.string()).exactOptional(),
  rejects: z.string().describe('what is rejected for the policy where a person closes it'),
});
export type ProposedImage = z.infer<typeof proposedSchema>;

/** A push of ours to a branch, from its intent on. */
const ownPushSchema = z.object({
  at: z
    .number()
    .describe('time of its commit, milliseconds; another second for each, by which it is known again'),
  sha: z.string().exactOptional().describe('absent: it was begun, and may have failed or not'),
  images: z.array(proposedSchema),
  content: z.string().describe('digest of what it changes; only another is pushed again'),
});
export type OwnPush = z.infer<typeof ownPushSchema>;

/** A pull request of ours by its branch, from the intent to push on. */
const currentProposalSchema = z.object({
  images: z.array(proposedSchema).describe('what it is to hold'),
  waiting: z
    .array(proposedSchema)
    .exactOptional()
    .describe('what it would bring if nobody else had pushed to the branch'),
  pushes: z
    .array(ownPushSchema)
    .default([])
    .describe('what the branch may hold truly, as far as it is ours: a push may fail after its intent'),
  pullRequest: z.string().exactOptional().describe('id at the host; absent: it was to be opened'),
  before: z.string().exactOptional().describe('newest from that branch when this one was begun'),
});
export type ImageProposal = z.infer<typeof currentProposalSchema>;

/** As it was kept before several pushes were: one commit, or the intent to push it. */
const formerProposalSchema = z
  .object({
    ...currentProposalSchema.omit({ pushes: true }).shape,
    content: z.string(),
    sha: z.string().exactOptional(),
  })
  .transform(({ content, sha, ...proposal }): ImageProposal => {
    // Of an intent alone nothing is certain: what the branch holds then is not said here.
    const pushes = sha === undefined ? [] : [{ at: 0, sha, images: proposal.images, content }];
    return { ...proposal, pushes };
  });

const proposalSchema = z.union([formerProposalSchema, currentProposalSchema]);

/** Of one repository, by policy. Losing it costs that a version which was taken back may be written once more. */
export const imageMemorySchema = z.object({
  version: z.literal(1),
  seq: z.number().int(),
  repository: z.string(),
  policies: z.record(z.string(), policyMemorySchema),
  proposals: z.record(z.string(), proposalSchema).exactOptional(),
});
export type ImageMemory = z.infer<typeof imageMemorySchema>;

/** What the last look at registries found: what is new since was pushed since. */
export const imageTagsSchema = z.object({
  version: z.literal(1),
  seq: z.number().int(),
  policies: z
    .record(z.string(), z.array(z.string()).readonly())
    .describe('followed tags that were there, by policy'),
  told: z
    .record(z.string(), z.array(z.string()).readonly())
    .exactOptional()
    .describe('those that events told of since, by policy: the order of their pushes is known'),
  after: z
    .string()
    .exactOptional()
    .describe('image at which the last look stopped; absent: it came to the end'),
});
export type ImageTags = z.infer<typeof imageTagsSchema>;
