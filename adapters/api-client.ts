import { Agent, request as send } from 'undici';
import { requestSeconds } from '../core/contract/kubernetes.ts';
import { Blocked, Retry } from '../core/errors.ts';
import type { Clock, Identity } from '../core/ports.ts';
import { answerOf, isOfOneKind, secondsAsked, type ApiRequest, type ApiResponse } from './api-answer.ts';
import { answerText, connectionFault, isBrokenConnection, webhookAdvice } from './api-fault.ts';
import type { ApiServer } from './api-fault.ts';
import { impersonationFault, impersonationHeaders, isImpersonationRefused } from './impersonation.ts';
import { longestPauseMs, RequestGate, requestsAtOnce } from './request-gate.ts';

const connectSeconds = 5;
/** How often a request is sent that the server answers with "wait", within 30 s of waiting in all. */
const throttledTries = 5;

/** How to reach one API server, and as whom. Certificates are always verified. */
export interface ApiAccess extends ApiServer {
  /** PEM; absent means the public authorities. */
  readonly ca?: string;
  /** Name in the server's certificate where it is not that of the URL. */
  readonly serverName?: string;
  readonly clientCertificate?: { readonly cert: string; readonly key: string };
  /** Value of the Authorization header. `fresh`: the last one was not accepted, so do not repeat it from a cache. */
  readonly authorization?: (fresh: boolean) => Promise<string>;
  /** What to do when it does not accept our credentials. */
  readonly entry?: string;
}

/** What connections to one cluster have in common, and as whom this one speaks. */
export interface ApiClientOptions {
  /** Left out: a gate of its own, at the default rate. */
  readonly gate?: RequestGate;
  /** Its open connections; left out: own ones. */
  readonly agent?: Agent;
  readonly impersonate?: Identity | undefined;
}

/**
 * HTTP to one API server over one keep-alive agent. Idle sockets close themselves within seconds and never keep a
 * process alive, so a connection needs no closing.
 */
export class ApiClient {
  readonly #access: ApiAccess;
  readonly #clock: Pick<Clock, 'now' | 'sleep'>;
  readonly #deadline: () => number;
  readonly #agent: Agent;
  readonly #gate: RequestGate;
  readonly #identity: Identity | undefined;
  readonly #headers: Readonly<Record<string, string | string[]>>;

  /** Throws Blocked for an identity that cannot be taken on. */
  constructor(
    access: ApiAccess,
    clock: Pick<Clock, 'now' | 'sleep'>,
    deadline: () => number,
    { gate = new RequestGate(clock), agent = agentFor(access), impersonate }: ApiClientOptions = {},
  ) {
    this.#access = access;
    this.#clock = clock;
    this.#deadline = deadline;
    this.#gate = gate;
    this.#identity = impersonate;
    this.#headers = impersonate === undefined ? {} : impersonationHeaders(this.subject, impersonate);
    this.#agent = agent;
  }

  /** Name and address for texts. */
  get subject(): string {
    return `cluster ${this.#access.cluster}`;
  }

  /** As whom the server judges us, for texts. */
  get speaker(): string {
    return this.#identity === undefined ? "trueup's role" : this.#identity.user;
  }

  /**
   * Gives 2xx, 304 and those 4xx that the caller decides on. A server that says "wait" (429, and once for a read 503 and
   * 504 with Retry-After) is obeyed here: such a request was not done, so it is sent again. Throws Blocked when our
   * credentials or the identity are not accepted, Retry when unreachable, still throttled, or out of time.
   */
  async send(request: ApiRequest): Promise<ApiResponse> {
    let waitedMs = 0;
    for (let attempt = 1; ; attempt += 1) {
      const response = await this.#authorized(request);
      const { status } = response;
      const seconds = secondsAsked(request, response);
      // Of a busy server one repeat is enough to get past a restart.
      if (seconds === undefined || (status !== 429 && attempt > 1)) return response;
      waitedMs += seconds * 1000;
      if (attempt === throttledTries || waitedMs > longestPauseMs) throw this.unavailable(request, response);
      if (isOfOneKind(response)) await this.#clock.sleep(seconds * 1000);
    }
  }

  /** For every status that says: not now. */
  unavailable({ method, path }: ApiRequest, { status, body, retryAfter }: ApiResponse): Retry {
    const words = answerText(status, body);
    const advice = webhookAdvice(words);
    const message = `answered ${status} to ${method} ${path}: ${advice === undefined ? words : `${advice} (${words})`}`;
    return new Retry({
      subject: this.subject,
      message,
      // The server gave up on what it asked in turn; one that is behind a proxy may not be there at all.
      timedOut: status === 504,
      ...(retryAfter !== undefined && { afterSeconds: retryAfter }),
    });
  }

