import { isJsonObject, jsonEqual, type Json, type JsonObject } from '../../core/model/json.ts';
import { groupOf, type KubeObject, type LiveObject } from '../../core/model/object.ts';
import { definedKinds } from '../../core/plan.ts';
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
} from '../../core/ports.ts';
import { ManualClock } from './manual-clock.ts';
import { digestOfList, selected, type ListOptions } from './object-lists.ts';
import { appliedOver, isOurs, managedEntry, updatedBy } from './managed-fields.ts';
import { conflictsOf, dropped, merge, objectAt, ownedBy, patched, type Owners } from './object-fields.ts';

interface Stored {
  readonly object: LiveObject;
  /** What we applied last: fields of it that we no longer want go away. */
  readonly ours: JsonObject;
  /** Who else set which fields. */
  readonly others: Owners;
  /** What our last apply made of it. */
  readonly applied?: LiveObject;
}

const verbs = ['create', 'delete', 'get', 'list', 'patch', 'update', 'watch'];

function kind(group: string, name: string, plural: string, namespaced = true): ApiResource {
  return { group, version: 'v1', kind: name, plural, namespaced, verbs };
}

const builtIn: readonly ApiResource[] = [
  kind('', 'Namespace', 'namespaces', false),
  kind('', 'ConfigMap', 'configmaps'),
  kind('', 'Secret', 'secrets'),
  kind('', 'Service', 'services'),
  kind('', 'Event', 'events'),
  kind('events.k8s.io', 'Event', 'events'),
  kind('apps', 'Deployment', 'deployments'),
  kind('batch', 'Job', 'jobs'),
  kind('apiextensions.k8s.io', 'CustomResourceDefinition', 'customresourcedefinitions', false),
];

/**
 * A cluster in memory for unit tests of core: server-side apply of whole values with conflicts, namespaces, definitions,
 * finalizers, owners. It passes the same contract suite as the real adapter. What it does not do: it knows no schemas, so
 * it refuses nothing by itself and lists have one owner; dependents go, or stay, in the same moment as their owner, and
 * Foreground is as Background.
 */
export class MemoryCluster implements Cluster {
  readonly #objects = new Map<string, Stored>();
  /** Answers to questions, which hold until the next write. */
  readonly #listed = new Map<string, { readonly version: number; readonly items: readonly LiveObject[] }>();
  readonly #clock: Pick<ManualClock, 'now'>;
  #resources: { readonly version: number; readonly all: readonly ApiResource[] } | undefined;
  #version = 100;
  #uids = 0;
  /** Every effect that was not a dry run, in order: `apply v1/configmaps/web/a`. */
  readonly effects: string[] = [];
  /** Called before each request, and after each effect before its answer; may throw. */
  hook: (request: string, when: 'before' | 'after') => void = () => undefined;
  /** Answers of apply instead of the usual ones, by object name. */
  readonly answers = new Map<string, ApplyOutcome>();

  constructor(
    clock: Pick<ManualClock, 'now'> = new ManualClock(),
    namespaces: readonly string[] = ['default'],
  ) {
    this.#clock = clock;
    for (const name of namespaces) this.#make({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
  }

  async resources(): Promise<readonly ApiResource[]> {
    this.hook('resources', 'before');
    return this.#served();
  }

