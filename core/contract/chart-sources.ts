import * as z from 'zod';
import { registrySchema } from './artifact.ts';

const loopback = /^http:\/\/(127\.0\.0\.1|localhost|\[::1\])(?::|\/|$)/;

/** A Helm repository or an OCI registry that charts may come from. Nothing that is not declared is ever asked. */
const chartSourceSchema = z.strictObject({
  url: z
    .string()
    .refine(
      (url) => /^(?:https|oci):\/\/[^/@\s]+/.test(url) || loopback.test(url),
      'must be https://HOST/PATH or oci://HOST/PATH, without a user name (http:// on loopback only)',
    )
    .transform((url) => url.replace(/\/+$/, ''))
    .describe('of a Helm repository, or what the names of charts in an OCI registry begin with'),
  ...registrySchema.shape,
});
export type ChartSource = z.infer<typeof chartSourceSchema>;

export const chartSourcesSchema = z.array(chartSourceSchema).max(200).default([]);
