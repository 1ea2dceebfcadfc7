import * as z from 'zod';
import { imageSchema } from './image.ts';

/**
 * One webhook delivery in the ledger (rule 11): claimed with an expiry, then published, then its outcome.
 * Only a published delivery is suppressed as a duplicate; a claim that expired may be taken again.
 */
export const deliverySchema = z.object({
  version: z.literal(1),
  /** Name of the hook: its provider, with its id where it has one; `ecr`, `codecommit`, `s3` and `poll` have no hook. */
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
  /** What was understood of it: refs that are tracked, by the repository's name in the stack configuration. */
  pushes: z
    .array(z.object({ repository: z.string(), ref: z.string(), before: z.string(), after: z.string() }))
    .exactOptional(),
  images: z.array(imageSchema).exactOptional(),
  pulls: z
    .array(
      z.object({
        repository: z.string(),
        id: z.string(),
        action: z.enum(['opened', 'updated', 'closed', 'reviewed']),
        head: z.object({ branch: z.string(), sha: z.string() }),
        base: z.object({ branch: z.string() }),
      }),
    )
    .exactOptional(),
  /** What came of it, or why nothing did: written by the snapshot function too. */
  outcome: z.string().optional(),
  /** Of a push: something of its commit could not be followed; `outcome` names it. */
  failed: z.literal(true).exactOptional(),
});
export type Delivery = z.infer<typeof deliverySchema>;
