import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import * as z from 'zod';
import type { Capabilities } from '../core/model/facts.ts';
import type { HelmRequest } from '../core/ports.ts';

const discoveryType = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';
const addressSchema = z.object({ port: z.number() });
const verbs = ['get', 'list'];

interface Kind {
  readonly apiVersion: string;
  readonly kind: string;
}

/**
 * What Helm needs of an API server to render with `lookup`, for one rendering: the version, the kinds, and what the caller
 * answers. It reads and writes nothing, listens on loopback alone, and knows nobody who does not name the secret in its
 * address. Plurals are its own: Helm asks it how kinds are called.
 */
export class LookupApi implements AsyncDisposable {
  readonly #server: Server;
  readonly #secret = randomBytes(24).toString('hex');
  readonly #version: string;
  readonly #kinds: readonly Kind[];
  readonly #groupVersions: readonly string[];
  readonly #answer: NonNullable<HelmRequest['lookup']>;
  #more: readonly Kind[] = [];
  #looks = 0;
  /** The version of which Helm asked last what its kinds are called. */
  #named: string | undefined;

  private constructor({ version, apiVersions }: Capabilities, answer: NonNullable<HelmRequest['lookup']>) {
    this.#version = version;
    this.#kinds = apiVersions.flatMap((text) => kindOf(text) ?? []);
    this.#groupVersions = apiVersions.filter((text) => kindOf(text) === undefined);
    this.#answer = answer;
    this.#server = createServer((request, response) => this.#handle(request, response));
  }

  static async start(
    capabilities: Capabilities,
    answer: NonNullable<HelmRequest['lookup']>,
  ): Promise<LookupApi> {
    const api = new LookupApi(capabilities, answer);
    await new Promise<void>((settle, reject) => {
      api.#server.once('error', reject).listen(0, '127.0.0.1', settle);
    });
    return api;
  }

  get url(): string {
    const { port } = addressSchema.parse(this.#server.address());
    return `http://127.0.0.1:${port}/${this.#secret}`;
  }

  /** For one run of Helm. `more`: kinds that it may find when it has rendered, and that templates do not see. */
  begin(more: readonly Kind[]): void {
    this.#looks = 0;
    this.#more = more;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((settle) => this.#server.close(settle));
  }

  #handle({ method, url = '' }: IncomingMessage, response: ServerResponse): void {
    const [, secret = '', ...path] = (url.split('?')[0] ?? '').split('/').map(unescaped);
    if (method !== 'GET' || secret !== this.#secret) return send(response, 403, statusOf(403));
    const [first = '', ...rest] = path;
    if (rest.length === 0 && first === 'version') {
      const [, major = '', minor = ''] = /^v?(\d+)\.(\d+)/.exec(this.#version) ?? [];
      return send(response, 200, { major, minor, gitVersion: this.#version });
    }
    if (rest.length === 0 && (first === 'api' || first === 'apis')) {
      return send(response, 200, this.#discovery(first === 'api'), discoveryType);
    }
    if (first !== 'api' && first !== 'apis') return send(response, 404, statusOf(404));
    const length = first === 'api' ? 1 : 2;
    const apiVersion = rest.slice(0, length).join('/');
    const place = rest.slice(length);
    if (place.length === 0) return send(response, 200, this.#resources(apiVersion));
    const [status, body] = this.#objects(apiVersion, place);
    return send(response, status, body);
  }

  /** Helm asks first what templates may know, and again when it has rendered, to match the objects with kinds. */
  #discovery(isCore: boolean): object {
    if (!isCore) this.#looks += 1;
    const kinds = [...this.#kinds, ...(this.#looks > 1 ? this.#more : [])];
    const versions = [...new Set([...this.#groupVersions, ...kinds.map(({ apiVersion }) => apiVersion)])];
    const own = versions.filter((apiVersion) => apiVersion.includes('/') !== isCore);
    const groups = Map.groupBy(own, (apiVersion) => (isCore ? '' : (apiVersion.split('/')[0] ?? '')));
    const items = [...groups].map(([group, list]) => ({
      metadata: { name: group },
      versions: list.map((apiVersion) => ({
        version: apiVersion.split('/').at(-1),
        resources: kinds.filter((one) => one.apiVersion === apiVersion).map(discovered),
      })),
    }));
    return { kind: 'APIGroupDiscoveryList', apiVersion: 'apidiscovery.k8s.io/v2', metadata: {}, items };
  }

  #resources(groupVersion: string): object {
    this.#named = groupVersion;
    const resources = this.#kinds
      .filter(({ apiVersion }) => apiVersion === groupVersion)
      .map(({ kind }) => ({ name: kind.toLowerCase(), singularName: '', namespaced: true, kind, verbs }));
    return { kind: 'APIResourceList', apiVersion: 'v1', groupVersion, resources };
  }

  #objects(apiVersion: string, place: readonly string[]): readonly [number, object] {
    const isNamespaced = place[0] === 'namespaces';
    const namespace = isNamespaced ? (place[1] ?? '') : '';
    const [resource = '', name = ''] = isNamespaced ? place.slice(2) : place;
    const isAsked = (one: Kind): boolean =>
      one.apiVersion === apiVersion && one.kind.toLowerCase() === resource;
    const kind = this.#kinds.find(isAsked)?.kind;
    // A lookup asks first how the kind is called. Without that Helm, when it has rendered, asks whether what it would
    // install is there already, which is none of the templates' questions.
    const isLookup = this.#named === apiVersion;
    this.#named = undefined;
    if (kind === undefined || !isLookup) return [404, statusOf(404)];
    const reply = this.#answer({ apiVersion, kind, namespace, name });
    if (reply.kind === 'refused') return [403, statusOf(403)];
    if (name === '') return [200, { kind: `${kind}List`, apiVersion, metadata: {}, items: reply.objects }];
    const [object] = reply.objects;
    return object === undefined ? [404, statusOf(404)] : [200, object];
  }
}

/** `apps/v1/Deployment` or `v1/Pod`; undefined for a version alone. */
function kindOf(text: string): Kind | undefined {
  const parts = text.split('/');
  const kind = parts.at(-1) ?? '';
  return /^[A-Z]/.test(kind) ? { apiVersion: parts.slice(0, -1).join('/'), kind } : undefined;
}

function discovered({ kind }: Kind): object {
  const responseKind = { group: '', version: '', kind };
  return { resource: kind.toLowerCase(), responseKind, scope: 'Namespaced', singularResource: '', verbs };
}

function unescaped(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return '';
  }
}

function statusOf(code: 403 | 404): object {
  const reason = code === 404 ? 'NotFound' : 'Forbidden';
  return { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', reason, code };
}

function send(response: ServerResponse, status: number, body: object, type = 'application/json'): void {
  response.writeHead(status, { 'content-type': type }).end(JSON.stringify(body));
}
