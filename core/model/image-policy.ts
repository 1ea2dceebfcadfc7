import * as z from 'zod';

const orderSchema = z.enum(['asc', 'desc']).default('asc').describe('asc: the highest is the newest');

const filterSchema = z
  .strictObject({
    pattern: z.string().min(1).max(500).describe('regular expression (RE2) that a tag must match'),
    extract: z
      .string()
      .min(1)
      .max(200)
      .exactOptional()
      .describe('what of it is compared, such as $ts of (?P<ts>[0-9]+); default: the whole tag'),
  })
  .describe('tags that do not match are not looked at');

/** Which tags of an image are followed, and which of two is the newer. The words are those of Flux's ImagePolicy. */
export const tagOrderSchema = z
  .strictObject({
    semver: z.strictObject({ range: z.string().min(1).max(200) }).exactOptional(),
    numerical: z.strictObject({ order: orderSchema }).exactOptional(),
    alphabetical: z.strictObject({ order: orderSchema }).exactOptional(),
    newest: z.strictObject({}).exactOptional().describe('whichever was pushed last'),
  })
  .refine((order) => Object.values(order).filter((each) => each !== undefined).length === 1, {
    message: 'give one of semver, numerical, alphabetical and newest',
  });

const valuePathSchema = z
  .string()
  .regex(/^[^.\s]+(?:\.[^.\s]+)*$/, 'must be a path such as image.tag')
  .describe('path of a value, its parts with dots between them');

/** Where a chart's values name an image. */
const helmValuesSchema = z.strictObject({
  file: z
    .string()
    .min(1)
    .exactOptional()
    .describe('values file, relative to source.path; default: spec.source.helm.values of the Application'),
  tag: valuePathSchema.exactOptional(),
  digest: valuePathSchema.exactOptional(),
  image: valuePathSchema.exactOptional().describe('the whole reference in one value'),
});

/** An image that an application follows: pushed to the registry, it is written into the configuration repository. */
export const imagePolicySchema = z.strictObject({
  name: z
    .string()
    .regex(/^[a-z0-9][-a-z0-9]*$/)
    .max(63)
    .exactOptional()
    .describe('how setter markers name it, as APPLICATION:NAME; default: the last part of the image'),
  image: z.string().min(1).max(300).describe('with the registry, without tag: ghcr.io/acme/shop'),
  policy: tagOrderSchema,
  filter: filterSchema.exactOptional(),
  digest: z
    .enum(['never', 'always'])
    .default('never')
    .describe('always: the digest is written beside the tag, so that a moved tag moves nothing'),
  helm: z.array(helmValuesSchema).max(20).default([]),
});
export type ImagePolicy = z.infer<typeof imagePolicySchema>;

/** The name of a policy within its Application: markers know it as `APPLICATION:NAME`. */
export function policyName({ name, image }: Pick<ImagePolicy, 'name' | 'image'>): string {
  return name ?? image.slice(image.lastIndexOf('/') + 1);
}
