import * as z from 'zod';
import type { Webhook } from '../core/contract/hooks.ts';
import { Blocked, Retry, messageOf } from '../core/errors.ts';
import type { Clock, HookAttempt, HookAttempts, Secrets } from '../core/ports.ts';
import { signAppJwt } from './github-app-jwt.ts';

/** Of https://docs.github.com: "List deliveries for a repository webhook", the parts we read. */
const listSchema = z.array(
  z.object({
    id: z.number(),
    guid: z.string(),
    delivered_at: z.string(),
    event: z.string(),
    status_code: z.number(),
  }),
);

const timeoutMilliseconds = 10_000;
const perPage = 100;
/** A thousand deliveries in three days and more are a case for the poll of the refs alone. */
const mostPages = 10;

/** Deliveries of a webhook by GitHub's REST API, of a repository, an organization or an App, of github.com or a server. */
export class GitHubDeliveries implements HookAttempts {
  readonly #secrets: Secrets;
  readonly #clock: Pick<Clock, 'now'>;

  constructor(secrets: Secrets, clock: Pick<Clock, 'now'>) {
    this.#secrets = secrets;
    this.#clock = clock;
  }

  async list(webhook: Webhook, since: number): Promise<readonly HookAttempt[]> {
    const found: HookAttempt[] = [];
    let query: string | undefined = `?per_page=${perPage}`;
    for (let page = 0; page < mostPages && query !== undefined; page += 1) {
      const answer = await this.#ask(webhook, query, 'GET');
      const attempts = listSchema.parse(await answer.json()).map(attemptOf);
      found.push(...attempts.filter(({ at }) => Date.parse(at) >= since));
      const isOld = attempts.some(({ at }) => Date.parse(at) < since);
      query = isOld ? undefined : nextQuery(answer.headers.get('link'));
    }
    return found;
  }

  async redeliver(webhook: Webhook, attempt: number): Promise<void> {
    await this.#ask(webhook, `/${attempt}/attempts`, 'POST');
  }

  async #ask(webhook: Webhook, rest: string, method: 'GET' | 'POST'): Promise<Response> {
    const { apiUrl, of, id } = webhook;
    const subject = `webhook ${id} of ${of}`;
    const token = await this.#tokenOf(webhook, subject);
    const hook = of === 'app' ? 'app/hook' : `${of}/hooks/${id}`;
    const url = `${apiUrl.replace(/\/$/, '')}/${hook}/deliveries${rest}`;
    const headers = {
      accept: 'application/vnd.github+json',
      'x-github-api-version': '2022-11-28',
      'user-agent': 'trueup',
      authorization: `Bearer ${token}`,
    };
    let answer: Response;
    try {
      const signal = AbortSignal.timeout(timeoutMilliseconds);
      // A redirect could carry the token elsewhere.
      answer = await fetch(url, { method, headers, signal, redirect: 'error' });
    } catch (cause) {
      throw new Retry({ subject, message: `GitHub cannot be reached (${messageOf(cause)})`, cause });
    }
    if (answer.ok) return answer;
    await answer.body?.cancel();
    throw faultOf(subject, answer, webhook);
  }

  async #tokenOf(
    { id: appId, tokenSecret = '', privateKeySecret }: Webhook,
    subject: string,
  ): Promise<string> {
    if (privateKeySecret === undefined) return (await this.#secrets.get(tokenSecret)).current.trim();
    return signAppJwt(subject, { appId, privateKeySecret }, { secrets: this.#secrets, clock: this.#clock });
  }
}

function attemptOf({ id, guid, delivered_at, event, status_code }: z.infer<typeof listSchema>[number]) {
  return { id, guid, event, at: delivered_at, succeeded: status_code >= 200 && status_code < 300 };
}

/** The query of the next page alone: wherever else a Link header leads, we do not go. */
function nextQuery(link: string | null): string | undefined {
  const [, target] = /<([^>]+)>;\s*rel="next"/.exec(link ?? '') ?? [];
  return target === undefined || !URL.canParse(target) ? undefined : new URL(target).search;
}

function faultOf(
  subject: string,
  { status, headers }: Response,
  { tokenSecret = '', privateKeySecret }: Webhook,
): Error {
  const isLimited = headers.get('x-ratelimit-remaining') === '0' || headers.has('retry-after');
  if (status === 429 || status >= 500 || (status === 403 && isLimited)) {
    const wait = Number(headers.get('retry-after') ?? Number.NaN);
    const message = isLimited ? 'GitHub says: too many requests' : `GitHub answers ${status}`;
    return new Retry({ subject, message, ...(wait > 0 && { afterSeconds: wait }) });
  }
  const remedy =
    privateKeySecret === undefined
      ? `give the token in secret ${tokenSecret} the permission "Webhooks: read and write"`
      : `put the App's private key into secret ${privateKeySecret}`;
  const message = `GitHub answers ${status}; ${remedy}, or correct the hook's "redeliver"`;
  return new Blocked({ subject, message });
}
