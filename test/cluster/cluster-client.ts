import type { RequestOptions } from 'node:https';
import { setTimeout as delay } from 'node:timers/promises';
import { KubeConfig } from '@kubernetes/client-node';
import { Agent, request } from 'undici';
import { type Json, type JsonObject, isJsonObject } from '../../core/model/json.ts';

type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** The API server's answer, whatever its status; a body that is not JSON is a string. */
interface Answer {
  readonly status: number;
  readonly body: Json;
}

/** What a request may carry beside method and path. */
interface Ask {
  readonly body?: Json;
  readonly contentType?: string;
  readonly accept?: string;
}

/** What a test waits for; the object is undefined while there is none. */
type Condition = (object: JsonObject | undefined) => boolean;

/**
 * Speaks to one cluster as one user, over connections that are kept alive. For assertions and for playing a person or
 * a rival controller; never part of the product. Paths are those of the API, e.g. `/api/v1/namespaces/web/pods/a`.
 * Every method but `ask` throws an error with the server's message when it refuses.
 */
export interface ClusterClient {
  readonly ask: (method: Method, path: string, ask?: Ask) => Promise<Answer>;
  /** Undefined when there is none. */
  readonly get: (path: string) => Promise<JsonObject | undefined>;
  readonly list: (path: string) => Promise<JsonObject[]>;
  readonly create: (path: string, object: JsonObject) => Promise<JsonObject>;
  /** Server-side apply with force, as `kubectl apply --server-side --force-conflicts` does. */
  readonly apply: (path: string, object: JsonObject, fieldManager: string) => Promise<JsonObject>;
  /** A JSON merge patch, or a JSON patch when it is an array; as `kubectl edit` unless another manager is named. */
  readonly patch: (path: string, patch: Json, fieldManager?: string) => Promise<JsonObject>;
  /** Deletes in the background; it is fine when there is none. */
  readonly remove: (path: string) => Promise<void>;
  /** Reads `path` until the condition holds; throws with what it saw last when `seconds` (30) are over. */
  readonly until: (path: string, condition: Condition, seconds?: number) => Promise<void>;
  readonly close: () => Promise<void>;
}

/** The member at a path of keys and indexes, undefined where it breaks off: `at(pod, 'status', 'phase')`. */
export function at(value: Json | undefined, ...path: readonly (string | number)[]): Json | undefined {
  let current: Json | undefined = value;
  for (const step of path) {
    if (isJsonObject(current)) current = current[step];
    else if (Array.isArray(current)) current = current.at(Number(step));
    else return undefined;
  }
  return current;
}

/**
 * A client for a kubeconfig's current context. `user` names one of its users; a user that the kubeconfig does not
 * have is impersonated, which needs that right and shows in the audit log as `impersonatedUser`.
 */
export async function clusterClient(kubeconfig: string, user?: string): Promise<ClusterClient> {
  const { origin, agent, headers } = await connect(kubeconfig, user);
  const ask: ClusterClient['ask'] = async (method, path, { body, contentType, accept } = {}) => {
    const reply = await request(`${origin}${path}`, {
      method,
      dispatcher: agent,
      headers: {
        ...(await headers()),
        accept: accept ?? 'application/json',
        ...(body === undefined ? {} : { 'content-type': contentType ?? 'application/json' }),
      },
      body: body === undefined ? null : JSON.stringify(body),
    });
    const text = await reply.body.text();
    const isJson = String(reply.headers['content-type']).includes('json');
    return { status: reply.statusCode, body: isJson ? (JSON.parse(text) as Json) : text };
  };
  return { ask, ...verbs(ask), close: async () => agent.close() };
}

type Verbs = Omit<ClusterClient, 'ask' | 'close'>;

function verbs(ask: ClusterClient['ask']): Verbs {
  const send = async (method: Method, path: string, options: Ask = {}): Promise<JsonObject | undefined> => {
    const { status, body } = await ask(method, path, options);
    if (status === 404 && (method === 'GET' || method === 'DELETE')) return undefined;
    if (status >= 300 || !isJsonObject(body)) throw refusal(method, path, { status, body });
    return body;
  };
  const write = async (method: Method, path: string, body: Json, type = 'json'): Promise<JsonObject> => {
    const object = await send(method, path, { body, contentType: `application/${type}` });
    return object ?? {};
  };
  const query = (members: Readonly<Record<string, string>>): string =>
    new URLSearchParams(members).toString();
  return {
    get: async (path) => send('GET', path),
    list: async (path) => {
      const items = at(await send('GET', path), 'items');
      return Array.isArray(items) ? items.filter(isJsonObject) : [];
    },
    create: async (path, object) => write('POST', path, object),
    apply: async (path, object, fieldManager) => {
      const options = query({ fieldManager, force: 'true', fieldValidation: 'Strict' });
      return write('PATCH', `${path}?${options}`, object, 'apply-patch+yaml');
    },
    patch: async (path, patch, fieldManager = 'kubectl-edit') => {
      const type = Array.isArray(patch) ? 'json-patch+json' : 'merge-patch+json';
      return write('PATCH', `${path}?${query({ fieldManager })}`, patch, type);
    },
    remove: async (path) => {
      await send('DELETE', path, { body: { propagationPolicy: 'Background' } });
    },
    until: async (path, condition, seconds = 30) => {
      const deadline = Date.now() + seconds * 1000;
      let object = await send('GET', path);
      while (!condition(object)) {
        if (Date.now() > deadline) {
          throw new Error(`${path} is not as expected after ${seconds} s: ${JSON.stringify(object)}`);
        }
        await delay(100);
        object = await send('GET', path);
      }
    },
  };
}

/** The certificate authority is asked for once; the token with each request, since an exec plugin's expires. */
async function connect(kubeconfig: string, user: string | undefined) {
  const config = new KubeConfig();
  config.loadFromString(kubeconfig);
  const cluster = config.getCurrentCluster();
  if (cluster === null) throw new Error('the kubeconfig names no current context with a cluster');
  const impersonated = user !== undefined && config.getUser(user) === null;
  if (user !== undefined && !impersonated) {
    config.addContext({ name: 'as-user', cluster: cluster.name, user });
    config.setCurrentContext('as-user');
  }
  const options = async (): Promise<RequestOptions> => {
    const filled: RequestOptions = {};
    await config.applyToHTTPSOptions(filled);
    return filled;
  };
  const { ca, cert, key, rejectUnauthorized, servername } = await options();
  const tls = Object.fromEntries(
    Object.entries({ ca, cert, key, rejectUnauthorized, servername }).filter(
      ([, value]) => value !== undefined,
    ),
  );
  return {
    origin: cluster.server.replace(/\/$/, ''),
    agent: new Agent({ connect: { ...tls, timeout: 5_000 } }),
    headers: async () => ({
      ...((await options()).headers as Record<string, string> | undefined),
      ...(impersonated ? { 'impersonate-user': user } : {}),
    }),
  };
}

function refusal(method: Method, path: string, { status, body }: Answer): Error {
  const message = at(body, 'message') ?? body;
  return new Error(
    `${method} ${path}: ${status} ${typeof message === 'string' ? message : JSON.stringify(message)}`,
  );
}
