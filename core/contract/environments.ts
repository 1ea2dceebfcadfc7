import * as z from 'zod';

/** Where pull requests of a repository may be run before they are merged (issue 7). */
export const environmentsSchema = z.strictObject({
  clusters: z
    .array(z.string().regex(/^[a-z0-9*]([-a-z0-9*]*[a-z0-9*])?$/, 'must be a name, with * for any text'))
    .min(1)
    .max(200)
    .describe('names, with * for any text: what nobody has reviewed runs on these, and on no others'),
  max: z.int().min(1).max(100).default(20).describe('most environments of the repository at once'),
});
export type EnvironmentsConfig = z.infer<typeof environmentsSchema>;
