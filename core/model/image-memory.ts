import * as z from 'zod';

/** What was written for one policy: the tag last, and those that a person took back since. */
const policyMemorySchema = z.object({
  last: z.string().exactOptional(),
  at: z.string().exactOptional().describe('when the push of the last one was told of'),
  rejected: z.array(z.string()).readonly(),
});
export type PolicyMemory = z.infer<typeof policyMemorySchema>;

/** Of one repository, by policy. Losing it costs that a version which was taken back may be written once more. */
export const imageMemorySchema = z.object({
  version: z.literal(1),
  seq: z.number().int(),
  repository: z.string(),
  policies: z.record(z.string(), policyMemorySchema),
});
export type ImageMemory = z.infer<typeof imageMemorySchema>;
