import * as z from 'zod';
import { objectRefSchema } from './object.ts';
import { secretVersionsSchema } from './secret-reference.ts';

/**
 * What a run does to one object, and why, in words that a person reads in the run record. `mark`: nothing yet; a later
 * run deletes it if it is still not desired then.
 */
export const plannedActionSchema = z.object({
  action: z.enum(['create', 'update', 'leave', 'mark', 'prune', 'orphan', 'blocked']),
  ref: objectRefSchema,
  why: z.string(),
  /** Set where it is done for drift alone: what is only observed stays as it is. */
  heals: z.literal(true).optional(),
});
export type PlannedAction = z.infer<typeof plannedActionSchema>;

export const planSchema = z.object({
  actions: z.array(plannedActionSchema),
  /** Set when the plan as a whole must not run: the cap of rule 6, a rival owner, a duplicate. */
  refusal: z.string().optional(),
  secretVersions: secretVersionsSchema
    .exactOptional()
    .describe('of the values that Secrets refer to, as the run read them'),
});
export type Plan = z.infer<typeof planSchema>;
