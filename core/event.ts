import * as z from 'zod';
import type { RepositoryConfig } from './contract/config.ts';
import type { Delivery } from './model/delivery.ts';

/** A webhook request as it came, before anything of it is believed. */
export interface HookRequest {
  readonly method: string;
  readonly path: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** The raw bytes: what the sender signed. */
  readonly body: Uint8Array;
  /** The same bytes read as UTF-8. */
  readonly text: string;
}

/** What a verified request asks for. */
export type HookMessage =
  | {
      readonly kind: 'push';
      readonly deliveryId: string;
      readonly event: string;
      readonly push: PushFacts;
      /** Names in the stack configuration; several when one repository is configured for several folders. */
      readonly repositories: readonly string[];
      /** The body names the moment of the push, so that no other push can have the same bytes. */
      readonly stamped: boolean;
    }
  | { readonly kind: 'ignored'; readonly deliveryId: string; readonly event: string; readonly reason: string }
  | { readonly kind: 'invalid'; readonly reason: string };

/** The push that a body tells of. */
export type PushMessage = Extract<HookMessage, { kind: 'push' }>;

/** A hint only: the head of the ref is asked at the Git host before anything is done (rule 2). */
interface PushFacts extends NonNullable<Delivery['push']> {
  readonly deleted: boolean;
}

const providers = { '/hooks/github': 'github' } as const;
export type Provider = (typeof providers)[keyof typeof providers];
export const hookRoutes = Object.keys(providers);

/** By the route alone: Gitea and Forgejo send GitHub's headers beside their own. */
export function providerOf(path: string): Provider | undefined {
  const route = Object.entries(providers).find(([known]) => known === path.replace(/\/$/, ''));
  return route?.[1];
}

/** Only HMAC-SHA256: the SHA-1 header that GitHub still sends beside it is never looked at. */
export const signatureHeader = { github: 'x-hub-signature-256' } as const satisfies Record<Provider, string>;

const noCommit = /^0+$/;
const sha = z.string().regex(/^[0-9a-f]{40}$/, 'must be 40 hex digits');
const url = z.string().max(2048);

const pushSchema = z.object({
  ref: z.string().max(1024).startsWith('refs/'),
  before: sha,
  after: sha,
  repository: z.object({
    full_name: z.string().min(1).max(300),
    clone_url: url,
    ssh_url: url.optional(),
    html_url: url.optional(),
    pushed_at: z.union([z.number(), z.string()]).nullish(),
  }),
});
type PushBody = z.infer<typeof pushSchema>;

const headersSchema = z.object({
  'x-github-delivery': z.string().regex(/^[\w-]{1,100}$/, 'must be the id of the delivery'),
  'x-github-event': z.string().regex(/^\w{1,64}$/, 'must name the event'),
});

/** Reads a request whose signature was verified. */
export function readMessage(request: HookRequest, repositories: readonly RepositoryConfig[]): HookMessage {
  const headers = headersSchema.safeParse(request.headers);
  if (!headers.success) return invalid('header', headers.error);
  const deliveryId = headers.data['x-github-delivery'];
  const event = headers.data['x-github-event'];
  const contentType = request.headers['content-type'] ?? '';
  if (!/^application\/json\s*(;|$)/i.test(contentType)) {
    return {
      kind: 'invalid',
      reason: 'choose the content type application/json in the settings of the webhook',
    };
  }
  const ignored = (reason: string): HookMessage => ({ kind: 'ignored', deliveryId, event, reason });
  if (event === 'ping') return ignored('ping');
  if (event !== 'push') return ignored(`event ${event} is not used (used: push, ping)`);

  const body = parseJson(request.text);
  if (body === undefined) return { kind: 'invalid', reason: 'the body is not JSON' };
  const parsed = pushSchema.safeParse(body);
  if (!parsed.success) return invalid('body', parsed.error);
  const found = trackedBy(parsed.data, repositories);
  if ('reason' in found) return ignored(found.reason);
  const { ref, before, after, repository } = parsed.data;
  return {
    kind: 'push',
    deliveryId,
    event,
    push: { repository: found.names.join(', '), ref, before, after, deleted: noCommit.test(after) },
    repositories: found.names,
    stamped: repository.pushed_at !== undefined && repository.pushed_at !== null,
  };
}

