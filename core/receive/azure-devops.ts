import * as z from 'zod';
import type { HookRequest } from './hook-request.ts';
import type { Provider } from './provider.ts';
import {
  branchSchema,
  deliveryIdSchema,
  headShaSchema,
  invalid,
  pullIdSchema,
  readBody,
  refSchema,
  repositoryNameSchema,
  shaSchema,
  urlSchema,
} from './read-body.ts';
import { absentSha, type PullHint, type Reading, type RepositoryHint } from './reading.ts';

const envelopeSchema = z.object({ id: deliveryIdSchema, eventType: z.string().regex(/^[\w.-]{1,64}$/) });

const repositorySchema = z.object({
  name: repositoryNameSchema,
  remoteUrl: urlSchema,
  project: z.object({ name: repositoryNameSchema }).optional(),
});

const pushSchema = z.object({
  createdDate: z.string().optional(),
  resource: z.object({
    refUpdates: z
      .array(z.object({ name: refSchema, oldObjectId: shaSchema, newObjectId: shaSchema }))
      .min(1)
      .max(1000),
    repository: repositorySchema,
  }),
});

const pullSchema = z.object({
  resource: z.object({
    pullRequestId: pullIdSchema,
    status: z.string().max(64),
    sourceRefName: branchSchema,
    targetRefName: branchSchema,
    // Absent until the host has looked at both branches.
    lastMergeSourceCommit: z.object({ commitId: headShaSchema }).nullish(),
    repository: repositorySchema,
  }),
});

/** Merged: a merge was tried, to see whether there are conflicts. Votes, and all else, are told as updates. */
const pullEvents: Readonly<Record<string, PullHint['action']>> = {
  'git.pullrequest.created': 'opened',
  'git.pullrequest.updated': 'updated',
  'git.pullrequest.merged': 'updated',
};

/** The parts that a subscription leaves out when told to send less than all. */
const shortSchema = z.object({
  resource: z.object({ refUpdates: z.unknown().optional(), sourceRefName: z.unknown().optional() }).nullish(),
});

/** Azure DevOps: signs nothing; its service hooks send Basic authentication. */
export const azureDevops: Provider = {
  verification: () => ({ kind: 'basic' }),
  headers: ['content-type'],
  read(request) {
    const envelope = readBody(request, envelopeSchema);
    if (envelope.kind === 'invalid') return envelope;
    const told = { deliveryId: envelope.value.id, event: envelope.value.eventType };
    const action = Object.hasOwn(pullEvents, told.event) ? pullEvents[told.event] : undefined;
    if (action !== undefined) return readPull(request, told, action);
    if (told.event !== 'git.push') {
      const used = ['git.push', ...Object.keys(pullEvents)].join(', ');
      return { kind: 'ignored', ...told, reason: `event ${told.event} is not used (used: ${used})` };
    }
    const body = readBody(request, pushSchema);
    if (body.kind === 'invalid') return isShort(request, 'refUpdates') ? invalid(chooseAll) : body;
    const { refUpdates, repository } = body.value.resource;
    const hint = hintOf(repository);
    const pushes = refUpdates.map(({ name: ref, oldObjectId: before, newObjectId: after }) => ({
      repository: hint,
      ref,
      before,
      after,
    }));
    // The id in the body is that of the event.
    return { kind: 'pushes', ...told, pushes, stamped: true };
  },
};

const chooseAll = 'choose "All" for the resource details to send of the service hook';

function isShort(request: HookRequest, part: 'refUpdates' | 'sourceRefName'): boolean {
  const short = readBody(request, shortSchema);
  return short.kind === 'read' && short.value.resource?.[part] === undefined;
}

function hintOf({ name, remoteUrl, project }: z.infer<typeof repositorySchema>): RepositoryHint {
  const fullName = project === undefined ? name : `${project.name}/_git/${name}`;
  return { fullName, urls: [remoteUrl] };
}

function readPull(
  request: HookRequest,
  told: { readonly event: string; readonly deliveryId: string },
  action: PullHint['action'],
): Reading {
  const body = readBody(request, pullSchema);
  if (body.kind === 'invalid') return isShort(request, 'sourceRefName') ? invalid(chooseAll) : body;
  const { pullRequestId: id, status, sourceRefName, targetRefName, ...rest } = body.value.resource;
  const hint: PullHint = {
    repository: hintOf(rest.repository),
    id,
    action: status === 'active' ? action : 'closed',
    head: { branch: sourceRefName, sha: rest.lastMergeSourceCommit?.commitId ?? absentSha },
    base: { branch: targetRefName },
  };
  return { kind: 'pulls', ...told, pulls: [hint], stamped: true };
}
