import * as z from 'zod';
import {
  branchSchema,
  headShaSchema,
  pullIdSchema,
  readBody,
  repositoryNameSchema,
  urlSchema,
} from './read-body.ts';
import type { HookRequest } from './hook-request.ts';
import type { PullHint, Reading } from './reading.ts';

/** Of GitHub, and in the same words of Gitea and Forgejo. */
const bodySchema = z.object({
  pull_request: z.object({
    number: pullIdSchema,
    head: z.object({ ref: branchSchema, sha: headShaSchema }),
    base: z.object({ ref: branchSchema }),
  }),
  repository: z.object({
    full_name: repositoryNameSchema,
    clone_url: urlSchema,
    ssh_url: urlSchema.optional(),
    html_url: urlSchema.optional(),
  }),
});

const actionSchema = z.object({ action: z.string().max(64) });

const actions: Readonly<Record<string, PullHint['action']>> = {
  opened: 'opened',
  reopened: 'opened',
  ready_for_review: 'opened',
  synchronize: 'updated',
  synchronized: 'updated',
  // The branch that it is for may be another now.
  edited: 'updated',
  labeled: 'updated',
  unlabeled: 'updated',
  label_updated: 'updated',
  label_cleared: 'updated',
  converted_to_draft: 'updated',
  closed: 'closed',
  submitted: 'reviewed',
  dismissed: 'reviewed',
  reviewed: 'reviewed',
};

/** The pull request that an event is about. */
export function readGithubPull(
  request: HookRequest,
  told: { readonly event: string; readonly deliveryId: string | undefined },
): Reading {
  const named = readBody(request, actionSchema);
  if (named.kind === 'invalid') return named;
  const { action: name } = named.value;
  const action = Object.hasOwn(actions, name) ? actions[name] : undefined;
  if (action === undefined)
    return { kind: 'ignored', ...told, reason: `a pull request was ${name.replaceAll('_', ' ')}` };
  const body = readBody(request, bodySchema);
  if (body.kind === 'invalid') return body;
  const { repository, pull_request: pull } = body.value;
  const { full_name: fullName, clone_url, ssh_url, html_url } = repository;
  const urls = [clone_url, ssh_url, html_url].filter((url) => url !== undefined);
  const { number: id, head, base } = pull;
  const hint: PullHint = {
    repository: { fullName, urls },
    id,
    action,
    head: { branch: head.ref, sha: head.sha },
    base: { branch: base.ref },
  };
  return { kind: 'pulls', ...told, pulls: [hint], stamped: false };
}
