import * as z from 'zod';
import { commitSchema } from './commit.ts';
import { seenLookupSchema } from './lookup.ts';
import { kubeObjectSchema } from './object.ts';
import { sopsFileSchema } from './sops.ts';

/**
 * Secret leaves of a snapshot at rest: AES-256-GCM under a data key that KMS holds the wrapping key of.
 * The value itself is the string `sealed:v1:<keyed digest>:<base64 of iv, ciphertext and tag>`.
 */
const sealingSchema = z.object({
  wrappedKey: z.string().describe('base64 of the KMS ciphertext of the data key'),
});

/** The rendered objects of one application for one cluster; immutable, named by its digest. */
export const snapshotSchema = z.object({
  version: z.literal(1),
  application: z.string(),
  /** For namespaced objects that name none; which those are is known only where the cluster is. */
  namespace: z.string(),
  objects: z.array(kubeObjectSchema),
  /** Absent when no object holds a secret value. */
  sealing: sealingSchema.exactOptional(),
  sops: z
    .record(z.string(), sopsFileSchema)
    .exactOptional()
    .describe('object key to the file, as it was committed, that SOPS encrypted'),
  provenance: z.object({
    commit: commitSchema.describe('the first commit that gave this content'),
    renderer: z.enum(['plain', 'kustomize', 'helm']),
    versions: z.record(z.string(), z.string()).describe('of trueup and of each renderer that ran'),
    inputDigest: z.string().describe('over paths and contents of every file the render read'),
    charts: z
      .array(z.object({ from: z.string(), name: z.string(), version: z.string(), digest: z.string() }))
      .exactOptional()
      .describe('what versions and ranges of charts came to'),
    sources: z
      .array(z.object({ repository: z.string(), sha: z.string() }))
      .exactOptional()
      .describe('other repositories that the render read, and at which commit'),
    lookups: z
      .array(seenLookupSchema)
      .exactOptional()
      .describe('what templates looked up on the cluster: which objects in which state, never their content'),
    warnings: z
      .array(z.object({ subject: z.string(), message: z.string() }))
      .exactOptional()
      .describe('what a person should know of the render although nothing failed'),
    origins: z
      .record(z.string(), z.string())
      .describe('object key to file and line, where the renderer knows'),
  }),
});
export type Snapshot = z.infer<typeof snapshotSchema>;
