import * as z from 'zod';

/**
 * One webhook delivery in the ledger (rule 11): claimed with an expiry, then published, then its outcome.
 * Only a published delivery is suppressed as a duplicate; a claim that expired may be taken again.
 */
export const deliverySchema = z.object({
  version: z.literal(1),
  provider: z.string(),
  id: z.string(),
  /** Digest of the raw body: the id is not signed, the body is. */
  bodyDigest: z.string(),
  event: z.string(),
  receivedAt: z.string(),
  state: z.enum(['claimed', 'published', 'ignored']),
  claimExpiresAt: z.string(),
  publishedAt: z.string().optional(),
  attempts: z.number().int(),
  /** What was understood of it. */
  push: z
    .object({ repository: z.string(), ref: z.string(), before: z.string(), after: z.string() })
    .optional(),
  /** What came of it, or why nothing did: written by the snapshot function too. */
  outcome: z.string().optional(),
});
export type Delivery = z.infer<typeof deliverySchema>;
