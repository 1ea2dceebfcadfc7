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
import type { ApiRequest, ApiResponse } from './api-answer.ts';
import type { ApiClient } from './api-client.ts';
import { Discovery } from './api-discovery.ts';
import { answerText, conflictsIn, oversizeOf, statusOf, tooLargeText } from './api-fault.ts';
import { bornDry, isLive, pageOf } from './api-object.ts';
import { wholeList } from './whole-list.ts';

/** Whole objects per page of a list, so that an answer stays small; metadata comes in one. */
const pageSize = 500;
/** How often a list that outlived its snapshot in etcd is begun anew. */
const listTries = 3;
const metadataAccept = 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1';
/** Servers behind the API server may not speak it; then JSON it is. */
const digestAccept = `application/vnd.kubernetes.protobuf;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,${metadataAccept}`;

/** All that the server says of a JSON patch whose test failed. */
const patchRefused = 'the server rejected our request due to an error in our request';

const versionSchema = z.object({ gitVersion: z.string() });

type ListOptions = NonNullable<Parameters<Cluster['list']>[2]>;
type WriteRequest = ApiRequest & { readonly body: NonNullable<ApiRequest['body']> };

/** An API server through one connection. This file alone writes to clusters. */
export class ApiCluster implements Cluster {
  readonly #client: ApiClient;
  readonly #discovery: Discovery;
  #resources: Promise<readonly ApiResource[]> | undefined;
  #version: Promise<string> | undefined;

  /** `discovery` is what connections to the same cluster remember together. */
  constructor(client: ApiClient, discovery = new Discovery()) {
    this.#client = client;
    this.#discovery = discovery;
  }

  async resources(options: { readonly refresh?: boolean } = {}): Promise<readonly ApiResource[]> {
    if (options.refresh === true) this.#resources = undefined;
    const resources = (this.#resources ??= this.#discovery.resources(
      this.#client.subject,
      async (path, accept, unless) =>
        this.#read({ method: 'GET', path, accept, unless }, { verb: 'read', what: `discovery (${path})` }),
      options,
    ));
    try {
      return await resources;
    } catch (error) {
      if (this.#resources === resources) this.#resources = undefined;
      throw error;
    }
  }

  async version(): Promise<string> {
    const version = (this.#version ??= this.#readVersion());
    try {
      return await version;
    } catch (error) {
      if (this.#version === version) this.#version = undefined;
      throw error;
    }
  }

  async get(address: ObjectAddress): Promise<LiveObject | undefined> {
    const request: ApiRequest = { method: 'GET', path: pathOf(address) };
    const response = await this.#client.send(request);
    if (response.status === 404) return undefined;
    this.#assertRead(request, response, { verb: 'get', what: describe(address) });
    return this.#live(request, response);
  }

  async list(resource: ApiResource, selector: string, options: ListOptions = {}): Promise<LiveList> {
    const { metadataOnly = false, digestKey } = options;
    const whole =
      metadataOnly && digestKey !== undefined
        ? await this.#listWhole(resource, selector, digestKey)
        : undefined;
    if (whole !== undefined) return whole;
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
    if (options.createOnly !== true) return this.#apply(address, object, options);
    const outcome = await this.#apply(address, neverWritten(object), options).catch((error: unknown) => {
      if (error instanceof Retry && takesNoVersion(error.message)) return undefined;
      throw error;
    });
    if (outcome !== undefined && !('message' in outcome && takesNoVersion(outcome.message))) return outcome;
    // Some extension servers have no such precondition: a look before it is the best there is.
    if ((await this.get(address)) !== undefined) {
      return { kind: 'conflict', message: 'is there already', fields: [] };
    }
    return this.#apply(address, object, { ...options, force: false });
  }

  async #apply(address: ObjectAddress, object: KubeObject, options: ApplyOptions): Promise<ApplyOutcome> {
    const request: WriteRequest = {
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
      body: {
        contentType: 'application/apply-patch+yaml',
        text: JSON.stringify(object),
      },
    };
    const outcome = masked(address, await this.#write(request));
    if (!options.dryRun) this.#forgetKinds(address, outcome.kind);
    return outcome;
  }

