import * as z from 'zod';
import { repositorySchema, type RepositoryConfig } from './repository.ts';

/**
 * A Git repository that kustomizations may name bases of, by a full SHA. Nothing that is not declared is ever asked,
 * and no branch or tag is ever followed.
 */
const baseSourceSchema = z
  .strictObject({
    url: z
      .string()
      .transform((url) => url.replace(/\/+$/, ''))
      .describe('clone URL; a kustomization may spell it in any way that kustomize knows'),
    tokenSecret: z
      .string()
      .min(1)
      .exactOptional()
      .describe('Secrets Manager name of an HTTPS token; absent for public'),
  })
  .superRefine((base, context) => {
    const parsed = repositorySchema.safeParse({ name: 'base', ...base });
    for (const { path, message } of parsed.error?.issues ?? [])
      context.addIssue({ code: 'custom', path: [...path], message });
  });
export type BaseSource = z.infer<typeof baseSourceSchema>;

export const baseSourcesSchema = z.array(baseSourceSchema).max(100).default([]);

/** As a repository of the configuration, at exactly one commit. */
export function baseRepository(base: BaseSource, sha: string): RepositoryConfig {
  const words = base.url.replace(/^[^/]*\/\/[^/]*|\.git$/g, '').toLowerCase();
  const name = words.replaceAll(/[^a-z0-9]+/g, '-').slice(0, 40);
  return repositorySchema.parse({ ...base, name: name.replaceAll(/^-|-$/g, '') || 'base', commit: sha });
}
