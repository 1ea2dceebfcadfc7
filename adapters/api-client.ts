import { Agent, request as send } from 'undici';
import { requestSeconds } from '../core/contract/kubernetes.ts';
import { Blocked, Retry } from '../core/errors.ts';
import type { Clock } from '../core/ports.ts';
import { answerText, connectionFault, isBrokenConnection } from './api-fault.ts';
import type { ApiServer } from './api-fault.ts';

const connectSeconds = 5;
/** Requests at once to one cluster; more of ours would only wait in the server's fair queues. */
const connections = 10;

/** How to reach one API server, and as whom. Certificates are always verified. */
export interface ApiAccess extends ApiServer {
  /** PEM; absent means the public authorities. */
  readonly ca?: string;
  /** Name in the server's certificate where it is not that of the URL. */
  readonly serverName?: string;
  readonly clientCertificate?: { readonly cert: string; readonly key: string };
  /** Value of the Authorization header. `fresh`: the last one was not accepted, so do not repeat it from a cache. */
  readonly authorization?: (fresh: boolean) => Promise<string>;
}

export interface ApiRequest {
  readonly method: 'GET' | 'PATCH' | 'DELETE';
  /** Escaped path below the server's prefix. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly accept?: string;
  readonly body?: { readonly contentType: string; readonly text: string };
}

export interface ApiResponse {
  readonly status: number;
  /** Parsed JSON; text where the server sent something else. */
  readonly body: unknown;
  /** Texts of `Warning` headers. */
  readonly warnings: readonly string[];
}

/**
 * HTTP to one API server over one keep-alive agent. Idle sockets close themselves within seconds and never keep a
 * process alive, so a connection needs no closing.
 */
export class ApiClient {
  readonly #access: ApiAccess;
  readonly #clock: Pick<Clock, 'now'>;
  readonly #deadline: () => number;
  readonly #agent: Agent;

  constructor(access: ApiAccess, clock: Pick<Clock, 'now'>, deadline: () => number) {
    this.#access = access;
    this.#clock = clock;
    this.#deadline = deadline;
    this.#agent = new Agent({
      connections,
      connect: {
        timeout: connectSeconds * 1000,
        rejectUnauthorized: true,
        ...(access.ca !== undefined && { ca: access.ca }),
        ...(access.serverName !== undefined && { servername: access.serverName }),
        ...access.clientCertificate,
      },
    });
  }

  /** Name and address for texts. */
  get subject(): string {
    return `cluster ${this.#access.cluster}`;
  }

  /**
   * Gives 2xx and those 4xx that the caller decides on. Throws Blocked when our credentials are not accepted, Retry
   * when unreachable or when the request could outlive the deadline.
   */
  async send(request: ApiRequest): Promise<ApiResponse> {
    const response = await this.#once(request, false);
    if (response.status !== 401) return response;
    // A cached token may just have run out; a fresh one that is refused as well is an answer.
    const again = this.#access.authorization === undefined ? response : await this.#once(request, true);
    if (again.status !== 401) return again;
    const message =
      'did not accept our credentials (401); grant the role an access entry (EKS), or renew the kubeconfig in its secret';
    throw new Blocked({ subject: this.subject, message });
  }

  /** For every status that says: not now. */
  unavailable({ method, path }: ApiRequest, { status, body }: ApiResponse, afterSeconds?: number): Retry {
    const message = `answered ${status} to ${method} ${path}: ${answerText(status, body)}`;
    return new Retry({ subject: this.subject, message, ...(afterSeconds !== undefined && { afterSeconds }) });
  }

  async #once(request: ApiRequest, fresh: boolean): Promise<ApiResponse> {
    const authorization = await this.#access.authorization?.(fresh);
    try {
      return await this.#exchange(request, authorization);
    } catch (error) {
      if (error instanceof Retry) throw error;
      if (request.method !== 'GET' || !isBrokenConnection(error)) throw this.#fault(error);
    }
    try {
      return await this.#exchange(request, authorization);
    } catch (error) {
      throw error instanceof Retry ? error : this.#fault(error);
    }
  }

  async #exchange(request: ApiRequest, authorization: string | undefined): Promise<ApiResponse> {
    this.#assertTime(request);
    const query = new URLSearchParams(request.query).toString();
    const response = await send(`${this.#access.server}${request.path}${query === '' ? '' : `?${query}`}`, {
      dispatcher: this.#agent,
      method: request.method,
      signal: AbortSignal.timeout(requestSeconds * 1000),
      headers: {
        accept: request.accept ?? 'application/json',
        'user-agent': 'trueup',
        ...(authorization !== undefined && { authorization }),
        ...(request.body !== undefined && { 'content-type': request.body.contentType }),
      },
      ...(request.body !== undefined && { body: request.body.text }),
    });
    const text = await response.body.text();
    const isJson = headerOf(response.headers['content-type']).startsWith('application/json');
    const body: unknown = isJson && text !== '' ? JSON.parse(text) : text;
    const answer = { status: response.statusCode, body, warnings: warningsIn(response.headers['warning']) };
    if (answer.status !== 429) return answer;
    throw this.unavailable(request, answer, Number(headerOf(response.headers['retry-after'])) || undefined);
  }

  /** The fence of rule 3: an effect that could still happen after our lease ended is never begun. */
  #assertTime({ method, path }: ApiRequest): void {
    if (this.#clock.now() + requestSeconds * 1000 <= this.#deadline()) return;
    const message = `${method} ${path} was not sent: it could not surely end before this run must stop; the next run goes on`;
    throw new Retry({ subject: this.subject, message });
  }

  #fault(error: unknown): Retry | Blocked {
    return connectionFault(this.#access, error, { connect: connectSeconds, request: requestSeconds });
  }
}

function headerOf(value: string | readonly string[] | undefined): string {
  return typeof value === 'string' ? value : (value?.[0] ?? '');
}

/** `299 - "unknown field \"spec.foo\""` gives `unknown field "spec.foo"`. */
function warningsIn(value: string | readonly string[] | undefined): string[] {
  const lines = typeof value === 'string' ? [value] : (value ?? []);
  return lines.map((line) => line.replace(/^299 \S+ "(.*)"$/, '$1').replaceAll('\\"', '"'));
}
