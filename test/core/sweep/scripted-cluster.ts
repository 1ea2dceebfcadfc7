import { Blocked, Retry } from '../../../core/errors.ts';
import { isJsonObject, jsonEqual, type Json, type JsonObject } from '../../../core/model/json.ts';
import { groupOf, type KubeObject, type LiveObject } from '../../../core/model/object.ts';
import type {
  ApiResource,
  ApplyOptions,
  ApplyOutcome,
  Cluster,
  LiveList,
  ObjectAddress,
} from '../../../core/ports.ts';
import { fieldsOf, liveObject, merged } from '../drift/applied.ts';

type Claims = ReadonlyMap<string, JsonObject>;

interface Stored {
  readonly content: JsonObject;
  readonly claims: Claims;
  readonly version: number;
}

const verbs = ['get', 'list', 'patch', 'delete'];
const served: readonly ApiResource[] = [
  { group: 'apps', version: 'v1', kind: 'Deployment', plural: 'deployments', namespaced: true, verbs },
  { group: '', version: 'v1', kind: 'ConfigMap', plural: 'configmaps', namespaced: true, verbs },
  { group: '', version: 'v1', kind: 'Secret', plural: 'secrets', namespaced: true, verbs },
];

function pathOf({ apiVersion, plural, namespace, name }: ObjectAddress): string {
  return [apiVersion, plural, namespace ?? '', name].join('/');
}

/** Values of `content` at the leaves of `claim`. */
function without(claim: JsonObject, edit: JsonObject): JsonObject {
  const kept = Object.entries(claim).flatMap(([name, value]): [string, Json][] => {
    const changed = edit[name];
    if (changed === undefined) return [[name, value]];
    if (!isJsonObject(value) || !isJsonObject(changed)) return [];
    const rest = without(value, changed);
    return Object.keys(rest).length === 0 ? [] : [[name, rest]];
  });
  return Object.fromEntries(kept);
}

/** A cluster for sweeps: it holds objects and their owners, counts requests, and fails as told. */
export class ScriptedCluster implements Cluster {
  readonly #objects = new Map<string, Stored>();
  readonly requests: string[] = [];
  /** Refused dry runs by object name, with the server's words. */
  readonly refusals = new Map<string, string>();
  /** Set: nothing answers. */
  unreachable: string | undefined;
  /** Set: lists of this plural are forbidden. */
  forbiddenList: string | undefined;
  /** Called before every request. */
  before: (request: string) => void = () => undefined;
  #version = 100;

  async resources(): Promise<readonly ApiResource[]> {
    this.#count('resources');
    return served;
  }

  async get(address: ObjectAddress): Promise<LiveObject | undefined> {
    this.#count(`get ${pathOf(address)}`);
    const stored = this.#objects.get(pathOf(address));
    return stored === undefined ? undefined : this.#live(stored);
  }

  async list({ plural }: ApiResource, label: string): Promise<LiveList> {
    this.#count(`list ${plural}`);
    if (plural === this.forbiddenList) {
      throw new Blocked({ subject: 'cluster east', message: `does not let us list ${plural}` });
    }
    const items = [...this.#objects]
      .filter(([path]) => path.includes(`/${plural}/`))
      .map(([, stored]) => this.#live(stored))
      .filter((live) => live.metadata.labels?.[label] !== undefined);
    return { resourceVersion: String(this.#version), items };
  }

  async apply(address: ObjectAddress, object: KubeObject, options: ApplyOptions): Promise<ApplyOutcome> {
    this.#count(`${options.dryRun ? 'dry-run' : 'apply'} ${pathOf(address)}`);
    const refusal = this.refusals.get(address.name);
    if (refusal !== undefined) return { kind: 'refused', message: refusal };
    const stored = this.#objects.get(pathOf(address));
    const others = [...(stored?.claims ?? [])].filter(([manager]) => manager !== 'trueup');
    const next: Stored = {
      content: asObject(merged(stored?.content, object)),
      claims: new Map([...others, ['trueup', asObject(object)]]),
      version: options.dryRun ? (stored?.version ?? 0) : (this.#version += 1),
    };
    if (!options.dryRun) this.#objects.set(pathOf(address), next);
    return { kind: 'applied', created: stored === undefined, object: this.#live(next), warnings: [] };
  }

  async version(): Promise<string> {
    return 'v1.36.3';
  }

  async patch(): Promise<ApplyOutcome> {
    throw new Error('no check patches anything');
  }

  async delete(address: ObjectAddress): Promise<{ kind: 'deleted' }> {
    this.#objects.delete(pathOf(address));
    return { kind: 'deleted' };
  }

  /** Somebody writes: the values are theirs now. */
  edit(address: ObjectAddress, change: JsonObject, manager = 'kubectl-edit'): void {
    const stored = this.#objects.get(pathOf(address)) ?? { content: {}, claims: new Map(), version: 0 };
    const claims = [...stored.claims].map(([name, claim]) => [name, without(claim, change)] as const);
    const own = stored.claims.get(manager) ?? {};
    this.#objects.set(pathOf(address), {
      content: asObject(merged(stored.content, change)),
      claims: new Map([...claims, [manager, asObject(merged(own, change))]]),
      version: (this.#version += 1),
    });
  }

  #live({ content, claims, version }: Stored): LiveObject {
    const owners = [...claims].map(([manager, fields]) => ({ manager, fields }));
    const live = liveObject(
      content,
      owners.filter(({ fields }) => !jsonEqual(fieldsOf(fields), {})),
    );
    const uid = `uid-${groupOf(live.apiVersion)}-${live.kind}-${live.metadata.name}`;
    return { ...live, metadata: { ...live.metadata, uid, resourceVersion: String(version), generation: 1 } };
  }

  #count(request: string): void {
    this.requests.push(request);
    this.before(request);
    if (this.unreachable !== undefined) {
      throw new Retry({ subject: 'cluster east', message: this.unreachable });
    }
  }
}

function asObject(value: Json): JsonObject {
  if (isJsonObject(value)) return value;
  throw new Error('expected an object');
}
