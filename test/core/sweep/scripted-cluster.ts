import { Blocked, Retry } from '../../../core/errors.ts';
import { keyedDigest } from '../../../core/model/digest.ts';
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
  /** Version at which it was created: another one is another object. */
  readonly born: number;
  readonly generation: number;
}

const verbs = ['get', 'list', 'patch', 'delete'];
const identity = { version: 'v1', namespaced: true, verbs };
const served: readonly ApiResource[] = [
  { group: 'apps', version: 'v1', kind: 'Deployment', plural: 'deployments', namespaced: true, verbs },
  { group: '', version: 'v1', kind: 'ConfigMap', plural: 'configmaps', namespaced: true, verbs },
  { group: '', version: 'v1', kind: 'Secret', plural: 'secrets', namespaced: true, verbs },
  { group: '', kind: 'ServiceAccount', plural: 'serviceaccounts', ...identity },
  { group: 'networking.k8s.io', kind: 'Ingress', plural: 'ingresses', ...identity },
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
  /** Lists with a digest whose items somebody wanted to see, by plural. */
  readonly read: string[] = [];
  /** Refused dry runs by object name, with the server's words. */
  readonly refusals = new Map<string, string>();
  /** Set: nothing answers. */
  unreachable: string | undefined;
  /** Set: lists of this plural are forbidden. */
  forbiddenList: string | undefined;
  /** Called before every request. */
  before: (request: string) => void = () => undefined;
  #version = 100;
  /** `gitVersion` of the server. */
  server = 'v1.36.3';

  async resources(): Promise<readonly ApiResource[]> {
    this.#count('resources');
    return served;
  }

  async get(address: ObjectAddress): Promise<LiveObject | undefined> {
    this.#count(`get ${pathOf(address)}`);
    const stored = this.#objects.get(pathOf(address));
    return stored === undefined ? undefined : this.#live(stored);
  }

  async list(
    { plural }: ApiResource,
    label: string,
    { digestKey }: { readonly digestKey?: Uint8Array } = {},
  ): Promise<LiveList> {
    this.#count(`list ${plural}`);
    if (plural === this.forbiddenList) {
      throw new Blocked({ subject: 'cluster east', message: `does not let us list ${plural}` });
    }
    const items = [...this.#objects]
      .filter(([path]) => path.includes(`/${plural}/`))
      .map(([, stored]) => this.#live(stored))
      .filter((live) => live.metadata.labels?.[label] !== undefined);
    const resourceVersion = String(this.#version);
    if (digestKey === undefined) return { resourceVersion, items };
    const read = () => void this.read.push(plural);
    return {
      resourceVersion,
      digest: keyedDigest(digestKey, JSON.stringify(items)),
      get items() {
        read();
        return items;
      },
    };
  }

  async apply(address: ObjectAddress, object: KubeObject, options: ApplyOptions): Promise<ApplyOutcome> {
    this.#count(`${options.dryRun ? 'dry-run' : 'apply'} ${pathOf(address)}`);
    const refusal = this.refusals.get(address.name);
    if (refusal !== undefined) return { kind: 'refused', message: refusal };
    const stored = this.#objects.get(pathOf(address));
    const others = [...(stored?.claims ?? [])].filter(([manager]) => manager !== 'trueup');
    const version = options.dryRun ? (stored?.version ?? 0) : (this.#version += 1);
    const content = asObject(merged(stored?.content, object));
    const claims = new Map([...others, ['trueup', asObject(object)] as const]);
    const next: Stored = { content, claims, version, ...lifeOf(stored, content, version) };
    if (!options.dryRun) this.#objects.set(pathOf(address), next);
    return { kind: 'applied', created: stored === undefined, object: this.#live(next), warnings: [] };
  }

  async version(): Promise<string> {
    return this.server;
  }

  async patch(): Promise<ApplyOutcome> {
    throw new Error('no check patches anything');
  }

  async delete(address: ObjectAddress): Promise<{ kind: 'deleted' }> {
    this.#objects.delete(pathOf(address));
    return { kind: 'deleted' };
  }

  /** Somebody writes: the values are theirs now; null takes a member away. */
  edit(address: ObjectAddress, change: JsonObject, manager = 'kubectl-edit'): void {
    const stored = this.#objects.get(pathOf(address));
    const claims = [...(stored?.claims ?? [])].map(
      ([name, claim]) => [name, without(claim, change)] as const,
    );
    const own = stored?.claims.get(manager) ?? {};
    const content = asObject(withoutNulls(merged(stored?.content ?? {}, change)));
    const version = (this.#version += 1);
    this.#objects.set(pathOf(address), {
      content,
      claims: new Map([...claims, [manager, asObject(withoutNulls(merged(own, change)))]]),
      version,
      ...lifeOf(stored, content, version),
    });
  }

  /** What no server does: the content is another, and nothing tells of it. */
  tamper(address: ObjectAddress, change: JsonObject): void {
    const stored = this.#objects.get(pathOf(address));
    if (stored === undefined) throw new Error('there is no such object');
    const content = asObject(merged(stored.content, change));
    this.#objects.set(pathOf(address), { ...stored, content });
  }

  /** As after a restore from a backup: versions begin anew from an earlier one. */
  restore(version: number): void {
    this.#version = version;
  }

  #live({ content, claims, version, born, generation }: Stored): LiveObject {
    const owners = [...claims].map(([manager, fields]) => ({
      manager,
      fields,
      ...('status' in fields && { subresource: 'status' }),
    }));
    const live = liveObject(
      content,
      owners.filter(({ fields }) => !jsonEqual(fieldsOf(fields), {})),
    );
    const uid = `uid-${groupOf(live.apiVersion)}-${live.kind}-${live.metadata.name}-${born}`;
    const life = 'spec' in content ? { generation } : {};
    return { ...live, metadata: { ...live.metadata, uid, resourceVersion: String(version), ...life } };
  }

  #count(request: string): void {
    this.requests.push(request);
    this.before(request);
    if (this.unreachable !== undefined) {
      throw new Retry({ subject: 'cluster east', message: this.unreachable });
    }
  }
}

function withoutNulls(value: Json): Json {
  if (!isJsonObject(value)) return value;
  const members = Object.entries(value).filter(([, member]) => member !== null);
  return Object.fromEntries(members.map(([name, member]) => [name, withoutNulls(member)]));
}

function lifeOf(
  before: Stored | undefined,
  content: JsonObject,
  version: number,
): Pick<Stored, 'born' | 'generation'> {
  if (before === undefined) return { born: version, generation: 1 };
  const isSame = jsonEqual(before.content['spec'], content['spec']);
  return { born: before.born, generation: isSame ? before.generation : before.generation + 1 };
}

function asObject(value: Json): JsonObject {
  if (isJsonObject(value)) return value;
  throw new Error('expected an object');
}
