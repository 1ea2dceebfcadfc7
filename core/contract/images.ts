import * as z from 'zod';
import { registrySchema } from './artifact.ts';

const secretName = z.string().min(1);
const emailForm = /^[^\s<>@]+@[^\s<>@]+$/;

/** With what the names of branches begin that images are proposed from. */
export const imageBranches = 'trueup/images/';

/** Who commits where the configuration names nobody. */
export const defaultImageAuthor = { name: 'trueup', email: 'trueup@noreply.invalid' };

/** Of every pull request that trueup opens in a repository. */
export const pullRequestLabels = z
  .array(z.string().min(1).max(50))
  .max(10)
  .default([])
  .describe('put on these pull requests, at hosts that have labels');

const pullRequestSchema = z.strictObject({
  group: z
    .enum(['repository', 'application'])
    .default('repository')
    .describe('one pull request for all images, or one for each application'),
  labels: pullRequestLabels,
});

/** How pushed images are written into a repository (`spec.images` of its Applications). */
export const imagesSchema = z.strictObject({
  paths: z
    .array(z.string().min(1))
    .default([])
    .describe("folders that are searched for Flux's ImagePolicies and setter markers; default: none"),
  author: z
    .strictObject({
      name: z
        .string()
        .regex(/^[^<>\p{Cc}]+$/u)
        .max(100),
      email: z.string().regex(emailForm).max(200),
    })
    .prefault(defaultImageAuthor),
  tokenSecret: secretName
    .exactOptional()
    .describe('a token that may push, which nobody else gets; default: the one that reads'),
  signingKeySecret: secretName
    .exactOptional()
    .describe(
      'Secrets Manager name of an armored OpenPGP private key without passphrase; commits are signed by it',
    ),
  pullRequest: pullRequestSchema
    .exactOptional()
    .describe('propose images by pull request; absent: they are committed to the tracked branch'),
});

/** A registry, or a part of one, that may be asked about images. Nothing that is not declared is ever asked. */
const imageSourceSchema = z.strictObject({
  url: z
    .string()
    .regex(/^oci:\/\/[^/@\s]+(?:\/[^@\s]*)?$/, 'must be oci://HOST or oci://HOST/PATH, without a user name')
    .transform((url) => url.replace(/\/+$/, ''))
    .describe('what the names of images begin with, such as oci://ghcr.io/acme'),
  ...registrySchema.shape,
});
export type ImageSource = z.infer<typeof imageSourceSchema>;

export const imageSourcesSchema = z.array(imageSourceSchema).max(100).default([]);
