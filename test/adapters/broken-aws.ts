import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { once } from 'node:events';

/** What becomes of one request. `lose`: it is passed on and done, and the connection ends before the answer. */
export type Fate =
  | { readonly kind: 'answer'; readonly status: number; readonly body: string }
  | { readonly kind: 'forward' | 'lose' | 'silence' };

export interface BrokenAws extends AsyncDisposable {
  readonly endpoint: string;
  /** Requests seen so far, as `PUT /bucket/key`. */
  readonly seen: readonly string[];
}

async function bodyOf(stream: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}

async function forward(target: string, request: IncomingMessage): Promise<Response> {
  const headers = Object.entries(request.headers).flatMap(([name, value]) =>
    typeof value === 'string' && !['connection', 'host', 'expect', 'content-length'].includes(name)
      ? [[name, value] as [string, string]]
      : [],
  );
  const body = await bodyOf(request);
  const method = request.method ?? 'GET';
  const init = { method, headers, ...(method !== 'GET' && method !== 'HEAD' && { body }) };
  return fetch(`${target}${request.url ?? '/'}`, init);
}

async function serve(
  fate: Fate,
  { target, onBody }: Omit<Behaviour, 'fateOf'>,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  switch (fate.kind) {
    case 'answer': {
      onBody(await bodyOf(request));
      const type = fate.body.startsWith('<') ? 'application/xml' : 'application/json';
      response.writeHead(fate.status, { 'content-type': type });
      response.end(fate.body);
      return;
    }
    case 'silence':
      return;
    case 'lose':
      await forward(target, request);
      request.socket.destroy();
      return;
    case 'forward': {
      const answer = await forward(target, request);
      const etag = answer.headers.get('etag');
      response.writeHead(answer.status, {
        'content-type': answer.headers.get('content-type') ?? 'application/xml',
        ...(etag !== null && { etag }),
      });
      response.end(Buffer.from(await answer.arrayBuffer()));
    }
  }
}

interface Behaviour {
  readonly fateOf: (index: number, request: string) => Fate;
  readonly target: string;
  readonly onBody: (body: Buffer) => void;
}

/** An AWS endpoint that fails as it is told, over real HTTP; whatever it forwards goes to `target`. */
export async function brokenAws(
  fateOf: Behaviour['fateOf'],
  target = '',
  onBody: Behaviour['onBody'] = () => {},
): Promise<BrokenAws> {
  const seen: string[] = [];
  const server = createServer((request, response) => {
    const line = `${request.method} ${request.url?.replace(/\?.*/, '')}`;
    seen.push(line);
    serve(fateOf(seen.length - 1, line), { target, onBody }, request, response).catch((error: unknown) => {
      response.destroy(error instanceof Error ? error : new Error(String(error)));
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    endpoint: `http://127.0.0.1:${port}`,
    seen,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
