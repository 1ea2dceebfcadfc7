import type { LiveCluster, LogQuestion } from '../core/live-ports.ts';
import { isJsonObject, jsonSchema, type Json } from '../core/model/json.ts';
import { Blocked } from '../core/errors.ts';
import type { ObjectAddress } from '../core/ports.ts';
import type { ApiRequest, ApiResponse } from './api-answer.ts';
import type { ApiClient } from './api-client.ts';
import { answerText } from './api-fault.ts';
import type { ApiCluster } from './cluster.ts';

const mostEvents = 200;
/** Of logs: more than a person reads, and less than a browser minds. */
const mostLogBytes = 1_000_000;

/** What a person may see of a cluster, over one connection: it sends GET requests and no others. */
export class ApiLiveCluster implements LiveCluster {
  readonly #client: ApiClient;
  readonly #cluster: Pick<ApiCluster, 'resources' | 'get' | 'list'>;

  constructor(client: ApiClient, cluster: Pick<ApiCluster, 'resources' | 'get' | 'list'>) {
    this.#client = client;
    this.#cluster = cluster;
  }

  async resources(...options: Parameters<LiveCluster['resources']>): ReturnType<LiveCluster['resources']> {
    return this.#cluster.resources(...options);
  }

  async get(address: ObjectAddress): ReturnType<LiveCluster['get']> {
    return this.#cluster.get(address);
  }

  async list(...question: Parameters<LiveCluster['list']>): ReturnType<LiveCluster['list']> {
    return this.#cluster.list(...question);
  }

  async events({ namespace, kind, name }: Parameters<LiveCluster['events']>[0]): Promise<readonly Json[]> {
    // Events about what is in no namespace are in `default`.
    const request: ApiRequest = {
      method: 'GET',
      path: `/api/v1/namespaces/${encodeURIComponent(namespace ?? 'default')}/events`,
      query: {
        fieldSelector: `involvedObject.kind=${kind},involvedObject.name=${name}`,
        limit: String(mostEvents),
      },
    };
    const response = await this.#client.send(request);
    if (response.status === 404) return [];
    this.#assertRead(request, response, 'list events');
    const list = jsonSchema.parse(response.body);
    const items = isJsonObject(list) ? list['items'] : undefined;
    return Array.isArray(items) ? items : [];
  }

  async logs({ namespace, pod, container, previous, lines }: LogQuestion): Promise<string | undefined> {
    const request: ApiRequest = {
      method: 'GET',
      path: `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods/${encodeURIComponent(pod)}/log`,
      query: {
        container,
        tailLines: String(lines),
        limitBytes: String(mostLogBytes),
        previous: String(previous),
      },
      accept: 'text/plain, application/json',
    };
    const response = await this.#client.send(request);
    const { status, body } = response;
    // 400: no such container, one that waits, or one that never ran before.
    if (status === 404 || status === 400) return undefined;
    this.#assertRead(request, response, `read logs of pod ${namespace}/${pod}`);
    return typeof body === 'string' ? body : JSON.stringify(body);
  }

  #assertRead(request: ApiRequest, response: ApiResponse, what: string): void {
    const { status, body } = response;
    if (status < 300) return;
    // The node of a pod that does not answer, too.
    if (status >= 500) throw this.#client.unavailable(request, response);
    const message = `does not let you ${what} (${status}: ${answerText(status, body)}); ask whoever grants rights on it`;
    throw new Blocked({ subject: this.#client.subject, message });
  }
}
