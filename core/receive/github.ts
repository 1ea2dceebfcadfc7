import * as z from 'zod';
import { readGithubPull } from './github-pull.ts';
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

/** Of GitHub, and in the same words of Gitea and Forgejo. */
export const githubPushSchema = z.object({
  ref: refSchema,
  before: shaSchema,
  after: shaSchema,
  repository: z.object({
    full_name: repositoryNameSchema,
    clone_url: urlSchema,
    ssh_url: urlSchema.optional(),
    html_url: urlSchema.optional(),
    pushed_at: z.union([z.number(), z.string()]).nullish(),
  }),
});

export const githubHeadersSchema = z.object({
  'x-github-delivery': deliveryIdSchema,
  'x-github-event': z.string().regex(/^\w{1,64}$/, 'must name the event'),
});

/** Only HMAC-SHA256: the SHA-1 header that GitHub still sends beside it is never looked at. */
export const githubVerification = {
  kind: 'hmac',
  algorithm: 'sha256',
  header: 'x-hub-signature-256',
  prefix: 'sha256=',
} as const;

/** GitHub, GitHub Enterprise Server, and either by way of a GitHub App: all send the same. */
export const github: Provider = {
  verification: () => githubVerification,
  headers: ['content-type', 'x-github-delivery', 'x-github-event'],
  read(request) {
    const headers = parsePart('header', githubHeadersSchema, request.headers);
    if (headers.kind === 'invalid') return headers;
    const told = {
      deliveryId: headers.value['x-github-delivery'],
      event: headers.value['x-github-event'],
    };
    if (told.event === 'ping') return { kind: 'ignored', ...told, reason: 'ping' };
    if (told.event === 'pull_request' || told.event === 'pull_request_review')
      return readGithubPull(request, told);
    if (told.event !== 'push') {
      const hint = told.event.endsWith('package') ? '; images of GHCR go to the route /hooks/ghcr' : '';
      const reason = `event ${told.event} is not used (used: push, pull_request, pull_request_review, ping)${hint}`;
      return { kind: 'ignored', ...told, reason };
    }
    const body = readBody(request, githubPushSchema);
    if (body.kind === 'invalid') return body;
    const { ref, before, after, repository } = body.value;
    const { full_name: fullName, clone_url, ssh_url, html_url, pushed_at } = repository;
    const urls = [clone_url, ssh_url, html_url].filter((url) => url !== undefined);
    const stamped = pushed_at !== undefined && pushed_at !== null;
    const push = { repository: { fullName, urls }, ref, before, after };
    return { kind: 'pushes', ...told, pushes: [push], stamped };
  },
};
