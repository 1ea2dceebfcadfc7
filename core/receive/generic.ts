import * as z from 'zod';
import { imageSchema } from '../model/image.ts';
import type { HookRequest } from './hook-request.ts';
import type { Provider } from './provider.ts';
import {
  deliveryIdSchema,
  digestSchema,
  readBody,
  refSchema,
  repositoryNameSchema,
  shaSchema,
  tagSchema,
} from './read-body.ts';
import { absentSha, type Reading } from './reading.ts';

const pushSchema = z.object({
  repository: repositoryNameSchema.max(2048).describe('clone URL, or owner/name'),
  ref: refSchema,
  before: shaSchema.default(absentSha),
  after: shaSchema,
});

/** Our own format, for whatever can send a request: `{ push }` or `{ image }`, with an id where there is one. */
const bodySchema = z
  .object({
    id: deliveryIdSchema.optional().describe('the same over the tries of one delivery'),
    push: pushSchema.optional(),
    image: imageSchema
      .extend({ repository: repositoryNameSchema, tag: tagSchema, digest: digestSchema.exactOptional() })
      .optional(),
  })
  .refine(({ push, image }) => (push === undefined) !== (image === undefined), {
    message: 'must have either push or image',
  });

function read(request: HookRequest): Reading {
  const body = readBody(request, bodySchema);
  if (body.kind === 'invalid') return body;
  const { id, push, image } = body.value;
  // The id that Standard Webhooks sign is as good as one in the body.
  const deliveryId = id ?? deliveryIdSchema.safeParse(request.headers['webhook-id']).data;
  const stamped = id !== undefined;
  if (image !== undefined) return { kind: 'images', deliveryId, event: 'image', images: [image], stamped };
  if (push === undefined)
    return { kind: 'ignored', deliveryId, event: 'none', reason: 'it asks for nothing' };
  const { repository, ref, before, after } = push;
  const hint = { fullName: repository, urls: [repository] };
  const pushes = [{ repository: hint, ref, before, after }];
  return { kind: 'pushes', deliveryId, event: 'push', pushes, stamped };
}

/** Any sender that can sign: `X-Signature: sha256=<hex>`, or Standard Webhooks where the secret is `whsec_…`. */
export const generic: Provider = {
  verification: () => ({
    kind: 'standard',
    otherwise: { kind: 'hmac', algorithm: 'sha256', header: 'x-signature', prefix: 'sha256=' },
  }),
  headers: ['content-type', 'webhook-id'],
  read,
};

/** A job of a CI system that shows a token of its own (GitHub Actions, GitLab CI) in place of a secret. */
export const oidc: Provider = { verification: () => ({ kind: 'oidc' }), headers: ['content-type'], read };
