import * as z from 'zod';
import { nameSchema } from './target.ts';

/** Why a cluster that was found once is found no more. */
const missingSchema = z.object({
  since: z.string(),
  why: z
    .enum(['gone', 'left'])
    .describe('gone: there is no such cluster any more; left: it has not the tags any more'),
});

/** An EKS cluster that a discovery found. */
export const foundClusterSchema = z.object({
  name: nameSchema.describe('in trueup; bound to the ARN for as long as the cluster is known'),
  arn: z.string(),
  roleArn: z.string().exactOptional(),
  externalId: z.string().exactOptional(),
  scope: z.string().describe('account and region as the discovery names them'),
  labels: z.record(z.string(), z.string()),
  version: z.string().exactOptional().describe("of Kubernetes, EKS's own word"),
  status: z.string().exactOptional().describe("EKS's own word, such as ACTIVE or UPDATING"),
  foundAt: z.string(),
  missing: missingSchema.exactOptional(),
});
export type FoundCluster = z.infer<typeof foundClusterSchema>;

/** How one discovery went. */
const discoveryStateSchema = z.object({
  listed: z
    .boolean()
    .describe('all that it covers was read at least once: what it did not find is not there'),
  failing: z.object({ since: z.string(), reason: z.string() }).exactOptional(),
});
export type DiscoveryState = z.infer<typeof discoveryStateSchema>;

const forgottenSchema = z.object({
  name: z.string(),
  arn: z.string(),
  at: z.string(),
  by: z.string(),
  reason: z.string(),
});

/**
 * Which clusters there are besides those of the stack configuration. A discovery that fails leaves what it found as it
 * is; a cluster leaves the document by a person's word, or when it was missing for long.
 */
export const clusterRegistrySchema = z.object({
  version: z.literal(1),
  seq: z.number().int().describe('grows with every write, so that no two versions have the same ETag'),
  /** By ARN. */
  clusters: z.record(z.string(), foundClusterSchema),
  /** By what is looked for. */
  discoveries: z.record(z.string(), discoveryStateSchema),
  /** Clusters that were found and are not served, by ARN, with the reason. */
  refused: z.record(z.string(), z.string()),
  forgotten: z.array(forgottenSchema),
  told: z
    .string()
    .exactOptional()
    .describe('digest of names and labels of all clusters that renders were last told of'),
});
export type ClusterRegistry = z.infer<typeof clusterRegistrySchema>;
