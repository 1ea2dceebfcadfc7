import { Blocked, Stop, faultsOf } from './errors.ts';
import { isJsonObject, type Json, type JsonObject } from './model/json.ts';
import { everyNamespace, type Lookup } from './model/lookup.ts';
import { groupOf, type KubeObject, type LiveObject } from './model/object.ts';
import type { ApiResource, Cluster } from './ports.ts';

/** In one list. */
const mostObjects = 100;
/** Of JSON, of one answer. */
const mostCharacters = 1_000_000;

/** One object by its identity and state, without what is in it. */
export interface SeenObject {
  readonly name: string;
  readonly namespace?: string;
  readonly uid: string;
  readonly resourceVersion: string;
}

/** What a cluster has, secret values in the clear: never store or log it. */
export type ReadLookup =
  | {
      readonly found: 'objects';
      readonly namespaced: boolean;
      readonly objects: readonly KubeObject[];
      readonly seen: readonly SeenObject[];
    }
  | { readonly found: 'nothing'; readonly message: string };

/** Reads what is declared, bounded in number and size. Throws Retry when the cluster does not answer. */
export async function readLookup(
  cluster: Pick<Cluster, 'get' | 'list'>,
  served: readonly ApiResource[],
  lookup: Lookup,
): Promise<ReadLookup> {
  const { apiVersion, kind } = lookup;
  const resource = served.find((one) => apiVersionOf(one) === apiVersion && one.kind === kind);
  if (resource === undefined) return nothing(`the cluster serves no ${kind} of ${apiVersion}`);
  try {
    const live = await liveObjects(cluster, resource, lookup);
    if (live === undefined)
      return nothing(`there are more than ${mostObjects}; declare those it needs by name`);
    const objects = live.map(readable);
    if (JSON.stringify(objects).length > mostCharacters)
      return nothing(`they are more than ${mostCharacters} characters; declare less`);
    return { found: 'objects', namespaced: resource.namespaced, objects, seen: live.map(seenOf) };
  } catch (error) {
    if (!(error instanceof Blocked || error instanceof Stop)) throw error;
    const [fault] = faultsOf(error) ?? [];
    return nothing(`the cluster ${fault?.message ?? 'refuses'}`);
  }
}

function nothing(message: string): ReadLookup {
  return { found: 'nothing', message };
}

/** Undefined for too many. */
async function liveObjects(
  cluster: Pick<Cluster, 'get' | 'list'>,
  resource: ApiResource,
  { apiVersion, namespace, name }: Lookup,
): Promise<readonly LiveObject[] | undefined> {
  const place = resource.namespaced && namespace !== everyNamespace ? { namespace } : {};
  if (name === undefined) {
    const { items } = await cluster.list(resource, '', { ...place, most: mostObjects });
    return items.length > mostObjects
      ? undefined
      : items.toSorted((a, b) => (sortKey(a) < sortKey(b) ? -1 : 1));
  }
  const live = await cluster.get({ apiVersion, plural: resource.plural, ...place, name });
  return live === undefined ? [] : [live];
}

/** As a server lists: by the key that it keeps an object under. */
function sortKey({ metadata: { namespace = '', name } }: LiveObject): string {
  return `${namespace}/${name}`;
}

function apiVersionOf({ group, version }: ApiResource): string {
  return group === '' ? version : `${group}/${version}`;
}

function seenOf({ metadata }: LiveObject): SeenObject {
  const { name, namespace, uid, resourceVersion } = metadata;
  return { name, ...(namespace !== undefined && { namespace }), uid, resourceVersion };
}

/** Of `metadata`: what another write of any kind changes, or what is the server's own affair. */
const unreadable = ['managedFields', 'resourceVersion', 'generation', 'selfLink'];
/** Copies of whole objects, and leases in an annotation that change every other second. */
const unreadableAnnotations = [
  'kubectl.kubernetes.io/last-applied-configuration',
  'control-plane.alpha.kubernetes.io/leader',
];
/** Of `status` and its conditions: told anew without anything being new. */
const ticking = new Set([
  'observedGeneration',
  'lastHeartbeatTime',
  'lastProbeTime',
  'lastTransitionTime',
  'lastUpdateTime',
]);

/**
 * An object as templates find it, and as it is told from another: what changes with every write, though nothing that a
 * template could sensibly read does, is left out, or every write would cost a rendering.
 */
function readable(live: LiveObject): KubeObject {
  const { metadata, ...rest } = live;
  const { annotations = {}, ...own } = metadata;
  const kept = Object.entries(annotations).filter(([key]) => !unreadableAnnotations.includes(key));
  const meta = Object.fromEntries(Object.entries(own).filter(([key]) => !unreadable.includes(key)));
  const status = isJsonObject(rest['status']) ? { status: withoutTicking(rest['status']) } : {};
  return {
    ...rest,
    ...status,
    apiVersion: live.apiVersion,
    kind: live.kind,
    metadata: {
      ...meta,
      ...(kept.length > 0 && { annotations: Object.fromEntries(kept) }),
      name: metadata.name,
    },
  };
}

function withoutTicking(status: JsonObject): JsonObject {
  const members = Object.entries(status).filter(([key]) => !ticking.has(key));
  return Object.fromEntries(
    members.map(([key, value]) => [
      key,
      Array.isArray(value)
        ? value.map((item: Json) => (isJsonObject(item) ? withoutTicking(item) : item))
        : value,
    ]),
  );
}

/** Whether values of it must not rest in the clear. */
export function isSecret({ apiVersion, kind }: Pick<KubeObject, 'apiVersion' | 'kind'>): boolean {
  return groupOf(apiVersion) === '' && kind === 'Secret';
}
