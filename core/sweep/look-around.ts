import { refKey } from '../model/object.ts';
import type { ApiResource, Cluster, Clusters, Identity } from '../ports.ts';
import type { MemoryOfCluster } from './cluster-memory.ts';
import { extraObjects } from './extra-objects.ts';
import { kindOfKey, listLabelled, type LabelledObjects } from './listed-kinds.ts';
import { LiveReader } from './live-reader.ts';
import { recall, type Recalled, type SweptCluster, type SweptTarget } from './swept-cluster.ts';
import { isTimed } from './remembered-health.ts';

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

/** What was listed, and what is remembered of each target's objects beside it, by application. */
export interface Surroundings {
  readonly swept: Pick<SweptCluster, 'labelled' | 'extras' | 'reader'>;
  readonly recalled: ReadonlyMap<string, ReadonlyMap<string, Recalled>>;
  /** The highest version of a list; undefined where nothing was listed. */
  readonly version: string | undefined;
  /** The server is older than `seen`: it was restored from a backup, and nothing that is remembered counts. */
  readonly isRestored: boolean;
}

/** Lists what the targets have, and sees what changed since the last checks. `isFull`: all of it is read again anyway. */
export async function lookAround(
  { cluster, served }: Connection,
  targets: readonly SweptTarget[],
  memory: MemoryOfCluster,
  given: {
    readonly mask: SweptCluster['mask'];
    readonly seen: string | undefined;
    readonly isFull: (target: SweptTarget) => boolean;
    readonly openExtras: SweptCluster['openExtras'];
  },
): Promise<Surroundings> {
  const { keys, uids } = ownedBy(targets);
  // An extra object may be the only one of its kind: it is looked for until its episode is closed.
  const open = [...given.openExtras.values()].flatMap((extras) => [...extras]);
  const kinds = new Set([...keys, ...open].map(kindOfKey));
  const labelled = await listLabelled(cluster, kinds, served, memory.kinds);
  const { seen } = given;
  const isRestored = labelled.versions.some((version) => isOlder(version, seen));
  const recalled = new Map(
    targets.map((one) => {
      const known = isRestored || one.memory === undefined ? undefined : one.memory;
      const objects = known && recall(known, labelled, memory.kinds, given.mask);
      return [one.target.application, objects ?? new Map<string, Recalled>()];
    }),
  );
  const hidden = targets.filter((one) => !given.isFull(one)).map(({ target }) => target.application);
  const unread = hidden.flatMap((application) => [...(recalled.get(application)?.values() ?? [])]);
  const reader = new LiveReader(cluster, labelled, readsByKind(labelled, unread));
  const extras = extraObjects(labelled, { known: keys, uids });
  return {
    swept: { labelled, extras, reader },
    recalled,
    version: labelled.versions.reduce<string | undefined>(newer, undefined),
    isRestored,
  };
}

/** Keys and uids of everything that the targets have, hooks included. */
function ownedBy(targets: readonly SweptTarget[]): {
  readonly keys: ReadonlySet<string>;
  readonly uids: ReadonlySet<string>;
} {
  const keys = new Set<string>();
  const uids = new Set<string>();
  for (const { state, memory } of targets) {
    if (state === undefined) {
      for (const [key, uid] of [...(memory?.objects ?? []), ...(memory?.hooks ?? [])]) {
        keys.add(key);
        uids.add(uid);
      }
      continue;
    }
    const { entries = {}, hooks = {} } = state.inventory ?? {};
    for (const { ref, uid } of [...Object.values(entries), ...Object.values(hooks)]) {
      keys.add(refKey(ref));
      if (uid !== undefined) uids.add(uid);
    }
  }
  return { keys, uids };
}

/** How many objects of each kind are probably read: all that are listed, but for those that nothing happened to. */
function readsByKind({ objects }: LabelledObjects, unread: readonly Recalled[]) {
  const wanted = new Map<string, { read: number; all: number }>();
  const countOf = (kind: string) => {
    const count = wanted.get(kind) ?? { read: 0, all: 0 };
    wanted.set(kind, count);
    return count;
  };
  for (const key of objects.keys()) {
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
