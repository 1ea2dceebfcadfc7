import * as z from 'zod';
import { fieldManager, requestSeconds } from '../core/contract/kubernetes.ts';
import { Blocked, Retry } from '../core/errors.ts';
import { groupOf } from '../core/model/object.ts';
import type { KubeObject, LiveObject } from '../core/model/object.ts';
import type {
  ApiResource,
  ApplyOptions,
  ApplyOutcome,
  Cluster,
  DeleteOutcome,
  DeletePrecondition,
  JsonPatchOperation,
  LiveList,
  ObjectAddress,
} from '../core/ports.ts';
import type { ApiClient, ApiRequest, ApiResponse } from './api-client.ts';
import { discoveryAccept, discoveryPaths, resourcesIn } from './api-discovery.ts';
import { answerText, conflictsIn, statusOf } from './api-fault.ts';

/** Objects per page of a list: the server's own clients ask for as many. */
const pageSize = 500;
/** How often a list that outlived its snapshot in etcd is begun anew. */
const listTries = 3;
const metadataAccept = 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1';

const liveSchema = z.looseObject({
  apiVersion: z.string(),
  kind: z.string(),
  metadata: z.looseObject({ name: z.string(), uid: z.string(), resourceVersion: z.string() }),
});
/** Checked, not copied: the rest of the object stays as the server sent it, and JSON already. */
const liveObjectSchema = z.custom<LiveObject>((value) => liveSchema.safeParse(value).success);
const listSchema = z.object({
  apiVersion: z.string(),
  metadata: z.object({ continue: z.string().optional(), resourceVersion: z.string().optional() }).optional(),
  items: z.array(z.looseObject({})).nullish(),
});

const versionSchema = z.object({ gitVersion: z.string() });

/** An API server through one connection. This file alone writes to clusters. */
export class ApiCluster implements Cluster {
  readonly #client: ApiClient;
  #resources: Promise<readonly ApiResource[]> | undefined;

  constructor(client: ApiClient) {
    this.#client = client;
  }

