import { lookup, type LookupAddress, type LookupOptions } from 'node:dns';
import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';
import { Agent, fetch, type Response } from 'undici';
import { Blocked, Retry, Stop, messageOf } from '../core/errors.ts';

/** Where a declared source may lead, and nowhere else. */
export interface Reach {
  /** For texts, e.g. `charts https://charts.example`. */
  readonly subject: string;
  /** Host names (with a port where there is one), or `*.DOMAIN`. */
  readonly hosts: readonly string[];
  /** Whether addresses of a private network may be meant. */
  readonly internal: boolean;
}

export interface GuardedRequest {
  readonly headers?: Readonly<Record<string, string>>;
  /** Goes to the host of the URL alone, never along a redirect to another one. */
  readonly authorization?: string | undefined;
  /** Makes it a POST. */
  readonly body?: string;
  /** Longest answer that is read. */
  readonly bytes: number;
  /** Default 60. */
  readonly seconds?: number;
  /** Default 5, none of which leaves the declared hosts. */
  readonly redirects?: number;
}

export interface GuardedAnswer {
  readonly status: number;
  readonly headers: Response['headers'];
  readonly body: Uint8Array;
}

const longestSeconds = 60;
const mostRedirects = 5;
/** Of a cloud's own services, whatever is declared: instance credentials are there. */
const never = ['linkLocal', 'unspecified', 'multicast', 'broadcast', 'reserved'];

/** Every address is judged as it is connected to: a name that resolves anew to another one gains nothing. */
function agentFor(internal: boolean): Agent {
  const guarded = (
    host: string,
    options: LookupOptions,
    done: (error: Error | null, addresses: LookupAddress[]) => void,
  ): void => {
    lookup(host, { ...options, all: true }, (error, addresses) => {
      const refused = addresses?.find(({ address }) => !isAllowed(address, internal));
      if (error === null && refused !== undefined) done(new RefusedAddress(host), []);
      else done(error, addresses);
    });
  };
  return new Agent({ connect: { lookup: guarded, timeout: 10_000 }, keepAliveTimeout: 1_000 });
}

class RefusedAddress extends Error {
  constructor(host: string) {
    super(`${host} is at an internal address`);
  }
}

const agents = { public: agentFor(false), internal: agentFor(true) };

function isAllowed(address: string, internal: boolean): boolean {
  const range = ipaddr.process(address).range();
  return range === 'unicast' || (internal && !never.includes(range));
}

/**
 * One GET (a POST where there is a body), at most five redirects, none of which leaves the declared hosts or TLS. Gives every status below 500 but 429.
 * Throws Stop for what leads elsewhere or is too large, Retry where the other side does not answer.
 */
export async function guardedFetch(
  url: string,
  reach: Reach,
  request: GuardedRequest,
): Promise<GuardedAnswer> {
  const signal = AbortSignal.timeout((request.seconds ?? longestSeconds) * 1000);
  const maxRedirects = request.redirects ?? mostRedirects;
  let target = new URL(url);
  for (let redirects = 0; redirects <= maxRedirects; redirects += 1) {
    assertReachable(target, reach);
    const isOwn = target.host === new URL(url).host;
    const authorization = isOwn ? request.authorization : undefined;
    const headers = { ...request.headers, ...(authorization !== undefined && { authorization }) };
    const dispatcher = reach.internal ? agents.internal : agents.public;
    const post = request.body === undefined ? {} : { method: 'POST', body: request.body };
    const options = { headers, redirect: 'manual', signal, dispatcher, ...post } as const;
    const response = await fetch(target, options).catch((error: unknown) => {
      throw connectionFault(target, reach, error);
    });
    const next = response.status >= 300 && response.status < 400 ? response.headers.get('location') : null;
    if (next === null) return answerOf(target, response, reach, request);
    await response.body?.cancel();
    target = new URL(next, target);
  }
  const message =
    maxRedirects === 0
      ? 'answers with a redirect, which is not followed; give the address that it leads to'
      : `redirects more than ${maxRedirects} times`;
  throw new Stop({ subject: reach.subject, message });
}

function assertReachable({ protocol, host, hostname }: URL, { subject, hosts, internal }: Reach): void {
  const isDeclared = hosts.some(
    (one) => one === host || (one.startsWith('*.') && host.endsWith(one.slice(1))),
  );
  if (!isDeclared) {
    const message = `leads to ${host}, which is not declared; add it to its hosts in the stack configuration if that is right`;
    throw new Stop({ subject, message });
  }
  const address = hostname.replaceAll(/[[\]]/g, '');
  const isLoopback =
    hostname === 'localhost' || (isIP(address) > 0 && ipaddr.process(address).range() === 'loopback');
  if (protocol !== 'https:' && !(protocol === 'http:' && isLoopback)) {
    throw new Stop({ subject, message: `leads to ${protocol}//${host}, which is not over TLS` });
  }
  if (isIP(address) > 0 && !isAllowed(address, internal)) throw internalAddress(subject, host);
}

function internalAddress(subject: string, host: string): Stop {
  const message = `${host} is at an internal address; say internal: true in the stack configuration if that is right`;
  return new Stop({ subject, message });
}

function connectionFault({ host }: URL, { subject }: Reach, error: unknown): Stop | Retry {
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
  if (cause instanceof RefusedAddress) return internalAddress(subject, host);
  return new Retry({
    subject,
    message: `${host} did not answer (${messageOf(cause)}); it is asked again`,
    cause,
  });
}

async function answerOf(
  { host }: URL,
  response: Response,
  { subject }: Reach,
  { bytes }: GuardedRequest,
): Promise<GuardedAnswer> {
  const { status, headers } = response;
  if (status === 429 || status >= 500) {
    await response.body?.cancel();
    const after = Number(headers.get('retry-after') ?? '');
    const message = `${host} answered ${status}; it is asked again`;
    throw new Retry({ subject, message, ...(after > 0 && { afterSeconds: after }) });
  }
  const chunks: Uint8Array[] = [];
  let left = bytes;
  try {
    for await (const chunk of response.body ?? []) {
      left -= chunk.length;
      if (left < 0) throw new Stop({ subject, message: `${host} gives more than ${bytes} bytes` });
      chunks.push(chunk);
    }
  } catch (error) {
    if (error instanceof Stop) throw error;
    throw new Retry({ subject, message: `${host} broke off its answer; it is asked again`, cause: error });
  }
  return { status, headers, body: Buffer.concat(chunks) };
}

/** What 401, 403, 404 and the like mean. `what`: e.g. `chart podinfo`. */
export function statusFault({ subject }: Reach, status: number, what: string, secret: string | undefined) {
  if (status === 401 || status === 403) {
    const advice =
      secret === undefined
        ? 'name a secret with USER:PASSWORD in the stack configuration, or allow it to this role'
        : `put a user and password that may read it into the secret ${secret}`;
    return new Blocked({ subject, message: `refuses ${what} (${status}); ${advice}` });
  }
  const message = status === 404 ? `has no ${what}` : `answered ${status} for ${what}`;
  return new Stop({ subject, message: `${message}; mend its address, name or version` });
}
