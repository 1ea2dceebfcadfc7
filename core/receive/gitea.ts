import * as z from 'zod';
import { githubPushSchema } from './github.ts';
import { readGithubPull } from './github-pull.ts';
import type { HookRequest } from './hook-request.ts';
import type { Provider } from './provider.ts';
import { deliveryIdSchema, parsePart, readBody } from './read-body.ts';
import type { Reading } from './reading.ts';

/** A review is an event of its own for each verdict. */
const pullEvents: ReadonlySet<string> = new Set([
  'pull_request',
  'pull_request_approved',
  'pull_request_rejected',
]);

const pingSchema = z.object({ zen: z.string() });

/** Gitea and Forgejo: GitHub's push, under header names of their own (`X-Gitea-…`, `X-Forgejo-…`). */
function giteaLike(prefix: 'x-gitea' | 'x-forgejo'): Provider {
  const eventHeader = `${prefix}-event`;
  const deliveryHeader = `${prefix}-delivery`;
  const headersSchema = z.object({
    [eventHeader]: z.string().regex(/^\w{1,64}$/, 'must name the event'),
    [deliveryHeader]: deliveryIdSchema,
  });
  return {
    verification: () => ({
      kind: 'hmac',
      algorithm: 'sha256',
      header: `${prefix}-signature`,
      prefix: '',
    }),
    headers: ['content-type', eventHeader, deliveryHeader],
    read(request) {
      const headers = parsePart('header', headersSchema, request.headers);
      if (headers.kind === 'invalid') return headers;
      const event = headers.value[eventHeader] ?? '';
      return readEvent(request, { event, deliveryId: headers.value[deliveryHeader] });
    },
  };
}

function readEvent(
  request: HookRequest,
  told: { readonly event: string; readonly deliveryId: string | undefined },
): Reading {
  if (pullEvents.has(told.event)) return readGithubPull(request, told);
  if (told.event !== 'push') {
    const isPing = readBody(request, pingSchema).kind === 'read';
    const used = ['push', ...pullEvents].join(', ');
    const reason = isPing ? 'ping' : `event ${told.event} is not used (used: ${used})`;
    return { kind: 'ignored', ...told, reason };
  }
  const body = readBody(request, githubPushSchema);
  if (body.kind === 'invalid') return body;
  const { ref, before, after, repository } = body.value;
  const urls = [repository.clone_url, repository.ssh_url, repository.html_url].filter(
    (url) => url !== undefined,
  );
  const push = { repository: { fullName: repository.full_name, urls }, ref, before, after };
  // The moment of the push is not in the body, so that A to B, back, and A to B again may have equal bytes.
  return { kind: 'pushes', ...told, pushes: [push], stamped: false };
}

export const gitea = giteaLike('x-gitea');
export const forgejo = giteaLike('x-forgejo');
