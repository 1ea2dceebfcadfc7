import * as z from 'zod';
import type { Provider } from './provider.ts';
import { readBody, repositoryNameSchema, tagSchema } from './read-body.ts';

// `callback_url` is left alone on purpose: to call what a stranger names is how requests are forged (SSRF).
const bodySchema = z.object({
  push_data: z.object({ tag: tagSchema, pushed_at: z.number().optional() }),
  repository: z.object({ repo_name: repositoryNameSchema }),
});

/** Docker Hub: no signature, no secret, no digest. */
export const dockerHub: Provider = {
  verification: () => ({ kind: 'path' }),
  headers: ['content-type'],
  read(request) {
    const body = readBody(request, bodySchema);
    if (body.kind === 'invalid') return body;
    const { push_data, repository } = body.value;
    const image = { repository: `docker.io/${repository.repo_name}`, tag: push_data.tag };
    return { kind: 'images', event: 'push', images: [image], stamped: push_data.pushed_at !== undefined };
  },
};
