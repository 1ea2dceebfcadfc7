import * as z from 'zod';
import { lookupWishSchema } from './lookup.ts';
import { nameSchema } from './target.ts';

/** What the last render of an application was told of one cluster. */
const askedSchema = z.object({
  /** By question, in the words of `valueOfFact`; null for what was not known. */
  facts: z.record(z.string(), z.string().nullable()),
  lookups: lookupWishSchema.exactOptional(),
});
export type AskedOfCluster = z.infer<typeof askedSchema>;

/**
 * What the applications of one tracked ref asked of one cluster when they were last rendered, those that failed included:
 * when the sweep finds another answer, the repository is looked at again. Applications that asked nothing are not in it.
 */
export const askedDocumentSchema = z.object({
  version: z.literal(1),
  repository: nameSchema,
  ref: z.string(),
  applications: z.record(z.string(), askedSchema),
});
export type AskedDocument = z.infer<typeof askedDocumentSchema>;
