import * as z from 'zod';
import type { Provider } from './provider.ts';
import { digestSchema, readBody, repositoryNameSchema, tagSchema } from './read-body.ts';

const bodySchema = z.object({
  docker_url: repositoryNameSchema,
  // A list of tags; a map of tags in old versions.
  updated_tags: z.union([z.array(tagSchema).max(1000), z.record(tagSchema, z.string())]).default([]),
});

/** Quay: no signature and no header of ours; it names neither digest nor time. */
export const quay: Provider = {
  verification: () => ({ kind: 'path' }),
  headers: ['content-type'],
  read(request) {
    const body = readBody(request, bodySchema);
    if (body.kind === 'invalid') return body;
    const { docker_url: repository, updated_tags: tags } = body.value;
    const pairs = Array.isArray(tags) ? tags.map((tag) => [tag, ''] as const) : Object.entries(tags);
    const images = pairs.map(([tag, value]) => {
      const digest = digestSchema.safeParse(value);
      return digest.success ? { repository, tag, digest: digest.data } : { repository, tag };
    });
    if (images.length > 0) return { kind: 'images', event: 'repo_push', images, stamped: false };
    return { kind: 'ignored', event: 'repo_push', reason: 'no tag was pushed: a test, or another event' };
  },
};