  async #authorized(request: ApiRequest): Promise<ApiResponse> {
    const response = await this.#once(request, false);
    if (response.status === 403 && this.#identity !== undefined) {
      const words = answerText(response.status, response.body);
      if (isImpersonationRefused(words)) throw impersonationFault(this.subject, this.#identity, words);
    }
    if (response.status !== 401) return response;
    // A cached token may just have run out; a fresh one that is refused as well is an answer.
    const again = this.#access.authorization === undefined ? response : await this.#once(request, true);
    if (again.status !== 401) return again;
    const { entry = 'renew the kubeconfig in its secret: its token or certificate is not valid any more' } =
      this.#access;
    const message = `did not accept our credentials (401); ${entry}`;
    throw new Blocked({ subject: this.subject, message });
  }

  async #once(request: ApiRequest, fresh: boolean): Promise<ApiResponse> {
    const authorization = await this.#access.authorization?.(fresh);
    try {
      return await this.#exchange(request, authorization);
    } catch (error) {
      if (error instanceof Retry) throw error;
      // What a write has done is unknown now: the run looks before it writes again.
      if (request.method !== 'GET' || !isBrokenConnection(error)) throw this.#fault(error);
    }
    try {
      return await this.#exchange(request, authorization);
    } catch (error) {
      throw error instanceof Retry ? error : this.#fault(error);
    }
  }

  async #exchange(request: ApiRequest, authorization: string | undefined): Promise<ApiResponse> {
    // The fence of rule 3: an effect that could still happen after our lease ended is never begun.
    const sentAt = await this.#gate.enter(() => this.#deadline() - requestSeconds * 1000);
    if (sentAt === undefined) throw this.#notSent(request);
    const limit = timeLimit(requestSeconds * 1000);
    try {
      const query = new URLSearchParams(request.query).toString();
      const response = await send(`${this.#access.server}${request.path}${query === '' ? '' : `?${query}`}`, {
        dispatcher: this.#agent,
        method: request.method,
        signal: limit.signal,
        headers: {
          ...this.#headers,
          accept: request.accept ?? 'application/json',
          // Lists shrink to a twelfth; the server leaves answers of less than 128 KB alone. One that is only going to be
          // told from the last gains no time by it, and costs the server CPU (decision 9).
          ...(request.unparsed !== true && { 'accept-encoding': 'gzip' }),
          'user-agent': 'trueup',
          ...(authorization !== undefined && { authorization }),
          ...(request.unless !== undefined && { 'if-none-match': request.unless }),
          ...(request.body !== undefined && { 'content-type': request.body.contentType }),
        },
        ...(request.body !== undefined && { body: request.body.text }),
      });
      const answer = await answerOf(response, request);
      const seconds = secondsAsked(request, answer);
      if (seconds !== undefined && !isOfOneKind(answer)) this.#gate.pause(sentAt, seconds * 1000);
      return answer;
    } finally {
      limit.clear();
      this.#gate.leave();
    }
  }

  #notSent({ method, path }: ApiRequest): Retry {
    const { pauseMs } = this.#gate;
    const seconds = Math.ceil(pauseMs / 1000);
    const reason =
      pauseMs > 0
        ? `the API server asks for ${seconds} s of rest, longer than this run has`
        : 'it could not surely end before this run must stop';
    return new Retry({
      subject: this.subject,
      message: `${method} ${path} was not sent: ${reason}; the next run goes on`,
      ...(pauseMs > 0 && { afterSeconds: seconds }),
    });
  }

  #fault(error: unknown): Retry | Blocked {
    return connectionFault(this.#access, error, { connect: connectSeconds, request: requestSeconds });
  }
}

/** A timer of `AbortSignal.timeout` would run on, and fire, long after its request had its answer. */
function timeLimit(milliseconds: number): { readonly signal: AbortSignal; readonly clear: () => void } {
  const controller = new AbortController();
  const late = () => controller.abort(new DOMException('no answer in time', 'TimeoutError'));
  const timer = setTimeout(late, milliseconds);
  return { signal: controller.signal, clear: () => clearTimeout(timer) };
}

/** Connections to one API server, kept open for a few seconds. */
export function agentFor(access: ApiAccess): Agent {
  return new Agent({
    connections: requestsAtOnce,
    // Over HTTP/2 it is no faster, a server that sheds load breaks all streams at once, and several groups to
    // impersonate become one of their names joined.
    allowH2: false,
    connect: {
      timeout: connectSeconds * 1000,
      rejectUnauthorized: true,
      ...(access.ca !== undefined && { ca: access.ca }),
      ...(access.serverName !== undefined && { servername: access.serverName }),
      ...access.clientCertificate,
    },
  });
}
