import * as z from 'zod';
import { Blocked, Retry } from '../../core/errors.ts';
import type { Clock } from '../../core/ports.ts';

/** An answer that is no success. */
export interface HostAnswer {
  readonly status: number;
  readonly headers: { readonly get: (name: string) => string | null };
  /** Parsed JSON, or whatever it was. */
  readonly body: unknown;
}

/** What was asked, in the words of the person who must act. */
export interface HostAsked {
  /** E.g. `repository fleet`. */
  readonly subject: string;
  readonly host: string;
  /** E.g. `the token in secret git/token`. */
  readonly from: string;
  /** As the host calls it, e.g. `"Pull requests: write"`. */
  readonly right: string;
}

/** GitHub asks for at least this where it names no time. */
const unnamedWaitSeconds = 60;
const longestQuote = 200;

const text = z.string().min(1);
/** Where hosts put the sentence: GitHub, Gitea and Azure; GitLab; Bitbucket Cloud; Bitbucket Data Center. */
const errorSchema = z
  .object({
    message: z.unknown(),
    error: z.union([text, z.object({ message: text })]),
    errors: z.array(z.object({ message: text })).min(1),
  })
  .partial();

/** Blocked where a person must mend a token, a right or an address; Retry, with the time, where the host is busy. */
export function hostFault(
  { status, headers, body }: HostAnswer,
  asked: HostAsked,
  clock: Pick<Clock, 'now'>,
) {
  const { subject, host, from, right } = asked;
  const said = sentenceIn(body);
  const isLimited =
    status === 429 ||
    (status === 403 &&
      (headers.get('retry-after') !== null ||
        headers.get('x-ratelimit-remaining') === '0' ||
        /\brate limit|abuse detection/i.test(said)));
  if (isLimited || status >= 500 || status === 408) {
    const wait = waitIn(headers, clock) ?? (isLimited ? unnamedWaitSeconds : undefined);
    const what = isLimited ? `says that it was asked too often (${status})` : `answers ${status}`;
    const message = `${host} ${what}; it is asked again`;
    return new Retry({ subject, message, ...(wait !== undefined && { afterSeconds: wait }) });
  }
  const quoted = said === '' ? '' : `: ${said}`;
  switch (status) {
    case 301:
    case 307:
    case 308:
    case 421:
      return new Blocked({
        subject,
        message: `${host} says that it moved (${status}), which is not followed; correct its url, or host.apiUrl`,
      });
    // Azure DevOps shows a page to sign in.
    case 203:
    case 302:
    case 401:
      return new Blocked({
        subject,
        message: `${host} refuses ${from} (${status}${quoted}); it is wrong, revoked or past its time: put a new one there`,
      });
    case 403:
      return new Blocked({
        subject,
        message: `${host} does not allow it to ${from} (403${quoted}); give it the right ${right}`,
      });
    case 404:
      return new Blocked({
        subject,
        message: `${host} has no such repository, or does not show it to ${from} (404${quoted}); correct the url or give it the right ${right}`,
      });
    default:
      return new Blocked({
        subject,
        message: `${host} refuses the request (${status}${quoted}); see what it says, and whether ${from} has the right ${right}`,
      });
  }
}

/** Seconds until the host takes requests again: `Retry-After` in seconds or as a date, or a reset as seconds since the epoch. */
function waitIn(headers: HostAnswer['headers'], clock: Pick<Clock, 'now'>): number | undefined {
  const after = headers.get('retry-after');
  if (after !== null) {
    const seconds = /^\d+$/.test(after) ? Number(after) : (Date.parse(after) - clock.now()) / 1000;
    return Number.isFinite(seconds) ? Math.max(1, Math.ceil(seconds)) : undefined;
  }
  if (headers.get('x-ratelimit-remaining') !== '0' && headers.get('ratelimit-remaining') !== '0')
    return undefined;
  const reset = Number(headers.get('x-ratelimit-reset') ?? headers.get('ratelimit-reset') ?? Number.NaN);
  return Number.isFinite(reset) ? Math.max(1, Math.ceil(reset - clock.now() / 1000)) : undefined;
}

/** One line of what the host says of it, cut short. */
export function sentenceIn(body: unknown): string {
  const { data } = errorSchema.safeParse(body);
  if (data === undefined) return '';
  const { message, error, errors = [] } = data;
  const own = typeof message === 'string' ? message : message === undefined ? '' : JSON.stringify(message);
  const inner = typeof error === 'string' ? error : (error?.message ?? '');
  const parts = [own, inner, ...errors.map((one) => one.message)].filter((part) => part !== '');
  const line = parts.join('; ').replaceAll(/[\s\p{Cc}]+/gu, ' ');
  return line.length > longestQuote ? `${line.slice(0, longestQuote)}…` : line;
}
