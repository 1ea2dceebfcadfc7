import { once } from 'node:events';
import { createServer, request, type IncomingHttpHeaders } from 'node:http';

/** A request that is answered here instead of at the host. */
export interface Intercepted {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface InterceptedAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: string | Buffer;
}

export interface GitProxy {
  readonly origin: string;
  /** The same repository, by way of the proxy. */
  through(url: string): string;
  /** Bytes of bodies that came from the host since this was asked last. */
  taken(): number;
  /** Paths that were asked for since this was asked last. */
  asked(): string[];
  /** The host as one that knows protocol version 0 only, as long as it is true. */
  old: boolean;
  /** Answers in the host's place; undefined lets the request pass. Only paths with `/lfs/` are shown to it. */
  lfs: ((request: Intercepted) => InterceptedAnswer) | undefined;
  stop(): Promise<void>;
}

/** Stands before a Git host over HTTP: counts what it sends, and plays a server of Git LFS beside it. */
export async function startGitProxy(): Promise<GitProxy> {
  let bytes = 0;
  const paths: string[] = [];
  let target = '';
  const proxy: Pick<GitProxy, 'old' | 'lfs'> = { old: false, lfs: undefined };
  const server = createServer((incoming, response) => {
    const path = incoming.url ?? '/';
    paths.push(path);
    const { lfs } = proxy;
    if (lfs !== undefined && path.includes('/lfs/')) {
      let body = '';
      incoming.on('data', (chunk: Buffer) => (body += chunk.toString()));
      incoming.on('end', () => {
        const answer = lfs({ path, headers: incoming.headers, body });
        response.writeHead(answer.status, answer.headers).end(answer.body);
      });
      return;
    }
    const entries = Object.entries(incoming.headers).filter(
      ([name]) => name !== 'git-protocol' || !proxy.old,
    );
    const options = { method: incoming.method ?? 'GET', headers: Object.fromEntries(entries) };
    const outgoing = request(new URL(path, target), options, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.on('data', (chunk: Buffer) => (bytes += chunk.length));
      answer.pipe(response);
    });
    outgoing.on('error', () => response.destroy());
    incoming.pipe(outgoing);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the proxy got no port');
  const origin = `http://127.0.0.1:${address.port}`;
  return Object.assign(proxy, {
    origin,
    through: (url: string) => {
      target = new URL(url).origin;
      return url.replace(target, origin);
    },
    taken: () => {
      const sum = bytes;
      bytes = 0;
      return sum;
    },
    asked: () => paths.splice(0),
    stop: async () => {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  });
}
