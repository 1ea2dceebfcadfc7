import { labels } from '../contract/kubernetes.ts';
import { Blocked, Retry } from '../errors.ts';
import { inBatches } from '../in-batches.ts';
import { isJsonObject, type Json } from '../model/json.ts';
import type { RememberedKind } from '../model/memory.ts';
import { refKey, refOf, type LiveObject } from '../model/object.ts';
import type { ApiResource, Cluster, LiveList } from '../ports.ts';
import { builtInGroups, generationKinds } from './generation-kinds.ts';
import { lossOf } from './why-lost.ts';

/** One kind as this sweep listed it. */
export interface ListedKind {
  readonly resource: ApiResource;
  /** Undefined where nothing may be remembered: an aggregated API may do anything. */
  readonly remembered: RememberedKind | undefined;
  readonly list: LiveList;
}

/** Metadata of the objects with our label, by object key, and what is known of their kinds (`group/Kind`). */
export interface LabelledObjects {
  /** Of all kinds but those `unread`. */
  readonly objects: ReadonlyMap<string, LiveObject>;
  readonly kinds: ReadonlyMap<string, ListedKind>;
  /** Kinds whose list is what it was when each of their objects was as it is remembered, and there was no other. */
  readonly unread: ReadonlySet<string>;
  /** Why a kind could not be listed. */
  readonly failed: ReadonlyMap<string, string>;
  /** Versions of the lists: how new each of them is. */
  readonly versions: readonly string[];
}

const listsAtOnce = 16;
const definitionKind = { group: 'apiextensions.k8s.io', kind: 'CustomResourceDefinition' } as const;

/** What a list is compared with. */
interface KnownLists {
  /** What was known of the kinds: a definition is read when it has changed. */
  readonly before: Readonly<Record<string, RememberedKind>>;
  readonly digestKey: Uint8Array;
  /** Whether a list of the kind that is what it was tells that nothing else need be looked at. */
  readonly isTelling: (kind: string) => boolean;
}

/**
 * One list of metadata for each of the kinds, for all applications of the cluster at once, and one of the definitions
 * where a kind is not built in. A kind that cannot be listed is told; throws Retry when the cluster does not answer at all.
 */
export async function listLabelled(
  cluster: Cluster,
  kinds: ReadonlySet<string>,
  served: readonly ApiResource[],
  { before, digestKey, isTelling }: KnownLists,
): Promise<LabelledObjects> {
  // Preferred versions come first; a kind that is served in several versions has the same objects in each.
  const resources = [...kinds].flatMap((kind) => served.find((each) => isListed(each, kind)) ?? []);
  const objects = new Map<string, LiveObject>();
  const listed = new Map<string, ListedKind>();
  const unread = new Set<string>();
  const failed = new Map<string, string>();
  const versions: string[] = [];
  const unanswered: Retry[] = [];
  const asked: Asked = { cluster, whyLost: lossOf(cluster) };
  const definitions = definitionsFor(asked, resources, served);
  const lists = inBatches(resources, listsAtOnce, async (resource) => {
    const kind = kindOf(resource);
    try {
      const options = { metadataOnly: true, digestKey };
      const list = await cluster.list(resource, labels.application, options);
      const known = before[kind];
      const isKnown = list.digest !== undefined && list.digest === known?.list && isTelling(kind);
      // While the answers to the others are awaited.
      if (!isKnown) addTo(objects, list);
      const remembered = await identify(asked, resource, await definitions, known);
      if (isKnown && remembered?.identity === known.identity) unread.add(kind);
      else if (isKnown) addTo(objects, list);
      listed.set(kind, { resource, remembered, list });
      // Aggregated servers count their versions themselves.
      if (remembered !== undefined) versions.push(list.resourceVersion);
    } catch (error) {
      // Not allowed to list one kind, or its conversion is broken: the targets that have it are Unknown, no others.
      failed.set(kind, (await faultOfOne(asked, error)).message);
      if (error instanceof Retry) unanswered.push(error);
    }
  });
  await Promise.all([definitions, lists]);
  // Discovery may outlive the storage: a server that lists nothing at all is not there.
  if (unanswered[0] !== undefined && unanswered.length === resources.length) throw unanswered[0];
  return { objects, kinds: listed, unread, failed, versions };
}

/** The same with everything read, whatever was remembered of it. */
export function readAll(labelled: LabelledObjects): LabelledObjects {
  const objects = new Map(labelled.objects);
  for (const kind of labelled.unread) {
    const list = labelled.kinds.get(kind)?.list;
    if (list !== undefined) addTo(objects, list);
  }
  return { ...labelled, objects, unread: new Set() };
}

