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
  repositoryNameSchema,
  shaSchema,
  urlSchema,
} from './read-body.ts';
import { absentSha, type PullHint, type Reading } from './reading.ts';

const sideSchema = z.object({
  type: z.string(),
  name: z.string().min(1).max(1000),
  target: z.object({ hash: shaSchema }),
});

const repositorySchema = z.object({
  full_name: repositoryNameSchema,
  links: z.object({ html: z.object({ href: urlSchema }) }),
});

const branchOf = z.object({ name: branchSchema });
const pullSchema = z.object({
  repository: repositorySchema,
  pullrequest: z.object({
    id: pullIdSchema,
    // Twelve digits of it.
    source: z.object({ branch: branchOf, commit: z.object({ hash: headShaSchema }) }),
    destination: z.object({ branch: branchOf }),
  }),
});

const pullActions: Readonly<Record<string, PullHint['action']>> = {
  'pullrequest:created': 'opened',
  'pullrequest:updated': 'updated',
  'pullrequest:fulfilled': 'closed',
  'pullrequest:rejected': 'closed',
  'pullrequest:approved': 'reviewed',
  'pullrequest:unapproved': 'reviewed',
  'pullrequest:changes_request_created': 'reviewed',
  'pullrequest:changes_request_removed': 'reviewed',
};

const pushSchema = z.object({
  repository: repositorySchema,
  push: z.object({
    changes: z.array(z.object({ new: sideSchema.nullish(), old: sideSchema.nullish() })).max(1000),
  }),
});
type Change = z.infer<typeof pushSchema>['push']['changes'][number];

const headersSchema = z.object({
  'x-event-key': z.string().regex(/^[\w:]{1,64}$/, 'must name the event'),
  'x-request-uuid': deliveryIdSchema,
});

/** Bitbucket Cloud. A push names every ref that it moved; a side that is null is a ref that is not there. */
export const bitbucket: Provider = {
  // The name is that of GitHub's old header, but what it holds is SHA-256.
  verification: () => ({
    kind: 'hmac',
    algorithm: 'sha256',
    header: 'x-hub-signature',
    prefix: 'sha256=',
  }),
  headers: ['content-type', 'x-event-key', 'x-request-uuid'],
  read(request) {
    const headers = parsePart('header', headersSchema, request.headers);
    if (headers.kind === 'invalid') return headers;
    const told = { deliveryId: headers.value['x-request-uuid'], event: headers.value['x-event-key'] };
    const action = Object.hasOwn(pullActions, told.event) ? pullActions[told.event] : undefined;
    if (action !== undefined) return readPull(request, told, action);
    if (told.event !== 'repo:push') {
      const used = ['repo:push', ...Object.keys(pullActions)].join(', ');
      return { kind: 'ignored', ...told, reason: `event ${told.event} is not used (used: ${used})` };
    }
    const body = readBody(request, pushSchema);
    if (body.kind === 'invalid') return body;
    const { full_name: fullName, links } = body.value.repository;
    const repository = { fullName, urls: [links.html.href] };
    const pushes = body.value.push.changes.flatMap((change) => {
      const ref = refOf(change);
      if (ref === undefined) return [];
      const before = change.old?.target.hash ?? absentSha;
      return [{ repository, ref, before, after: change.new?.target.hash ?? absentSha }];
    });
    if (pushes.length === 0) return { kind: 'ignored', ...told, reason: 'the push moved no branch or tag' };
    return { kind: 'pushes', ...told, pushes, stamped: false };
  },
};

function refOf(change: Change): string | undefined {
  const side = change.new ?? change.old;
  if (side?.type === 'branch' || side?.type === 'named_branch') return `refs/heads/${side.name}`;
  // Annotated tags have a type of their own.
  return side?.type === 'tag' || side?.type === 'annotated_tag' ? `refs/tags/${side.name}` : undefined;
}

function readPull(
  request: HookRequest,
  told: { readonly event: string; readonly deliveryId: string },
  action: PullHint['action'],
): Reading {
  const body = readBody(request, pullSchema);
  if (body.kind === 'invalid') return body;
  const { repository, pullrequest: pull } = body.value;
  const { id, source, destination } = pull;
  const hint: PullHint = {
    repository: { fullName: repository.full_name, urls: [repository.links.html.href] },
    id,
    action,
    head: { branch: source.branch.name, sha: source.commit.hash },
    base: { branch: destination.branch.name },
  };
  return { kind: 'pulls', ...told, pulls: [hint], stamped: false };
}
