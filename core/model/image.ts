import * as z from 'zod';

/** An image that a registry says was pushed. A hint: the tag may have moved on since. */
export const imageSchema = z.object({
  repository: z.string().describe('with the registry, without tag: `ghcr.io/acme/shop`'),
  tag: z.string(),
  digest: z.string().exactOptional().describe('`sha256:…`; some registries do not say'),
  mediaType: z.string().exactOptional().describe('of the manifest: a Helm chart is an image too'),
});
export type Image = z.infer<typeof imageSchema>;

/** A pushed image as it is decided on. */
export type PushedImage = Pick<Image, 'repository' | 'tag' | 'digest'> & {
  /** When its push was told of; absent: now, by a person. */
  readonly at?: string;
  /** Looked up for this policy; absent: for all that follow it. */
  readonly policy?: string;
};

/** What an image says of its build, read out of labels that whoever pushes writes as he likes: these forms and no others. */
export const imageFactsSchema = z.object({
  digest: z.string(),
  created: z
    .string()
    .regex(/^\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:\d\d)$/)
    .optional()
    .catch(undefined)
    .describe('when it was built, ISO 8601'),
  source: z
    .string()
    .max(300)
    .regex(/^https:\/\/[\w.-]+(?::\d+)?(?:\/[\w.~%-]+)*\/?$/)
    .optional()
    .catch(undefined)
    .describe('where its source is'),
  revision: z
    .string()
    .regex(/^[0-9a-zA-Z][\w.-]{0,63}$/)
    .optional()
    .catch(undefined)
    .describe('commit of that source'),
});
export type ImageFacts = z.infer<typeof imageFactsSchema>;
