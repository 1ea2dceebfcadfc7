import { timingSafeEqual } from 'node:crypto';
import { readFile, readdir } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import path from 'node:path';
import { isKnown, siteHeaders, tokenHeader } from '../core/contract/site-headers.ts';

export interface ApiCall {
  readonly method: string;
  /** Below `/api/v1/`. */
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  /** Undefined where it was no JSON. */
  readonly body: unknown;
}

export type ApiReply =
  | { readonly kind: 'answer'; readonly body: unknown; readonly etag: string }
  | { readonly kind: 'problem'; readonly problem: { readonly status: number } };

export interface ApiServerOptions {
  /** Folder of the built site. */
  readonly site: string;
  /** What every request to the API must bear. */
  readonly token: string;
  /** 0: any free one. */
  readonly port: number;
  readonly answer: (call: ApiCall) => Promise<ApiReply>;
  /** Told of what nobody foresaw. */
  readonly failed: (error: unknown) => void;
}

const host = '127.0.0.1';
const prefix = '/api/v1/';
/** Of a body. */
export const mostBytes = 64 * 1024;

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.json': 'application/json',
};

/**
 * The dashboard on this machine: the site, and the API for whoever has the token. Listens on loopback alone, and answers
 * only to its own name: a page of the internet whose name leads here (DNS rebinding) gets nothing, nor does one of
 * another origin.
 */
export async function startApiServer(
  options: ApiServerOptions,
): Promise<{ readonly url: string; readonly stop: () => Promise<void> }> {
  const files = await siteFiles(options.site);
  let names: readonly string[] = [];
  const server = createServer((request, response) => {
    serve(request, response, { ...options, files, names }).catch((error: unknown) => {
      options.failed(error);
      if (!response.headersSent)
        problem(response, 500, 'Something failed here.', 'See where trueup ui runs.');
      response.end();
    });
  });
  await new Promise<void>((listening, refused) => {
    server.once('error', refused);
    server.listen(options.port, host, listening);
  });
  const port = portOf(server);
  names = [`${host}:${port}`, `localhost:${port}`];
  return {
    url: `http://${host}:${port}/`,
    stop: async () =>
      new Promise((stopped) => {
        server.close(() => {
          stopped();
        });
        server.closeAllConnections();
      }),
  };
}

function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server has no port');
  return address.port;
}

/** Read once: a name that is not in the folder is none, so that no path leads out of it. */
async function siteFiles(folder: string): Promise<ReadonlyMap<string, Buffer>> {
  const names = await readdir(folder);
  return new Map(
    await Promise.all(names.map(async (name) => [name, await readFile(path.join(folder, name))] as const)),
  );
}

interface Serving extends ApiServerOptions {
  readonly files: ReadonlyMap<string, Buffer>;
  readonly names: readonly string[];
}

async function serve(request: IncomingMessage, response: ServerResponse, serving: Serving): Promise<void> {
  for (const [name, value] of Object.entries(siteHeaders([]))) response.setHeader(name, value);
  const { host: asked = '', origin } = request.headers;
  const isOurs = serving.names.includes(asked);
  const isSameOrigin = origin === undefined || serving.names.some((name) => origin === `http://${name}`);
  if (!isOurs || !isSameOrigin) {
    problem(response, 403, 'This is not for you.', 'Open the address that trueup ui printed.');
    return;
  }
  const url = new URL(request.url ?? '/', `http://${asked}`);
  if (url.pathname.startsWith(prefix)) await api(request, response, url, serving);
  else file(response, url.pathname.slice(1) || 'index.html', serving);
}

function file(response: ServerResponse, name: string, { files }: Serving): void {
  // Nothing to sign in to: the token is in the address that was printed.
  if (name === 'config.json') {
    response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
    return;
  }
  const bytes = files.get(name);
  if (bytes === undefined) {
    problem(response, 404, 'There is no such page.', 'Open the address that trueup ui printed.');
    return;
  }
  const isNamedByDigest = /-[A-Z0-9]{8}\.\w+$/.test(name);
  const caching = isNamedByDigest ? 'public, max-age=31536000, immutable' : 'no-cache';
  const type = types[path.extname(name)] ?? 'application/octet-stream';
  response.writeHead(200, { 'content-type': type, 'cache-control': caching }).end(bytes);
}

async function api(
  request: IncomingMessage,
  response: ServerResponse,
  url: URL,
  { token, answer }: Serving,
): Promise<void> {
  if (!bears(request, token)) {
    problem(
      response,
      401,
      'You are not signed in.',
      'Open the whole address that trueup ui printed, with #token=….',
    );
    return;
  }
  const call = { path: url.pathname.slice(prefix.length), query: Object.fromEntries(url.searchParams) };
  const body = request.method === 'POST' ? await bodyOf(request) : undefined;
  const reply = await answer({ ...call, method: request.method ?? 'GET', body });
  if (reply.kind === 'problem') {
    response
      .writeHead(reply.problem.status, { 'content-type': 'application/problem+json' })
      .end(JSON.stringify(reply.problem));
    return;
  }
  const headers = { 'content-type': 'application/json', 'cache-control': 'no-cache', etag: reply.etag };
  if (isKnown(request.headers['if-none-match'], reply.etag)) response.writeHead(304, headers).end();
  else response.writeHead(200, headers).end(JSON.stringify(reply.body));
}

function bears({ headers }: IncomingMessage, token: string): boolean {
  const [given, wanted] = [Buffer.from(String(headers[tokenHeader])), Buffer.from(`Bearer ${token}`)];
  return given.length === wanted.length && timingSafeEqual(given, wanted);
}

/** Undefined for what is too long or no JSON, which the API says is a fault. */
async function bodyOf(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request.setEncoding('utf8')) {
    const bytes = Buffer.from(String(chunk));
    size += bytes.length;
    if (size > mostBytes) return undefined;
    chunks.push(bytes);
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8'));
  } catch {
    return undefined;
  }
}

function problem(response: ServerResponse, status: number, title: string, detail: string): void {
  const body = { type: 'about:blank', title, status, detail };
  response.writeHead(status, { 'content-type': 'application/problem+json' }).end(JSON.stringify(body));
}