  async resources(options: { readonly refresh?: boolean } = {}): Promise<readonly ApiResource[]> {
    if (options.refresh === true) this.#resources = undefined;
    const resources = (this.#resources ??= this.#discover());
    try {
      return await resources;
    } catch (error) {
      if (this.#resources === resources) this.#resources = undefined;
      throw error;
    }
  }

  async version(): Promise<string> {
    const request: ApiRequest = { method: 'GET', path: '/version' };
    const response = await this.#client.send(request);
    this.#assertRead(request, response);
    return versionSchema.parse(response.body).gitVersion;
  }

  async get(address: ObjectAddress): Promise<LiveObject | undefined> {
    const request: ApiRequest = { method: 'GET', path: pathOf(address) };
    const response = await this.#client.send(request);
    if (response.status === 404) return undefined;
    return this.#live(request, response);
  }

  async list(
    resource: ApiResource,
    selector: string,
    options: { readonly metadataOnly?: boolean } = {},
  ): Promise<LiveList> {
    for (let attempt = 1; ; attempt += 1) {
      const list = await this.#listOnce(resource, selector, options);
      if (list !== 'expired') return list;
      if (attempt === listTries) {
        const message = `the list of ${resource.plural} expired ${listTries} times before its last page`;
        throw new Retry({ subject: this.#client.subject, message });
      }
    }
  }

  async apply(address: ObjectAddress, object: KubeObject, options: ApplyOptions): Promise<ApplyOutcome> {
    const request: ApiRequest = {
      method: 'PATCH',
      path: pathOf(address),
      query: {
        fieldManager,
        fieldValidation: 'Strict',
        force: String(options.force),
        // The server gives up when we do: the fence of rule 3 holds on its side as well.
        timeout: `${requestSeconds}s`,
        ...(options.dryRun && { dryRun: 'All' }),
      },
      body: { contentType: 'application/apply-patch+yaml', text: JSON.stringify(object) },
    };
    return this.#write(request);
  }

  async #write(request: ApiRequest): Promise<ApplyOutcome> {
    const response = await this.#client.send(request);
    const { status, body, warnings } = response;
    if (status === 200 || status === 201) {
      return { kind: 'applied', created: status === 201, object: this.#live(request, response), warnings };
    }
    const message = answerText(status, body);
    if (isGoingAway(body) || status === 404) return { kind: 'absent', message };
    if (status === 403) return { kind: 'refused', message };
    if (status === 409) return { kind: 'conflict', message, fields: conflictsIn(body) };
    if (status >= 500 && !isFaultOfObject(message)) throw this.#client.unavailable(request, response);
    return { kind: 'invalid', message };
  }

  async patch(
    address: ObjectAddress,
    { uid, resourceVersion }: DeletePrecondition,
    operations: readonly JsonPatchOperation[],
  ): Promise<ApplyOutcome> {
    const tests: readonly JsonPatchOperation[] = [
      { op: 'test', path: '/metadata/uid', value: uid },
      { op: 'test', path: '/metadata/resourceVersion', value: resourceVersion },
    ];
    return this.#write({
      method: 'PATCH',
      path: pathOf(address),
      query: { fieldManager, timeout: `${requestSeconds}s` },
      body: { contentType: 'application/json-patch+json', text: JSON.stringify([...tests, ...operations]) },
    });
  }

  async delete(
    address: ObjectAddress,
    preconditions: DeletePrecondition,
    { propagation = 'Background' }: { readonly propagation?: 'Background' | 'Foreground' | 'Orphan' } = {},
  ): Promise<DeleteOutcome> {
    const options = {
      apiVersion: 'v1',
      kind: 'DeleteOptions',
      propagationPolicy: propagation,
      preconditions,
    };
    const request: ApiRequest = {
      method: 'DELETE',
      path: pathOf(address),
      query: { timeout: `${requestSeconds}s` },
      body: { contentType: 'application/json', text: JSON.stringify(options) },
    };
    const response = await this.#client.send(request);
    const { status, body } = response;
    if (status < 300) return { kind: isBeingDeleted(body) ? 'deleting' : 'deleted' };
    if (status === 404) return { kind: 'absent' };
    if (status === 409) return { kind: 'conflict', message: answerText(status, body) };
    if (status >= 500) throw this.#client.unavailable(request, response);
    return { kind: 'refused', message: answerText(status, body) };
  }

  async #discover(): Promise<readonly ApiResource[]> {
    const answers = await Promise.all(
      discoveryPaths.map(async (path) => {
        const request: ApiRequest = { method: 'GET', path, accept: discoveryAccept };
        const response = await this.#client.send(request);
        this.#assertRead(request, response);
        const resources = resourcesIn(response.body);
        if (resources !== undefined) return resources;
        const message = 'does not speak aggregated discovery; Kubernetes 1.30 or newer is needed';
        throw new Blocked({ subject: this.#client.subject, message });
      }),
    );
    return answers.flat();
  }

  /** Names no resourceVersion: a consistent read (design, "Consistency"). */
  async #listOnce(
    resource: ApiResource,
    labelSelector: string,
    { metadataOnly = false }: { readonly metadataOnly?: boolean },
  ): Promise<LiveList | 'expired'> {
    const items: LiveObject[] = [];
    let resourceVersion = '';
    let next: string | undefined = '';
    while (next !== undefined) {
      const request: ApiRequest = {
        method: 'GET',
        path: `${rootOf(apiVersionOf(resource))}/${resource.plural}`,
        query: { labelSelector, limit: String(pageSize), ...(next !== '' && { continue: next }) },
        ...(metadataOnly && { accept: metadataAccept }),
      };
      const response = await this.#client.send(request);
      if (response.status === 410) return 'expired';
      if (response.status === 404) return { resourceVersion, items: [] };
      this.#assertRead(request, response);
      const page = listSchema.parse(response.body);
      // Items of a list name neither version nor kind.
      const named = { apiVersion: apiVersionOf(resource), kind: resource.kind };
      for (const item of page.items ?? []) items.push(liveObjectSchema.parse({ ...item, ...named }));
      resourceVersion ||= page.metadata?.resourceVersion ?? '';
      next = page.metadata?.continue || undefined;
    }
    return { resourceVersion, items };
  }

  #live(request: ApiRequest, response: ApiResponse): LiveObject {
    this.#assertRead(request, response);
    const parsed = liveObjectSchema.safeParse(response.body);
    if (parsed.success) return parsed.data;
    const message = `answered ${request.method} ${request.path} with something that is no object`;
    throw new Retry({ subject: this.#client.subject, message });
  }

  #assertRead(request: ApiRequest, response: ApiResponse): void {
    const { status, body } = response;
    if (status < 300) return;
    if (status >= 500) throw this.#client.unavailable(request, response);
    const message = `does not let us read ${request.path} (${status}: ${answerText(status, body)}); grant the right to trueup's role`;
    throw new Blocked({ subject: this.#client.subject, message });
  }
}

function apiVersionOf({ group, version }: ApiResource): string {
  return group === '' ? version : `${group}/${version}`;
}

function rootOf(apiVersion: string): string {
  return `${groupOf(apiVersion) === '' ? '/api' : '/apis'}/${apiVersion}`;
}

/** Names are escaped and keep their case: `MyRole:Admin` is a good name of a ClusterRole. */
function pathOf({ apiVersion, plural, namespace, name }: ObjectAddress): string {
  const scope = namespace === undefined ? '' : `/namespaces/${encodeURIComponent(namespace)}`;
  return `${rootOf(apiVersion)}${scope}/${plural}/${encodeURIComponent(name)}`;
}

/**
 * An object that finalizers or a grace period keep. An object alone says nothing: a Service that is gone is answered
 * with its last state, most other kinds with a Status.
 */
function isBeingDeleted(body: unknown): boolean {
  const parsed = liveSchema.safeParse(body);
  return parsed.success && parsed.data.metadata['deletionTimestamp'] !== undefined;
}

/** A namespace that is being deleted answers 403, which time mends, unlike other refusals. */
function isGoingAway(body: unknown): boolean {
  return statusOf(body).details?.causes?.some(({ reason }) => reason === 'NamespaceTerminating') ?? false;
}

/** Unknown fields, wrong types and doubled list keys come as 500 from server-side apply; a second try cannot pass. */
function isFaultOfObject(message: string): boolean {
  return /^failed to (create typed|convert) /.test(message) && !message.includes('webhook');
}
