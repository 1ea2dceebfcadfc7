import * as z from 'zod';

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
  secret: z
    .string()
    .min(1)
    .exactOptional()
    .describe('Secrets Manager name of USER:PASSWORD; absent: public, or ECR by the rights of the function'),
  hosts: z
    .array(z.string().regex(/^(?:\*\.)?[a-z0-9][-.a-z0-9]*(?::[0-9]+)?$/, 'must be a host name, or *.DOMAIN'))
    .max(20)
    .default([])
    .describe('other hosts that archives may lie on, or that the repository redirects to'),
  internal: z
    .boolean()
    .default(false)
    .describe('its addresses may be private ones, such as those of a VPC; link-local ones never'),
});
export type ChartSource = z.infer<typeof chartSourceSchema>;

export const chartSourcesSchema = z.array(chartSourceSchema).max(200).default([]);
