import * as z from 'zod';

/** One application on one cluster: the unit that is reconciled, locked, queued and recorded. */
export const targetSchema = z.object({ cluster: z.string(), application: z.string() });
export type Target = z.infer<typeof targetSchema>;

/** `cluster/application`, also the FIFO message group. */
export function targetKey(target: Target): string {
  return `${target.cluster}/${target.application}`;
}

/** Names of clusters, repositories and applications: they become S3 key parts, label values and queue groups. */
export const nameSchema = z
  .string()
  .regex(/^[a-z0-9]([-a-z0-9]{0,51}[a-z0-9])?$/, 'must be lower-case letters, digits and dashes, at most 53');
