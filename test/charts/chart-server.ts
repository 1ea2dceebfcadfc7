import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { once } from 'node:events';
import { sha256 } from './archive.ts';

type Answer = readonly [status: number, body: string | Buffer, headers?: Readonly<Record<string, string>>];
type Route = (request: IncomingMessage) => Answer;

/** A server on loopback whose answers a test decides on; notes what it was asked. */
export class TestServer implements AsyncDisposable {
  readonly routes = new Map<string, Route>();
  /** `GET /path`, with ` (Basic …)` where it came with credentials. */
  readonly requests: string[] = [];
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  static async start(): Promise<TestServer> {
    const server = createServer();
    const started = new TestServer(server);
    server.on('request', (request: IncomingMessage, response: ServerResponse) =>
      started.#answer(request, response),
    );
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return started;
  }

  get host(): string {
    const bound = this.#server.address();
    return `127.0.0.1:${typeof bound === 'object' ? (bound?.port ?? 0) : 0}`;
  }

  serve(path: string, ...answer: Answer): void {
    this.routes.set(path, () => answer);
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const { url = '', headers } = request;
    const credentials = headers.authorization === undefined ? '' : ` (${headers.authorization})`;
    this.requests.push(`${request.method} ${url}${credentials}`);
    const route = this.routes.get(url) ?? this.routes.get(url.split('?')[0] ?? '');
    const [status, body, more = {}] = route?.(request) ?? [404, 'not found'];
    response.writeHead(status, { 'content-length': Buffer.byteLength(body), ...more });
    response.end(body);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, 'close');
  }
}

/** Puts charts into `index.yaml` of a Helm repository at `base`. */
export function serveRepository(
  server: TestServer,
  charts: readonly { readonly name: string; readonly version: string; readonly archive: Buffer }[],
  base = '/charts',
): void {
  const byName = Map.groupBy(charts, ({ name }) => name);
  const entries = [...byName].map(([name, versions]) => {
    const lines = versions.map(
      ({ version, archive }) =>
        `  - name: ${name}\n    version: ${version}\n    created: 2026-11-01T10:00:00Z\n    digest: ${sha256(archive)}\n    urls: [${name}-${version}.tgz]\n`,
    );
    return `  ${name}:\n${lines.join('')}`;
  });
  server.serve(`${base}/index.yaml`, 200, `apiVersion: v1\nentries:\n${entries.join('')}`, { etag: '"1"' });
  for (const { name, version, archive } of charts)
    server.serve(`${base}/${name}-${version}.tgz`, 200, archive);
}

/** Puts one version of a chart into an OCI registry, under `name`. Gives the digest of its manifest. */
export function serveOciChart(server: TestServer, name: string, version: string, archive: Buffer): string {
  const layer = `sha256:${sha256(archive)}`;
  const config = Buffer.from(JSON.stringify({ name: name.split('/').at(-1), version }));
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
      config: {
        mediaType: 'application/vnd.cncf.helm.config.v1+json',
        digest: `sha256:${sha256(config)}`,
        size: config.length,
      },
      layers: [
        {
          mediaType: 'application/vnd.cncf.helm.chart.content.v1.tar+gzip',
          digest: layer,
          size: archive.length,
        },
      ],
    }),
  );
  const digest = `sha256:${sha256(manifest)}`;
  const headers = {
    'content-type': 'application/vnd.oci.image.manifest.v1+json',
    'docker-content-digest': digest,
  };
  const tag = version.replaceAll('+', '_');
  for (const reference of [tag, digest])
    server.serve(`/v2/${name}/manifests/${reference}`, 200, manifest, headers);
  server.serve(`/v2/${name}/blobs/${layer}`, 200, archive);
  server.serve(`/v2/${name}/blobs/sha256:${sha256(config)}`, 200, config);
  return digest;
}