  async #write(request: WriteRequest): Promise<ApplyOutcome> {
    const { text } = request.body;
    const oversize = oversizeOf(text);
    if (oversize !== undefined) return { kind: 'invalid', message: oversize };
    const response = await this.#client.send(request);
    const { status, body, warnings } = response;
    if (status === 200 || status === 201) {
      const object = this.#live(request, { ...response, body: bornDry(body) });
      return { kind: 'applied', created: status === 201, object, warnings };
    }
    const words = answerText(status, body);
    const message = tooLargeText(status, words, text) ?? words;
    if (message !== words) return { kind: 'invalid', message };
    if (isGoingAway(body) || status === 404) return { kind: 'absent', message };
    if (status === 403) return { kind: 'refused', message };
    if (status === 409 && isOfAnother(request, body)) {
      throw new Retry({ subject: this.#client.subject, message, afterSeconds: 1 });
    }
    if (status === 409) return { kind: 'conflict', message, fields: conflictsIn(body) };
    if (status >= 500 && !isFaultOfObject(message)) throw this.#client.unavailable(request, response);
    return { kind: 'invalid', message };
  }

  /** What is served changes with definitions, and is not what we thought where a kind is not found. */
  #forgetKinds({ plural }: ObjectAddress, outcome: ApplyOutcome['kind'] | 'deleted'): void {
    const isDefinition = plural === 'customresourcedefinitions' || plural === 'apiservices';
    if (!isDefinition && outcome !== 'absent') return;
    this.#resources = undefined;
    this.#discovery.expire();
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
    const outcome = await this.#write({
      method: 'PATCH',
      path: pathOf(address),
      query: { fieldManager, timeout: `${requestSeconds}s` },
      body: { contentType: 'application/json-patch+json', text: JSON.stringify([...tests, ...operations]) },
    });
    if (outcome.kind !== 'invalid') return outcome;
    if (outcome.message === patchRefused) {
      const message = 'was changed since it was read, so the patch was not applied';
      return { kind: 'conflict', message, fields: [] };
    }
    // These words hold the whole object.
    return { ...outcome, message: outcome.message.replace(/Invalid value: ".*": /s, '') };
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
    this.#forgetKinds(address, 'deleted');
    const { status, body } = response;
    if (status < 300) return { kind: isBeingDeleted(body) ? 'deleting' : 'deleted' };
    if (status === 404) return { kind: 'absent' };
    if (status === 409) return { kind: 'conflict', message: answerText(status, body) };
    if (status >= 500) throw this.#client.unavailable(request, response);
    return { kind: 'refused', message: answerText(status, body) };
  }

  async #readVersion(): Promise<string> {
    const { body } = await this.#read(
      { method: 'GET', path: '/version' },
      { verb: 'read', what: 'its version' },
    );
    return versionSchema.parse(body).gitVersion;
  }

  /** Undefined where the answer must be read to be understood. A consistent read as `#listOnce`. */
  async #listWhole(
    resource: ApiResource,
    labelSelector: string,
    digestKey: Uint8Array,
  ): Promise<LiveList | undefined> {
    const named = { apiVersion: apiVersionOf(resource), kind: resource.kind };
    const request: ApiRequest = {
      method: 'GET',
      path: `${rootOf(named.apiVersion)}/${resource.plural}`,
      query: { labelSelector },
      accept: digestAccept,
      unparsed: true,
    };
    const response = await this.#client.send(request);
    if (response.status === 404) return { resourceVersion: '', items: [] };
    this.#assertRead(request, response, { verb: 'list', what: nameOf(resource.plural, resource.group) });
    const nonsense = () => this.#nonsense(request);
    return response.bytes && wholeList(response.bytes, { named, digestKey, nonsense });
  }

  /** Names no resourceVersion: a consistent read (design, "Consistency"). */
  async #listOnce(
    resource: ApiResource,
    labelSelector: string,
    { metadataOnly = false, namespace, most = Infinity }: ListOptions,
  ): Promise<LiveList | 'expired'> {
    const named = { apiVersion: apiVersionOf(resource), kind: resource.kind };
    const items: LiveObject[] = [];
    let resourceVersion = '';
    let next: string | undefined = '';
    while (next !== undefined && items.length <= most) {
      const request: ApiRequest = {
        method: 'GET',
        path: `${rootOf(named.apiVersion)}${scopeOf(namespace)}/${resource.plural}`,
        query: {
          labelSelector,
          ...(!metadataOnly && { limit: String(Math.min(pageSize, most + 1)) }),
          ...(next !== '' && { continue: next }),
        },
        ...(metadataOnly && { accept: metadataAccept }),
      };
      const response = await this.#client.send(request);
      if (response.status === 410) return 'expired';
      if (response.status === 404) return { resourceVersion, items: [] };
      this.#assertRead(request, response, { verb: 'list', what: nameOf(resource.plural, resource.group) });
      const page = pageOf(response.body, named);
      if (page === undefined) throw this.#nonsense(request);
      items.push(...page.items);
      resourceVersion ||= page.resourceVersion;
      next = page.next;
    }
    return { resourceVersion, items };
  }

  #live(request: ApiRequest, { body }: ApiResponse): LiveObject {
    if (isLive(body)) return body;
    throw this.#nonsense(request);
  }

  async #read(request: ApiRequest, sought: Sought): Promise<ApiResponse> {
    const response = await this.#client.send(request);
    this.#assertRead(request, response, sought);
    return response;
  }

  #assertRead(request: ApiRequest, response: ApiResponse, { verb, what }: Sought): void {
    const { status, body } = response;
    if (status < 300 || status === 304) return;
    if (status >= 500) throw this.#client.unavailable(request, response);
    const message = `does not let us ${verb} ${what} (${status}: ${answerText(status, body)}); grant ${this.#client.speaker} the right to`;
    throw new Blocked({ subject: this.#client.subject, message });
  }

  #nonsense({ method, path }: ApiRequest): Retry {
    const message = `answered ${method} ${path} with something that is no object`;
    return new Retry({ subject: this.#client.subject, message });
  }
}

/**
 * No object ever has version 1, so the server updates nothing, and a create does not look at the version. One request
 * proves what a look before it could not: that nobody made the object in between.
 */
function neverWritten(object: KubeObject): KubeObject {
  return { ...object, metadata: { ...object.metadata, resourceVersion: '1' } };
}

/** Calico's server says `field must not be set for a Create request`. */
function takesNoVersion(message: string): boolean {
  return /resourceVersion\b.*(?:must|should) not be set/is.test(message);
}

/** What the server had to change besides, such as a quota that many creations count in at once. */
function isOfAnother({ path }: ApiRequest, body: unknown): boolean {
  const { kind, name } = statusOf(body).details ?? {};
  const own = decodeURIComponent(path.slice(path.lastIndexOf('/') + 1));
  return name !== undefined && (name !== own || (kind === 'resourcequotas' && !path.includes(`/${kind}/`)));
}

/** The server quotes a value of a wrong type, which in a Secret is one. */
function masked({ apiVersion, plural }: ObjectAddress, outcome: ApplyOutcome): ApplyOutcome {
  if (outcome.kind !== 'invalid' || apiVersion !== 'v1' || plural !== 'secrets') return outcome;
  return { ...outcome, message: outcome.message.replace(/, got &.*/s, ', got another type') };
}

/** What a read is for, for the text when it is forbidden: `list`, `secrets`. */
interface Sought {
  readonly verb: 'get' | 'list' | 'read';
  readonly what: string;
}

function nameOf(plural: string, group: string): string {
  return group === '' ? plural : `${plural}.${group}`;
}

/** `deployments.apps web/frontend`. */
function describe({ apiVersion, plural, namespace, name }: ObjectAddress): string {
  return `${nameOf(plural, groupOf(apiVersion))} ${namespace === undefined ? '' : `${namespace}/`}${name}`;
}

function apiVersionOf({ group, version }: ApiResource): string {
  return group === '' ? version : `${group}/${version}`;
}

function rootOf(apiVersion: string): string {
  return `${groupOf(apiVersion) === '' ? '/api' : '/apis'}/${apiVersion}`;
}

/** Names are escaped and keep their case: `MyRole:Admin` is a good name of a ClusterRole. */
function pathOf({ apiVersion, plural, namespace, name }: ObjectAddress): string {
  return `${rootOf(apiVersion)}${scopeOf(namespace)}/${plural}/${encodeURIComponent(name)}`;
}

function scopeOf(namespace: string | undefined): string {
  return namespace === undefined ? '' : `/namespaces/${encodeURIComponent(namespace)}`;
}

/**
 * An object that finalizers or a grace period keep. An object alone says nothing: a Service that is gone is answered
 * with its last state, most other kinds with a Status.
 */
function isBeingDeleted(body: unknown): boolean {
  return isLive(body) && body.metadata['deletionTimestamp'] !== undefined;
}

/** A namespace that is being deleted answers 403, which time mends, unlike other refusals. */
function isGoingAway(body: unknown): boolean {
  return statusOf(body).details?.causes?.some(({ reason }) => reason === 'NamespaceTerminating') ?? false;
}

/** Unknown fields, wrong types and doubled list keys come as 500 from server-side apply; a second try cannot pass. */
function isFaultOfObject(message: string): boolean {
  return /^failed to (create typed|convert) /.test(message) && !message.includes('webhook');
}
