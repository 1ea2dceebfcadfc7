import { refKey } from '../model/object.ts';
import type { ApiResource, Cluster, Clusters, Identity } from '../ports.ts';
import type { MemoryOfCluster } from './cluster-memory.ts';
import { extraObjects } from './extra-objects.ts';
import { kindOf, kindOfKey, listLabelled, readAll, type LabelledObjects } from './listed-kinds.ts';
import { LiveReader } from './live-reader.ts';
import { recall, type Recalled, type SweptCluster, type SweptTarget } from './swept-cluster.ts';
import { isTimed } from './remembered-health.ts';
import { settlementOf } from './settled-target.ts';

/** A cluster that answers. */
export interface Connection {
  readonly cluster: Cluster;
  readonly as: (identity: Identity) => Promise<Cluster>;
  readonly served: readonly ApiResource[];
  readonly server: string;
}

/** Throws Retry and Blocked when it does not answer, or does not let us in. */
export async function openCluster(
  clusters: Clusters,
  name: string,
  deadline: () => number,
): Promise<Connection> {
  const cluster = await clusters.connect(name, deadline);
  const [served, server] = await Promise.all([cluster.resources(), cluster.version()]);
  const others = new Map<string, Promise<Cluster>>();
  const as = async (impersonate: Identity): Promise<Cluster> => {
    const key = JSON.stringify(impersonate);
    const other = others.get(key) ?? clusters.connect(name, deadline, { impersonate });
    others.set(key, other);
    return other;
  };
  return { cluster, as, served, server };
}

/** What was listed, and what is remembered of a target's objects beside it, by object key. */
export interface Surroundings {
  readonly swept: Pick<SweptCluster, 'labelled' | 'extras' | 'reader'>;
  readonly recalledOf: (target: SweptTarget) => ReadonlyMap<string, Recalled>;
  /** The highest version of a list; undefined where nothing was listed. */
  readonly version: string | undefined;
  /** The server is older than `seen`: it was restored from a backup, and nothing that is remembered counts. */
  readonly isRestored: boolean;
}

/** Lists what the targets have, and sees what changed since the last checks. `isFull`: all of it is read again anyway. */
export async function lookAround(
  { cluster, served, server }: Connection,
  targets: readonly SweptTarget[],
  memory: MemoryOfCluster,
  given: {
    readonly digestKey: Uint8Array;
    readonly mask: SweptCluster['mask'];
    readonly seen: string | undefined;
    readonly isFull: (target: SweptTarget) => boolean;
    readonly openExtras: SweptCluster['openExtras'];
  },
): Promise<Surroundings> {
  const owned = ownedBy(targets);
  // An extra object may be the only one of its kind: it is looked for until its episode is closed.
  const open = [...given.openExtras.values()].flatMap((extras) => [...extras]);
  const kinds = new Set([...open.map(kindOfKey), ...kindsOf(targets)]);
  const { digestKey, seen, mask } = given;
  const doubtful = memory.isCurrent(server) ? kindsLeftOver(memory, targets, owned) : kinds;
  const isTelling = (kind: string): boolean => !doubtful.has(kind);
  const listed = await listLabelled(cluster, kinds, served, { before: memory.kinds, digestKey, isTelling });
  const isRestored = listed.versions.some((version) => isOlder(version, seen));
  const labelled = isRestored ? readAll(listed) : listed;
  const found = new Map<SweptTarget, ReadonlyMap<string, Recalled>>();
  const recalledOf = (one: SweptTarget): ReadonlyMap<string, Recalled> => {
    const known = isRestored ? undefined : one.memory;
    const objects = found.get(one) ?? (known && recall(known, labelled, memory.kinds, mask)) ?? new Map();
    found.set(one, objects);
    return objects;
  };
  const reader = new LiveReader(cluster, labelled, () => {
    const hidden = targets.filter((one) => !given.isFull(one));
    const unread = hidden.flatMap((one) => [...recalledOf(one).values()]);
    return readsByKind(labelled, owned().known, unread);
  });
  const extras = labelled.objects.size === 0 ? new Map() : extraObjects(labelled, owned());
  return {
    swept: { labelled, extras, reader },
    recalledOf,
    version: labelled.versions.reduce<string | undefined>(newer, undefined),
    isRestored,
  };
}