  /** Definitions are few, and asked for with every request. */
  #served(): readonly ApiResource[] {
    if (this.#resources?.version !== this.#version) {
      const own = [...this.#objects.values()].flatMap(({ object }) =>
        object.kind === 'CustomResourceDefinition' ? definedKinds(object) : [],
      );
      this.#resources = { version: this.#version, all: [...builtIn, ...own] };
    }
    return this.#resources.all;
  }

  async get(address: ObjectAddress): Promise<LiveObject | undefined> {
    this.hook(`get ${pathOf(address)}`, 'before');
    const live = this.live(address);
    return live === undefined ? undefined : { ...live, apiVersion: address.apiVersion, kind: live.kind };
  }

  async list(
    { group, version, kind: wanted }: ApiResource,
    selector: string,
    options: ListOptions = {},
  ): Promise<LiveList> {
    this.hook(`list ${wanted}`, 'before');
    const apiVersion = group === '' ? version : `${group}/${version}`;
    const question = JSON.stringify([apiVersion, wanted, selector, { ...options, digestKey: undefined }]);
    const known = this.#listed.get(question);
    const items =
      known?.version === this.#version
        ? known.items
        : selected(this.#objects.values(), { apiVersion, kind: wanted, selector, ...options });
    if (items !== known?.items) this.#listed.set(question, { version: this.#version, items });
    const { metadataOnly = false, digestKey } = options;
    const digest = metadataOnly && digestKey && digestOfList(items, digestKey);
    return { resourceVersion: String(this.#version), items, ...(digest && { digest }) };
  }

  async apply(address: ObjectAddress, object: KubeObject, options: ApplyOptions): Promise<ApplyOutcome> {
    const request = `${options.dryRun ? 'dry run' : 'apply'} ${pathOf(address)}`;
    this.hook(request, 'before');
    const answer = this.answers.get(address.name) ?? this.#placeFor(address);
    if (answer !== undefined) return answer;
    const stored = this.#objects.get(keyOf(address));
    if (stored !== undefined && options.createOnly === true) {
      return { kind: 'conflict', message: 'the object has been modified', fields: [] };
    }
    const fields =
      stored === undefined || stored.others.size === 0
        ? []
        : conflictsOf(stored.object, object, stored.others);
    if (fields.length > 0 && !options.force) {
      const message = `Apply failed with ${fields.length} conflict(s)`;
      return { kind: 'conflict', message, fields };
    }
    const before = this.#version;
    const next = stored === undefined ? this.#born(object) : this.#merged(stored, object);
    if (options.dryRun) this.#version = before;
    else {
      const lost = new Set(fields.map(({ field }) => field));
      const others = new Map([...(stored?.others ?? [])].filter(([field]) => !lost.has(field)));
      this.#objects.set(keyOf(address), { object: next, ours: object, others, applied: next });
      this.effects.push(request);
      this.hook(request, 'after');
    }
    return { kind: 'applied', created: stored === undefined, object: next, warnings: [] };
  }

  async version(): Promise<string> {
    return 'v1.36.3';
  }

  /** Of metadata and top-level members alone. */
  async patch(
    address: ObjectAddress,
    precondition: DeletePrecondition,
    operations: readonly JsonPatchOperation[],
  ): Promise<ApplyOutcome> {
    const request = `patch ${pathOf(address)}`;
    this.hook(request, 'before');
    const stored = this.#objects.get(keyOf(address));
    if (stored === undefined) return { kind: 'absent', message: `${address.name} not found` };
    const { uid, resourceVersion } = stored.object.metadata;
    if (uid !== precondition.uid || resourceVersion !== precondition.resourceVersion) {
      const message = 'was changed since it was read, so the patch was not applied';
      return { kind: 'conflict', message, fields: [] };
    }
    const object: LiveObject = operations.reduce(patched, stored.object);
    this.#objects.set(keyOf(address), {
      ...stored,
      object: { ...object, metadata: { ...object.metadata, uid, resourceVersion: this.#nextVersion() } },
    });
    this.effects.push(request);
    this.hook(request, 'after');
    return { kind: 'applied', created: false, object: this.live(address) ?? object, warnings: [] };
  }

  async delete(
    address: ObjectAddress,
    precondition: DeletePrecondition,
    { propagation = 'Background' }: { readonly propagation?: 'Background' | 'Foreground' | 'Orphan' } = {},
  ): Promise<DeleteOutcome> {
    const request = `delete ${pathOf(address)}${propagation === 'Background' ? '' : ` (${propagation})`}`;
    this.hook(request, 'before');
    const stored = this.#objects.get(keyOf(address));
    if (stored === undefined) return { kind: 'absent' };
    const { uid, resourceVersion, finalizers } = stored.object.metadata;
    if (uid !== precondition.uid || resourceVersion !== precondition.resourceVersion) {
      return { kind: 'conflict', message: 'the object has been modified' };
    }
    this.effects.push(request);
    if (Array.isArray(finalizers) && finalizers.length > 0) {
      this.#change(address, stored, {
        metadata: { ...stored.object.metadata, deletionTimestamp: this.#time() },
      });
      this.hook(request, 'after');
      return { kind: 'deleting' };
    }
    this.remove(address);
    this.#releaseDependents(uid, propagation === 'Orphan');
    this.hook(request, 'after');
    return { kind: 'deleted' };
  }

  /** Objects whose ownerReferences name the uid go with their owner, or are left without it. */
  #releaseDependents(uid: string, orphan: boolean): void {
    for (const [key, stored] of this.#objects) {
      const { ownerReferences: references, ...metadata } = stored.object.metadata;
      if (!Array.isArray(references)) continue;
      const others = references.filter((each: Json) => !isJsonObject(each) || each['uid'] !== uid);
      if (others.length === references.length) continue;
      if (!orphan) this.#objects.delete(key);
      else this.#objects.set(key, { ...stored, object: { ...stored.object, metadata } });
    }
  }

  /** Has what another cluster has, down to uids and versions, and goes its own way from then on. */
  becomeCopyOf(other: MemoryCluster): void {
    this.#objects.clear();
    for (const [key, stored] of other.#objects) this.#objects.set(key, stored);
    this.#version = other.#version;
    this.#uids = other.#uids;
    this.#listed.clear();
    this.#resources = undefined;
  }

  /** The version of the newest write. */
  get newest(): number {
    return this.#version;
  }

  /** What is there, without asking. */
  live(address: ObjectAddress): LiveObject | undefined {
    return this.#objects.get(keyOf(address))?.object;
  }

  /** Everything that carries our label. */
  labelled(): readonly LiveObject[] {
    return [...this.#objects.values()]
      .map(({ object }) => object)
      .filter(({ metadata }) => metadata.labels?.['trueup.dev/application'] !== undefined);
  }

  /** A person or another controller creates an object, or sets members of one that is there. */
  write(
    address: ObjectAddress,
    content: JsonObject & { readonly kind: string },
    manager = 'kubectl',
  ): LiveObject {
    const stored = this.#objects.get(keyOf(address));
    const { name, namespace } = address;
    if (stored === undefined) {
      const { kind: kindName, ...rest } = content;
      const metadata = {
        ...objectAt(content, 'metadata'),
        name,
        ...(namespace !== undefined && { namespace }),
      };
      return this.#make({ ...rest, apiVersion: address.apiVersion, kind: kindName, metadata }, manager);
    }
    return this.#change(address, stored, content, manager);
  }

  /** Gone, whatever its finalizers say; a namespace takes its content with it. */
  remove(address: ObjectAddress): void {
    this.#objects.delete(keyOf(address));
    this.#nextVersion();
    if (address.plural !== 'namespaces') return;
    for (const [key, { object }] of this.#objects) {
      if (object.metadata.namespace === address.name) this.#objects.delete(key);
    }
  }

  /** Why nothing can be applied there. */
  #placeFor({ apiVersion, plural, namespace }: ObjectAddress): ApplyOutcome | undefined {
    const isServed = this.#served().some(
      ({ group, version, plural: each }) =>
        each === plural && apiVersion === (group === '' ? version : `${group}/${version}`),
    );
    if (!isServed) return { kind: 'absent', message: 'the server could not find the requested resource' };
    const home = { apiVersion: 'v1', plural: 'namespaces', name: namespace ?? '' };
    if (namespace === undefined || this.#objects.has(keyOf(home))) return undefined;
    return { kind: 'absent', message: `namespaces "${namespace}" not found` };
  }

  #make(object: KubeObject, manager?: string): LiveObject {
    const made = this.#born(object, manager);
    const place = { apiVersion: object.apiVersion, plural: pluralOf(object), ...object.metadata };
    const others = manager === undefined ? new Map() : ownedBy(manager, object);
    this.#objects.set(keyOf(place), { object: made, ours: {}, others });
    return made;
  }

  #born(object: KubeObject, manager?: string): LiveObject {
    this.#uids += 1;
    const isDefinition = object.kind === 'CustomResourceDefinition';
    return {
      ...(isDefinition && { status: { conditions: [{ type: 'Established', status: 'True' }] } }),
      ...object,
      metadata: {
        ...object.metadata,
        uid: `uid-${this.#uids}`,
        resourceVersion: this.#nextVersion(),
        generation: 1,
        creationTimestamp: this.#time(),
        managedFields: [managedEntry(object, { manager, time: this.#time() })],
      },
    };
  }

  #merged(stored: Stored, wanted: KubeObject): LiveObject {
    const { object: live, ours } = stored;
    // Nobody wrote since we applied the very same: most dry runs are so.
    if (stored.others.size === 0 && stored.applied === live && jsonEqual(ours, wanted)) return live;
    const content = merge(dropped(live, ours, wanted), wanted);
    const entry = managedEntry(wanted, { time: this.#time() });
    const before = live.metadata.managedFields ?? [];
    const isSame = jsonEqual(withoutServer(content), withoutServer(live));
    if (isSame && before.some((each) => jsonEqual(each.fieldsV1, entry.fieldsV1) && isOurs(each)))
      return live;
    const metadata = {
      ...live.metadata,
      ...objectAt(content, 'metadata'),
      uid: live.metadata.uid,
      resourceVersion: this.#nextVersion(),
      generation: (live.metadata.generation ?? 1) + (jsonEqual(content['spec'], live['spec']) ? 0 : 1),
      managedFields: appliedOver(live, wanted, entry),
    };
    return { ...content, apiVersion: live.apiVersion, kind: live.kind, metadata };
  }

  #change(address: ObjectAddress, stored: Stored, content: JsonObject, manager = 'kubectl'): LiveObject {
    const { object, ours } = stored;
    const others = ownedBy(manager, content, stored.others);
    const metadata = {
      ...object.metadata,
      ...objectAt(content, 'metadata'),
      uid: object.metadata.uid,
      resourceVersion: this.#nextVersion(),
      managedFields: updatedBy(manager, object, { content, time: this.#time() }),
    };
    const changed = { ...object, ...content, apiVersion: object.apiVersion, kind: object.kind, metadata };
    this.#objects.set(keyOf(address), { object: changed, ours, others });
    return changed;
  }

  #nextVersion(): string {
    this.#version += 1;
    return String(this.#version);
  }

  /** Whole seconds, as the API server tells times. */
  #time(): string {
    return new Date(Math.floor(this.#clock.now() / 1000) * 1000).toISOString().replace('.000Z', 'Z');
  }
}

function pathOf({ apiVersion, plural, namespace, name }: ObjectAddress): string {
  return [apiVersion, plural, namespace ?? '', name].join('/');
}

/** Events are stored once and served by two groups, as on a real server. */
function keyOf({ apiVersion, plural, namespace, name }: ObjectAddress): string {
  const group = groupOf(apiVersion) === 'events.k8s.io' ? '' : groupOf(apiVersion);
  return [group, plural, namespace ?? '', name].join('/');
}

function pluralOf({ kind: name }: KubeObject): string {
  return `${name.toLowerCase()}s`;
}

function withoutServer({ metadata, ...object }: JsonObject): JsonObject {
  const {
    managedFields: _m,
    resourceVersion: _r,
    generation: _g,
    ...meta
  } = isJsonObject(metadata) ? metadata : {};
  return { ...object, metadata: meta };
}
