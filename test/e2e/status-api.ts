import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import * as z from 'zod';

const statusSchema = z.object({ state: z.string(), context: z.string(), description: z.string().max(140) });
const deploymentSchema = z.object({ environment: z.string(), ref: z.string() });
const deploymentStatusSchema = z.object({ state: z.string(), description: z.string() });

/** One word of a commit's status or of a deployment, as it came in. */
export interface Told {
  readonly name: string;
  readonly state: string;
  readonly description: string;
  readonly sha: string;
  readonly at: number;
}

/** The two resources of GitHub's API that commits are told of by, on 127.0.0.1. */
export interface StatusApi {
  readonly url: string;
  /** In the order in which they came. */
  readonly told: readonly Told[];
  stop(): Promise<void>;
}

async function bodyOf(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(z.instanceof(Buffer).parse(chunk));
  return chunks.length === 0 ? undefined : JSON.parse(Buffer.concat(chunks).toString('utf8'));
}

/** What a call gets as its answer; `note` keeps what it told. */
class Commits {
  readonly told: Told[] = [];
  readonly #deployments: { readonly id: number; readonly sha: string; readonly environment: string }[] = [];
  readonly #states = new Map<number, string>();

  answer(method: string, { pathname, searchParams }: URL, body: unknown): { status: number; json: unknown } {
    const [, kind, id = '', sub] =
      /^\/repos\/[^/]+\/[^/]+\/(\w+)(?:\/(\w+))?(?:\/(\w+))?$/.exec(pathname) ?? [];
    if (kind === 'statuses' && method === 'POST') {
      const { context: name, ...status } = statusSchema.parse(body);
      this.told.push({ ...status, name, sha: id, at: Date.now() });
      return { status: 201, json: {} };
    }
    if (kind !== 'deployments') return { status: 404, json: { message: 'Not Found' } };
    if (sub === undefined && method === 'GET') {
      const isAsked = (one: { sha: string; environment: string }) =>
        one.sha === searchParams.get('sha') && one.environment === searchParams.get('environment');
      return { status: 200, json: this.#deployments.filter(isAsked) };
    }
    return sub === undefined ? this.#deploy(body) : this.#deploymentStatus(method, Number(id), body);
  }

  #deploy(body: unknown): { status: number; json: unknown } {
    const { environment, ref } = deploymentSchema.parse(body);
    const deployment = { id: this.#deployments.length + 1, sha: ref, environment };
    this.#deployments.push(deployment);
    return { status: 201, json: deployment };
  }

  #deploymentStatus(method: string, id: number, body: unknown): { status: number; json: unknown } {
    const found = this.#deployments.find((one) => one.id === id);
    if (found === undefined) return { status: 404, json: { message: 'Not Found' } };
    const last = this.#states.get(id);
    if (method === 'GET') return { status: 200, json: last === undefined ? [] : [{ state: last }] };
    const { state, description } = deploymentStatusSchema.parse(body);
    this.#states.set(id, state);
    this.told.push({ name: found.environment, state, description, sha: found.sha, at: Date.now() });
    return { status: 201, json: {} };
  }
}

/** Answers only who brings the token. */
export async function startStatusApi(token: string): Promise<StatusApi> {
  const commits = new Commits();
  const server = createServer((request, response) => {
    const isKnown = request.headers.authorization?.endsWith(` ${token}`) === true;
    const { method = '', url = '/' } = request;
    const answered = bodyOf(request).then((body) =>
      isKnown ? commits.answer(method, new URL(url, 'http://host'), body) : { status: 401, json: {} },
    );
    void answered.then(
      ({ status, json }) =>
        response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(json)),
      (error: unknown) => response.writeHead(422).end(JSON.stringify({ message: String(error) })),
    );
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = z.object({ port: z.number() }).parse(server.address());
  return {
    url: `http://127.0.0.1:${address.port}`,
    told: commits.told,
    stop: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