function addTo(objects: Map<string, LiveObject>, { items }: LiveList): void {
  for (const live of items) objects.set(refKey(refOf(live)), live);
}

interface Asked {
  readonly cluster: Cluster;
  readonly whyLost: ReturnType<typeof lossOf>;
}

/** Of a request that failed alone; throws what says that the cluster as a whole does not answer. */
async function faultOfOne({ whyLost }: Pick<Asked, 'whyLost'>, error: unknown): Promise<Blocked | Retry> {
  if (error instanceof Blocked) return error;
  if (!(error instanceof Retry) || (await whyLost()) !== undefined) throw error;
  return error;
}

function isListed(resource: ApiResource, kind: string): boolean {
  return kindOf(resource) === kind && resource.verbs.includes('list');
}

type Definitions = ReadonlyMap<string, LiveObject>;

/** By name. Empty where every kind is built in, and where they cannot be listed: then nothing is remembered. */
async function definitionsFor(
  asked: Asked,
  resources: readonly ApiResource[],
  served: readonly ApiResource[],
): Promise<Definitions> {
  const isBuiltIn = resources.every(({ group }) => builtInGroups.has(group));
  const resource = served.find((each) => isListed(each, kindOf(definitionKind)));
  if (isBuiltIn || resource === undefined) return new Map();
  try {
    const { items } = await asked.cluster.list(resource, '', { metadataOnly: true });
    return new Map(items.map((definition) => [definition.metadata.name, definition]));
  } catch (error) {
    await faultOfOne(asked, error);
    return new Map();
  }
}

async function identify(
  asked: Asked,
  { group, version, kind, plural }: ApiResource,
  definitions: Definitions,
  before: RememberedKind | undefined,
): Promise<RememberedKind | undefined> {
  if (builtInGroups.has(group)) {
    return { identity: version, generationCounts: generationKinds.has(kindOf({ group, kind })) };
  }
  const definition = definitions.get(`${plural}.${group}`);
  if (definition === undefined) return undefined;
  const { uid, generation = 0, name } = definition.metadata;
  const identity = `${version} ${uid} ${generation}`;
  if (before?.identity === identity) return { identity, generationCounts: before.generationCounts };
  const { apiVersion } = definition;
  const address = { apiVersion, plural: 'customresourcedefinitions', name };
  const whole = await asked.cluster.get(address).catch(async (error: unknown) => {
    await faultOfOne(asked, error);
    return undefined;
  });
  // Changed again in between, or not to be read now: the next sweep asks again.
  if (whole?.metadata.generation !== generation || whole.metadata.uid !== uid) return undefined;
  return { identity, generationCounts: hasStatus(whole, version) };
}

/** Whether changes of a version's status are told apart from those of all else. */
function hasStatus(definition: LiveObject, version: string): boolean {
  const spec: Json | undefined = definition['spec'];
  const versions = isJsonObject(spec) ? spec['versions'] : undefined;
  if (!Array.isArray(versions)) return false;
  const all: readonly Json[] = versions;
  const found = all.find((each) => isJsonObject(each) && each['name'] === version);
  const subresources = isJsonObject(found) ? found['subresources'] : undefined;
  return isJsonObject(subresources) && isJsonObject(subresources['status']);
}

/**
 * What to remember of the kinds. Of those that were not listed or identified now, what was known `before` is still what
 * their objects were judged by, and counts again if the next sweep finds it so.
 */
export function rememberedKinds(
  { kinds, failed }: Pick<LabelledObjects, 'kinds' | 'failed'>,
  before: Readonly<Record<string, RememberedKind>>,
): Readonly<Record<string, RememberedKind>> {
  const names = [...kinds.keys(), ...failed.keys()].sort();
  return Object.fromEntries(
    names.flatMap((kind) => {
      const remembered = kinds.get(kind)?.remembered ?? before[kind];
      return remembered === undefined ? [] : [[kind, remembered] as const];
    }),
  );
}

/** `apps/Deployment`, `/Secret`. */
export function kindOf({ group, kind }: { readonly group: string; readonly kind: string }): string {
  return `${group}/${kind}`;
}

/** Of an object key: `apps/Deployment/web/front` is of `apps/Deployment`. */
export function kindOfKey(key: string): string {
  return key.slice(0, key.indexOf('/', key.indexOf('/') + 1));
}
