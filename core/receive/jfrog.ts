import * as z from 'zod';
import type { Provider } from './provider.ts';
import { readBody, repositoryNameSchema, tagSchema } from './read-body.ts';

const envelopeSchema = z.object({ domain: z.string().max(64), event_type: z.string().max(64) });

const pushSchema = z.object({
  data: z.object({
    repo_key: repositoryNameSchema,
    image_name: repositoryNameSchema,
    tag: tagSchema,
    sha256: z
      .string()
      .regex(/^[0-9a-f]{64}$/)
      .optional(),
  }),
});

const header = 'x-jfrog-event-auth';

/** JFrog Artifactory: one header with two meanings, so that the hook's `mode` must say which. */
export const jfrog: Provider = {
  verification: (hook) =>
    hook.provider === 'jfrog' && hook.mode === 'token'
      ? { kind: 'token', header }
      : { kind: 'hmac', algorithm: 'sha256', header, prefix: '' },
  headers: ['content-type'],
  read(request, hook) {
    const envelope = readBody(request, envelopeSchema);
    if (envelope.kind === 'invalid') return envelope;
    const { domain, event_type } = envelope.value;
    const event = `${domain}:${event_type}`;
    if (event !== 'docker:pushed') {
      return { kind: 'ignored', event, reason: `event ${event} is not used (used: docker:pushed)` };
    }
    const body = readBody(request, pushSchema);
    if (body.kind === 'invalid') return body;
    const { repo_key: key, image_name: name, tag, sha256 } = body.value.data;
    const host = hook.provider === 'jfrog' ? hook.registry : '';
    // With a host for each repository, its key is the first part of the host and not of the path.
    const repository = host.startsWith(`${key}.`) ? `${host}/${name}` : `${host}/${key}/${name}`;
    // What was pushed last is the manifest, whose hash is the digest of the image.
    const image = { repository, tag, ...(sha256 !== undefined && { digest: `sha256:${sha256}` }) };
    return { kind: 'images', event, images: [image], stamped: false };
  },
};
