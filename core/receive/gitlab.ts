import * as z from 'zod';
import type { HookRequest } from './hook-request.ts';
import type { Provider } from './provider.ts';
import {
  branchSchema,
  deliveryIdSchema,
  headShaSchema,
  parsePart,
  pullIdSchema,
  readBody,
  refSchema,
  repositoryNameSchema,
  shaSchema,
  urlSchema,
} from './read-body.ts';
import type { PullHint, Reading, RepositoryHint } from './reading.ts';

const kindSchema = z.object({
  object_kind: z.string().max(64).optional(),
  /** System hooks name it so. */
  event_name: z.string().max(64).optional(),
});

const projectSchema = z.object({
  path_with_namespace: repositoryNameSchema,
  git_http_url: urlSchema,
  git_ssh_url: urlSchema.optional(),
  web_url: urlSchema.optional(),
});

const pushSchema = z.object({
  ref: refSchema,
  before: shaSchema,
  after: shaSchema,
  project: projectSchema,
});

const mergeSchema = z.object({
  /** The one that it would be merged into. */
  project: projectSchema,
  object_attributes: z.object({
    iid: pullIdSchema,
    action: z.string().max(64).optional(),
    source_branch: branchSchema,
    target_branch: branchSchema,
    last_commit: z.object({ id: headShaSchema }),
  }),
});

const mergeActions: Readonly<Record<string, PullHint['action']>> = {
  open: 'opened',
  reopen: 'opened',
  update: 'updated',
  merge: 'closed',
  close: 'closed',
  // One of several approvals that are needed, and the last of them.
  approval: 'reviewed',
  approved: 'reviewed',
  unapproval: 'reviewed',
  unapproved: 'reviewed',
};

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
    if (event === 'merge_request') return readMerge(request, told);
    if (event !== 'push' && event !== 'tag_push') {
      const reason = `event ${event} is not used (used: push, tag_push, merge_request)`;
      return { kind: 'ignored', ...told, reason };
    }
    const body = readBody(request, pushSchema);
    if (body.kind === 'invalid') return body;
    const { ref, before, after, project } = body.value;
    const push = { repository: hintOf(project), ref, before, after };
    return { kind: 'pushes', ...told, pushes: [push], stamped: false };
  },
};

function hintOf(project: z.infer<typeof projectSchema>): RepositoryHint {
  const { git_http_url: http, git_ssh_url: ssh, web_url: web } = project;
  const urls = [http, ssh, web].filter((url) => url !== undefined);
  return { fullName: project.path_with_namespace, urls };
}

function readMerge(
  request: HookRequest,
  told: { readonly event: string; readonly deliveryId: string | undefined },
): Reading {
  const body = readBody(request, mergeSchema);
  if (body.kind === 'invalid') return body;
  const { project, object_attributes: merge } = body.value;
  const { iid: id, action: name = 'update', source_branch: branch, target_branch, last_commit } = merge;
  const action = Object.hasOwn(mergeActions, name) ? mergeActions[name] : undefined;
  if (action === undefined) return { kind: 'ignored', ...told, reason: `${name} of a merge request` };
  const hint: PullHint = {
    repository: hintOf(project),
    id,
    action,
    head: { branch, sha: last_commit.id },
    base: { branch: target_branch },
  };
  return { kind: 'pulls', ...told, pulls: [hint], stamped: false };
}
