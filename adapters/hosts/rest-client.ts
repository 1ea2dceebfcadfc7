import type * as z from 'zod';
import { Blocked, Retry, messageOf } from '../../core/errors.ts';
import type { Clock } from '../../core/ports.ts';
import { hostFault, type HostAnswer, type HostAsked } from './host-fault.ts';

const timeoutMilliseconds = 20_000;

export interface RestRequest {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'PATCH';
  /** Below the address of the API; each segment is encoded already. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string | number | boolean | readonly string[]>>;
  readonly body?: unknown;
  /** Which right it takes, as the host calls it; for the text of a refusal. */
  readonly right: string;
  /** Statuses beside 2xx that the caller knows: their answers are given back, unparsed. */
  readonly known?: readonly number[];
}

export interface RestOptions extends Omit<HostAsked, 'right'> {
  readonly apiUrl: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly clock: Pick<Clock, 'now'>;
}

/** An answer in the shape that was asked for, or one of the known refusals. */
export type RestAnswer<T> =
  | { readonly kind: 'done'; readonly value: T; readonly headers: HostAnswer['headers'] }
  | ({ readonly kind: 'known' } & HostAnswer);

/** Asks the JSON API of one host for one repository. */
export class RestClient {
  readonly #options: RestOptions;

  constructor(options: RestOptions) {
    this.#options = options;
  }

  /** Throws Blocked and Retry for whatever is no success. */
  async ask<T>(schema: z.ZodType<T>, request: Omit<RestRequest, 'known'>): Promise<T> {
    const answer = await this.try(schema, request);
    if (answer.kind === 'done') return answer.value;
    throw this.fault(answer, request.right);
  }

  /** Undefined where the host has none (404). */
  async find<T>(schema: z.ZodType<T>, request: Omit<RestRequest, 'known'>): Promise<T | undefined> {
    const answer = await this.try(schema, { ...request, known: [404] });
    return answer.kind === 'done' ? answer.value : undefined;
  }

  /** The same, with the statuses given back that the caller knows. */
  async try<T>(schema: z.ZodType<T>, request: RestRequest): Promise<RestAnswer<T>> {
    const { status, headers, text } = await this.#send(request);
    const body = jsonOf(text);
    // Azure DevOps answers 203 with a page to sign in where it takes no token.
    if (status >= 200 && status < 300 && status !== 203) {
      const parsed = schema.safeParse(body);
      if (parsed.success) return { kind: 'done', value: parsed.data, headers };
      const [issue] = parsed.error.issues;
      const message = `${this.#options.host} answers ${request.path} with something else than its API describes (${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}); check host.apiUrl`;
      throw new Blocked({ subject: this.#options.subject, message });
    }
    if (request.known?.includes(status) === true) return { kind: 'known', status, headers, body };
    throw this.fault({ status, headers, body }, request.right);
  }

  /** What a known refusal means after all. */
  fault(answer: HostAnswer, right: string): Blocked | Retry {
    return hostFault(answer, { ...this.#options, right }, this.#options.clock);
  }

  async #send({ method = 'GET', path, query = {}, body }: RestRequest) {
    const { apiUrl, subject, host, headers } = this.#options;
    const url = new URL(`${apiUrl}${path}`);
    for (const [key, value] of Object.entries(query)) {
      for (const one of Array.isArray(value) ? value : [value]) url.searchParams.append(key, String(one));
    }
    try {
      const response = await fetch(url, {
        method,
        // Not followed: it could carry the token elsewhere.
        redirect: 'manual',
        signal: AbortSignal.timeout(timeoutMilliseconds),
        headers: {
          accept: 'application/json',
          'user-agent': 'trueup',
          ...(body !== undefined && { 'content-type': 'application/json' }),
          ...headers,
        },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      });
      return { status: response.status, headers: response.headers, text: await response.text() };
    } catch (cause) {
      const timedOut = cause instanceof Error && cause.name === 'TimeoutError';
      const message = `${host} does not answer (${messageOf(cause)}); it is asked again`;
      throw new Retry({ subject, message, cause, timedOut });
    }
  }
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
