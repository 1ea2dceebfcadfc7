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
import { absentSha, type PullHint, type Reading, type RepositoryHint } from './reading.ts';

const repositorySchema = z.object({
  slug: repositoryNameSchema,
  project: z.object({ key: repositoryNameSchema }),
  // Absent in versions before 8: then the name has to do.
  links: z.object({ clone: z.array(z.object({ href: urlSchema })).optional() }).optional(),
});

const pullSchema = z.object({
  pullRequest: z.object({
    id: pullIdSchema,
    fromRef: z.object({ id: branchSchema, latestCommit: headShaSchema }),
    toRef: z.object({ id: branchSchema, repository: repositorySchema }),
  }),
});

const pullActions: Readonly<Record<string, PullHint['action']>> = {
  'pr:opened': 'opened',
  'pr:from_ref_updated': 'updated',
  'pr:modified': 'updated',
  'pr:merged': 'closed',
  'pr:declined': 'closed',
  'pr:deleted': 'closed',
  'pr:reviewer:approved': 'reviewed',
  'pr:reviewer:unapproved': 'reviewed',
  'pr:reviewer:needs_work': 'reviewed',
  'pr:reviewer:changes_requested': 'reviewed',
};

const pushSchema = z.object({
  date: z.string().optional(),
  repository: repositorySchema,
  changes: z
    .array(
      z.object({
        ref: z.object({ id: refSchema }),
        fromHash: shaSchema,
        toHash: shaSchema,
        type: z.enum(['ADD', 'UPDATE', 'DELETE']),
      }),
    )
    .min(1)
    .max(1000),
});

const headersSchema = z.object({
  'x-event-key': z.string().regex(/^[\w:]{1,64}$/, 'must name the event'),
  'x-request-id': deliveryIdSchema,
});

/** Bitbucket Data Center and Server. */
export const bitbucketDataCenter: Provider = {
  verification: () => ({
    kind: 'hmac',
    algorithm: 'sha256',
    header: 'x-hub-signature',
    prefix: 'sha256=',
  }),
  headers: ['content-type', 'x-event-key', 'x-request-id'],
  read(request) {
    const headers = parsePart('header', headersSchema, request.headers);
    if (headers.kind === 'invalid') return headers;
    const told = { deliveryId: headers.value['x-request-id'], event: headers.value['x-event-key'] };
    if (told.event === 'diagnostics:ping') return { kind: 'ignored', ...told, reason: 'ping' };
    const action = Object.hasOwn(pullActions, told.event) ? pullActions[told.event] : undefined;
    if (action !== undefined) return readPull(request, told, action);
    if (told.event !== 'repo:refs_changed') {
      const used = ['repo:refs_changed', ...Object.keys(pullActions)].join(', ');
      const reason = `event ${told.event} is not used (used: ${used})`;
      return { kind: 'ignored', ...told, reason };
    }
    const body = readBody(request, pushSchema);
    if (body.kind === 'invalid') return body;
    const { repository, changes, date } = body.value;
    const hint = hintOf(repository);
    const pushes = changes.map(({ ref, fromHash, toHash, type }) => ({
      repository: hint,
      ref: ref.id,
      before: type === 'ADD' ? absentSha : fromHash,
      after: type === 'DELETE' ? absentSha : toHash,
    }));
    return { kind: 'pushes', ...told, pushes, stamped: date !== undefined };
  },
};

function hintOf({ project, slug, links }: z.infer<typeof repositorySchema>): RepositoryHint {
  return { fullName: `${project.key}/${slug}`, urls: (links?.clone ?? []).map(({ href }) => href) };
}

function readPull(
  request: HookRequest,
  told: { readonly event: string; readonly deliveryId: string },
  action: PullHint['action'],
): Reading {
  const body = readBody(request, pullSchema);
  if (body.kind === 'invalid') return body;
  const { id, fromRef, toRef } = body.value.pullRequest;
  const hint: PullHint = {
    repository: hintOf(toRef.repository),
    id,
    action,
    head: { branch: fromRef.id, sha: fromRef.latestCommit },
    base: { branch: toRef.id },
  };
  return { kind: 'pulls', ...told, pulls: [hint], stamped: false };
}
