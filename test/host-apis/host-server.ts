import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';
import * as z from 'zod';
import type { OpenApi } from './openapi.ts';

const bodySchema = z.record(z.string(), z.unknown());

export interface Call {
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  /** Empty where there was none. */
  readonly body: Readonly<Record<string, unknown>>;
}

export interface Answer {
  readonly status?: number;
  readonly json?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** By `METHOD /path/{with}/{parameters}`. */
export type Routes = Readonly<Record<string, (call: Call) => Answer>>;

/** What goes wrong at the next request; `lost`: it is done, and the answer never arrives. */
export type HostFault = Required<Answer> | 'drop' | 'lost';

export interface HostServer extends AsyncDisposable {
  readonly origin: string;
  /** Method and path of each request, in order. */
  readonly requests: string[];
  /** Authorization headers, likewise. */
  readonly authorizations: string[];
  /** Thrown by a handler, or by the description of the API; a test must see none. */
  readonly complaints: string[];
  fault: HostFault | undefined;
  /** Whether the fault is for requests that write alone. */
  faultsWritesOnly: boolean;
  /** Called before each request that writes. */
  beforeWrite: () => void;
}

export interface HostServerOptions {
  /** Before every path of the routes, such as `/api/v3`. */
  readonly prefix: string;
  readonly routes: Routes;
  readonly api?: OpenApi;
  /** Name of the operation, where the path is not what tells. */
  readonly operationOf?: (request: IncomingMessage) => string;
}

/** Answers as a Git host does, on 127.0.0.1. */
export async function startHostServer(options: HostServerOptions): Promise<HostServer> {
  const server = createServer((request, response) => void serve(request, response));
  const state: HostServer = {
    origin: '',
    requests: [],
    authorizations: [],
    complaints: [],
    fault: undefined,
    faultsWritesOnly: false,
    beforeWrite: () => undefined,
    [Symbol.asyncDispose]: async () => {
      server.close();
      server.closeAllConnections();
    },
  };

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const operation = options.operationOf?.(request);
    const { url = '/' } = request;
    const reads = operation === undefined ? request.method === 'GET' : /^(Get|List)/.test(operation);
    const [method, isWrite] = reads ? ['GET', false] : [request.method, true];
    state.requests.push(`${method} ${url}`);
    state.authorizations.push(request.headers.authorization ?? '');
    const raw = (await buffer(request)).toString();
    const fault = isWrite || !state.faultsWritesOnly ? state.fault : undefined;
    if (fault !== undefined) state.fault = undefined;
    if (fault === 'drop') return void response.destroy();
    if (fault !== undefined && fault !== 'lost') return send(response, fault);
    if (isWrite) state.beforeWrite();
    try {
      const answer = answerTo(request, raw);
      if (fault === 'lost') response.destroy();
      else send(response, answer);
    } catch (error) {
      state.complaints.push(`${method} ${url}: ${String(error)}`);
      send(response, { status: 418, json: { message: String(error) } });
    }
  }

  function answerTo(request: IncomingMessage, raw: string): Answer {
    const { method = 'GET', url = '/' } = request;
    const { pathname, searchParams: query } = new URL(url, 'http://host');
    const body = raw === '' ? undefined : bodySchema.parse(JSON.parse(raw));
    const wanted = options.operationOf?.(request);
    for (const [operation, handle] of Object.entries(options.routes)) {
      const params = wanted === undefined ? match(operation, method, options.prefix, pathname) : {};
      if (params === undefined || (wanted !== undefined && wanted !== operation)) continue;
      options.api?.checkRequest(operation, { params, query, body });
      const answer = handle({ params, query, body: body ?? {} });
      const { status = 200, json } = answer;
      if (status < 400) options.api?.checkResponse(operation, status, json);
      return answer;
    }
    throw new Error(`no such operation: ${wanted ?? `${method} ${pathname}`}`);
  }

  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server has no port');
  return Object.assign(state, { origin: `http://127.0.0.1:${address.port}` });
}

function send(response: ServerResponse, { status = 200, json, headers = {} }: Answer): void {
  response.writeHead(status, { 'content-type': 'application/json; charset=utf-8', ...headers });
  response.end(json === undefined ? '' : typeof json === 'string' ? json : JSON.stringify(json));
}

function match(
  operation: string,
  method: string,
  prefix: string,
  pathname: string,
): Readonly<Record<string, string>> | undefined {
  const [verb, template = ''] = operation.split(' ');
  const [want, have] = [`${prefix}${template}`.split('/'), pathname.split('/')];
  if (verb !== method || want.length !== have.length) return undefined;
  const params: Record<string, string> = {};
  for (const [at, part] of want.entries()) {
    const given = decodeURIComponent(have[at] ?? '');
    if (part.startsWith('{')) params[part.slice(1, -1)] = given;
    else if (part.toLowerCase() !== given.toLowerCase()) return undefined;
  }
  return params;
}

/** A text of a body. */
export function textIn(body: Call['body'], key: string): string {
  const value = body[key];
  return typeof value === 'string' ? value : '';
}

/** One page of a list, by the names that a host gives to the number of a page and to its size. */
export function paged<T>(
  list: readonly T[],
  query: URLSearchParams,
  names: [string, string],
  most = 100,
): T[] {
  const [number, size] = names;
  const count = Math.min(most, Number(query.get(size) ?? 30));
  const from = (Number(query.get(number) ?? 1) - 1) * count;
  return list.slice(from, from + count);
}
