import * as z from 'zod';

/** An image that a registry says was pushed. A hint: the tag may have moved on since. */
export const imageSchema = z.object({
  repository: z.string().describe('with the registry, without tag: `ghcr.io/acme/shop`'),
  tag: z.string(),
  digest: z.string().exactOptional().describe('`sha256:…`; some registries do not say'),
  mediaType: z.string().exactOptional().describe('of the manifest: a Helm chart is an image too'),
});
export type Image = z.infer<typeof imageSchema>;