/** `undefined` stands for what is not JSON; JSON itself has no such value. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function invalid(part: 'header' | 'body', error: z.ZodError): HookMessage {
  const faults = error.issues.map(({ path, message }) => `${path.join('.') || '(root)'}: ${message}`);
  return { kind: 'invalid', reason: `${part} ${faults.join('; ')}` };
}

type Tracked = { readonly names: readonly string[] } | { readonly reason: string };

function trackedBy({ ref, repository }: PushBody, configured: readonly RepositoryConfig[]): Tracked {
  const candidates = matching(repository, configured);
  if (candidates.length === 0) {
    const known = configured.map((candidate) => candidate.url).join(', ');
    return { reason: `repository ${repository.full_name} is not configured (configured: ${known})` };
  }
  const tracked = candidates.filter(({ branch }) => ref === `refs/heads/${branch}`);
  if (tracked.length > 0) return { names: tracked.map(({ name }) => name) };
  const refs = candidates.map(({ branch }) => `refs/heads/${branch}`).join(', ');
  return { reason: `ref ${ref} is not tracked (tracked: ${refs})` };
}

/**
 * By any URL that the payload gives; where none fits (the host is reached under another name), by the full name if
 * that leaves no choice. A wrong match does no harm: the repository that is fetched is the configured one.
 */
function matching(
  payload: PushBody['repository'],
  configured: readonly RepositoryConfig[],
): readonly RepositoryConfig[] {
  const urls = [payload.clone_url, payload.ssh_url, payload.html_url].map((known) => identityOf(known ?? ''));
  const byUrl = configured.filter((repository) => urls.includes(identityOf(repository.url)));
  if (byUrl.length > 0) return byUrl;
  const suffix = `/${payload.full_name.toLowerCase()}`;
  const byName = configured.filter((repository) => identityOf(repository.url).endsWith(suffix));
  return new Set(byName.map((repository) => identityOf(repository.url))).size === 1 ? byName : [];
}

const urlPattern = /^(?:([a-z+]+):\/\/)?(?:[^@/]*@)?(\[[^\]]+\]|[^/:]+)(?::(\d+)(?=\/))?[/:]\/*(.+)$/i;
const defaultPorts: Readonly<Record<string, string>> = { https: '443', http: '80', ssh: '22' };

/**
 * `host:port/path` of a clone URL, HTTPS or SSH, without user, default port, `.git` and slash at the end.
 * In lower case throughout: no Git host tells two repositories apart by the case of their names.
 */
function identityOf(text: string): string {
  const [, scheme = '', host, port, path] = urlPattern.exec(text.toLowerCase()) ?? [];
  if (host === undefined || path === undefined) return text.toLowerCase();
  const shown = port === undefined || defaultPorts[scheme] === port ? '' : `:${port}`;
  return `${host}${shown}/${path.replace(/\/+$/, '').replace(/\.git$/, '')}`;
}

/** ECR's own event, as EventBridge delivers it; emitted on a best-effort basis, at least once. */
export const imageEventSchema = z.object({
  id: z.string().regex(/^[\w-]{1,100}$/),
  source: z.literal('aws.ecr'),
  'detail-type': z.literal('ECR Image Action'),
  detail: z.object({
    'action-type': z.string(),
    result: z.string(),
    'repository-name': z.string(),
    'image-digest': z.string(),
    'image-tag': z.string().optional(),
  }),
});
export type ImageEvent = z.infer<typeof imageEventSchema>;

/** `team/app:v1@sha256:…`; an image without a tag, such as one platform of several, leaves that part out. */
export function imageOf({ detail }: ImageEvent): string {
  const tag = detail['image-tag'];
  return `${detail['repository-name']}${tag === undefined ? '' : `:${tag}`}@${detail['image-digest']}`;
}
