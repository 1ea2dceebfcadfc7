import * as z from 'zod';
import type { Provider } from './provider.ts';
import {
  deliveryIdSchema,
  parsePart,
  readBody,
  refSchema,
  repositoryNameSchema,
  shaSchema,
  urlSchema,
} from './read-body.ts';

const kindSchema = z.object({
  object_kind: z.string().max(64).optional(),
  /** System hooks name it so. */
  event_name: z.string().max(64).optional(),
});

const pushSchema = z.object({
  ref: refSchema,
  before: shaSchema,
  after: shaSchema,
  project: z.object({
    path_with_namespace: repositoryNameSchema,
    git_http_url: urlSchema,
    git_ssh_url: urlSchema.optional(),
    web_url: urlSchema.optional(),
  }),
});

/**
 * Stable over GitLab's own tries: the id that a signing token signs, the same as a key beside it; and the event's id of
 * older versions. Still older ones send none.
 */
const headersSchema = z.object({
  'webhook-id': deliveryIdSchema.optional(),
  'idempotency-key': deliveryIdSchema.optional(),
  'x-gitlab-event-uuid': deliveryIdSchema.optional(),
});

/** GitLab: a signing token `whsec_…` where the hook has one (Standard Webhooks), else the secret in a header. */
export const gitlab: Provider = {
  verification: () => ({ kind: 'standard', otherwise: { kind: 'token', header: 'x-gitlab-token' } }),
  headers: ['content-type', 'webhook-id', 'idempotency-key', 'x-gitlab-event-uuid'],
  read(request) {
    const headers = parsePart('header', headersSchema, request.headers);
    if (headers.kind === 'invalid') return headers;
    const { 'webhook-id': signed, 'idempotency-key': key } = headers.value;
    const deliveryId = signed ?? key ?? headers.value['x-gitlab-event-uuid'];
    const kind = readBody(request, kindSchema);
    if (kind.kind === 'invalid') return kind;
    const event = kind.value.object_kind ?? kind.value.event_name ?? 'without a name';
    const told = { deliveryId, event };
    if (event !== 'push' && event !== 'tag_push') {
      return { kind: 'ignored', ...told, reason: `event ${event} is not used (used: push, tag_push)` };
    }
    const body = readBody(request, pushSchema);
    if (body.kind === 'invalid') return body;
    const { ref, before, after, project } = body.value;
    const urls = [project.git_http_url, project.git_ssh_url, project.web_url].filter(
      (url) => url !== undefined,
    );
    const push = { repository: { fullName: project.path_with_namespace, urls }, ref, before, after };
    return { kind: 'pushes', ...told, pushes: [push], stamped: false };
  },
};
