import * as z from 'zod';
import { objectRefSchema } from './object.ts';

/** What a run does to one object, and why, in words that a person reads in the run record. */
export const plannedActionSchema = z.object({
  action: z.enum(['create', 'update', 'leave', 'prune', 'orphan', 'blocked']),
  ref: objectRefSchema,
  why: z.string(),
});
export type PlannedAction = z.infer<typeof plannedActionSchema>;

export const planSchema = z.object({
  actions: z.array(plannedActionSchema),
  /** Set when the plan as a whole must not run: the cap of rule 6, a rival owner, a duplicate. */
  refusal: z.string().optional(),
});
export type Plan = z.infer<typeof planSchema>;
