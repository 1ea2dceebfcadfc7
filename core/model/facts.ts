import * as z from 'zod';
import { nameSchema } from './target.ts';

/** What an API server can do, as charts ask it. */
const capabilitiesSchema = z.object({
  /** `gitVersion`, e.g. v1.34.2-eks-a1b2c3d. */
  version: z.string(),
  /** `group/version` and `group/version/Kind` of everything that is served, sorted; `v1` and `v1/Pod` of the core group. */
  apiVersions: z.array(z.string()),
});
export type Capabilities = z.infer<typeof capabilitiesSchema>;

/** What the sweep last learned of a cluster that rendering may know (rule 10 of the design). */
export const clusterFactsSchema = z.object({
  /** Of the document. */
  format: z.literal(1),
  name: nameSchema,
  ...capabilitiesSchema.shape,
});
export type ClusterFacts = z.infer<typeof clusterFactsSchema>;