/**
 * Kinds of which an object that was known to be somebody's is nobody's by now: it may be extra, and an unchanged list does
 * not tell.
 */
function kindsLeftOver(
  memory: MemoryOfCluster,
  targets: readonly SweptTarget[],
  owned: () => Owned,
): ReadonlySet<string> {
  const current = new Set(targets.map((one) => (one.state === undefined ? one.memory : undefined)));
  const left = memory.all
    .filter((known) => !current.has(known))
    .flatMap(({ objects, hooks = [] }) => [...objects, ...hooks])
    .filter(([key]) => !owned().known.has(key));
  return new Set(left.map(([key]) => kindOfKey(key)));
}

/** Of everything that the targets have, hooks included. */
function kindsOf(targets: readonly SweptTarget[]): ReadonlySet<string> {
  const kinds = new Set<string>();
  for (const { state, memory } of targets) {
    if (state === undefined) {
      const own = memory === undefined ? [] : settlementOf(memory).kinds;
      for (const kind of own) kinds.add(kind);
      for (const [key] of memory?.hooks ?? []) kinds.add(kindOfKey(key));
      continue;
    }
    const { entries = {}, hooks = {} } = state.inventory ?? {};
    for (const { ref } of [...Object.values(entries), ...Object.values(hooks)]) kinds.add(kindOf(ref));
  }
  return kinds;
}

interface Owned {
  readonly known: ReadonlySet<string>;
  readonly uids: ReadonlySet<string>;
}

/** Keys and uids of everything that the targets have, hooks included. Put together when first asked for. */
function ownedBy(targets: readonly SweptTarget[]): () => Owned {
  let owned: Owned | undefined;
  return () => (owned ??= namesOf(targets));
}

function namesOf(targets: readonly SweptTarget[]): Owned {
  const known = new Set<string>();
  const uids = new Set<string>();
  for (const { state, memory } of targets) {
    if (state === undefined) {
      for (const [key, uid] of [...(memory?.objects ?? []), ...(memory?.hooks ?? [])]) {
        known.add(key);
        uids.add(uid);
      }
      continue;
    }
    const { entries = {}, hooks = {} } = state.inventory ?? {};
    for (const { ref, uid } of [...Object.values(entries), ...Object.values(hooks)]) {
      known.add(refKey(ref));
      if (uid !== undefined) uids.add(uid);
    }
  }
  return { known, uids };
}

/** How many objects of each kind are probably read: all that are listed, but for those that nothing happened to. */
function readsByKind(
  { objects, unread: same }: Pick<LabelledObjects, 'objects' | 'unread'>,
  keys: ReadonlySet<string>,
  unread: readonly Recalled[],
) {
  const wanted = new Map<string, { read: number; all: number }>();
  const countOf = (kind: string) => {
    const count = wanted.get(kind) ?? { read: 0, all: 0 };
    wanted.set(kind, count);
    return count;
  };
  for (const key of [...objects.keys(), ...[...keys].filter((each) => same.has(kindOfKey(each)))]) {
    const count = countOf(kindOfKey(key));
    count.all += 1;
    count.read += 1;
  }
  for (const { memory, glance } of unread) {
    if (glance === 'same' && !isTimed(memory[6])) countOf(kindOfKey(memory[0])).read -= 1;
  }
  return wanted;
}

const wholeNumber = /^[0-9]+$/;

/** Versions are the server's own affair, but since Kubernetes 1.35 it is promised that they are numbers that grow. */
function isOlder(version: string, than: string | undefined): boolean {
  if (than === undefined || !wholeNumber.test(version) || !wholeNumber.test(than)) return false;
  return BigInt(version) < BigInt(than);
}

/** The newer of two versions, of which one may not be known. */
export function newer(a: string | undefined, b: string | undefined): string | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return isOlder(a, b) ? b : a;
}
