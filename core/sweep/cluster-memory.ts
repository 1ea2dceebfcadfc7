import { keys } from '../contract/keys.ts';
import { Stop } from '../errors.ts';
import {
  clusterMemorySchema,
  type ClusterMemory,
  type ObjectMemory,
  type RecordVersions,
  type TargetMemory,
} from '../model/memory.ts';
import { isExtra } from '../drift/object-drift.ts';
import { refKey, refOf } from '../model/object.ts';
import type { LiveList, Store, WriteCondition } from '../ports.ts';
import { engineVersion } from './engine-version.ts';
import type { KnownDocuments } from './known-documents.ts';
import { kindOfKey, type LabelledObjects } from './listed-kinds.ts';
import { sameVersions } from './records.ts';

interface Place {
  readonly store: Store;
  readonly documents: KnownDocuments;
  readonly cluster: string;
}

/** How much of what is remembered counts still: only what this sweep has seen itself, or not even that. */
type Worth = 'all' | 'news' | 'nothing';

/**
 * What clean checks of one cluster left. Losing it costs an exact check of everything and nothing else: one that cannot
 * be read, or was made by other rules, counts as none.
 */
export class MemoryOfCluster {
  readonly #place: Place;
  readonly #condition: WriteCondition;
  readonly #before: ClusterMemory | undefined;
  readonly #targets = new Map<string, TargetMemory>();

  private constructor(place: Place, before: ClusterMemory | undefined, condition: WriteCondition) {
    this.#place = place;
    this.#before = before;
    this.#condition = condition;
  }

  static async read(place: Place): Promise<MemoryOfCluster> {
    const { store, documents, cluster } = place;
    try {
      const document = await documents.read(store, keys.memory(cluster), clusterMemorySchema);
      if (document === undefined) return new MemoryOfCluster(place, undefined, 'absent');
      return new MemoryOfCluster(place, document.value, { etag: document.etag });
    } catch (error) {
      if (!(error instanceof Stop)) throw error;
      return new MemoryOfCluster(place, undefined, 'any');
    }
  }

  /** What is remembered of a target; nothing where other rules or another server made it than `server`. */
  target(application: string, server: string): TargetMemory | undefined {
    return this.isCurrent(server) ? this.#before?.targets[application] : undefined;
  }

  /** Whether it was made by these rules, on a server of this version. */
  isCurrent(server: string): boolean {
    return this.#before?.engine === engineVersion && this.#before.server === server;
  }

  /** What is remembered of each target, those that are gone by now included. */
  get all(): readonly TargetMemory[] {
    return Object.values(this.#before?.targets ?? {});
  }

  /** Whether a target with these records is gone and done with: that needs no rules and no server. */
  isFinished(application: string, records: RecordVersions): boolean {
    const memory = this.#before?.targets[application];
    return memory?.finished === true && sameVersions(records, memory.records);
  }

  /** Versions and definitions of the kinds by which its objects were judged. */
  get kinds(): ClusterMemory['kinds'] {
    return this.#before?.kinds ?? {};
  }

  /** What says the same as before is no news. */
  remember(application: string, memory: TargetMemory): void {
    const before = this.#before?.targets[application];
    const isSame = before !== undefined && JSON.stringify(memory) === JSON.stringify(before);
    this.#targets.set(application, isSame ? before : memory);
  }

  /**
   * Writes what is new, and nothing when nothing is. `kept`: the targets that are still there; those not looked at stay
   * as they were. Two sweeps that end at the same time harm nothing: the later one's news come again with the next.
   */
  async save(next: {
    readonly server: string;
    readonly kinds: ClusterMemory['kinds'];
    readonly listed: LabelledObjects['kinds'];
    readonly kept: Iterable<string>;
    readonly worth: Worth;
  }): Promise<void> {
    const targets: Record<string, TargetMemory> = {};
    for (const application of next.worth === 'nothing' ? [] : next.kept) {
      const memory = this.#targets.get(application) ?? this.#carried(application, next);
      if (memory !== undefined) targets[application] = memory;
    }
    const memory: ClusterMemory = {
      version: 1,
      seq: (this.#before?.seq ?? 0) + 1,
      cluster: this.#place.cluster,
      engine: engineVersion,
      server: next.server,
      kinds: this.#withLists(next, targets),
      targets,
    };
    if (this.#isSame(memory)) return;
    // What is known to be wrong must not stand because another sweep wrote it in the meantime.
    const condition = next.worth === 'all' ? this.#condition : 'any';
    const { store, documents, cluster } = this.#place;
    const writing = { schema: clusterMemorySchema, value: memory, condition };
    await documents.write(store, keys.memory(cluster), writing);
  }

  /** Of a target that was not looked at: what was judged of a kind that is another one by now counts no more. */
  #carried(
    application: string,
    { server, kinds, worth }: Pick<ClusterMemory, 'server' | 'kinds'> & { readonly worth: Worth },
  ) {
    if (worth !== 'all') return undefined;
    const memory = this.target(application, server);
    const isOf = ([key]: ObjectMemory): boolean => {
      const kind = kindOfKey(key);
      return this.kinds[kind]?.identity === kinds[kind]?.identity;
    };
    return memory?.objects.every(isOf) === true ? memory : undefined;
  }

  #isSame(next: ClusterMemory): boolean {
    const before = this.#before;
    if (before === undefined || before.engine !== next.engine || before.server !== next.server) return false;
    if (JSON.stringify(before.kinds) !== JSON.stringify(next.kinds)) return false;
    return this.#areSame(next.targets);
  }

  #areSame(targets: ClusterMemory['targets']): boolean {
    const before = this.#before?.targets ?? {};
    const names = Object.keys(targets);
    return (
      names.length === Object.keys(before).length && names.every((name) => targets[name] === before[name])
    );
  }

  /** The kinds with the digest of the list that each of their rows was seen in, where there is one. */
  #withLists(
    { server, kinds, listed }: Pick<ClusterMemory, 'server' | 'kinds'> & Listed,
    targets: ClusterMemory['targets'],
  ): ClusterMemory['kinds'] {
    const before = this.isCurrent(server) ? this.#before : undefined;
    const changed = changedKinds(before?.targets ?? {}, targets);
    let rows: Rows | undefined;
    const entries = Object.entries(kinds).map(([name, { identity, generationCounts }]) => {
      const list = listed.get(name)?.list;
      const known = before?.kinds[name];
      const isSame = known?.identity === identity && known.list === list?.digest && !changed.has(name);
      const digest =
        list === undefined || isSame || isCovered(list, (rows ??= rowsOf(targets)), name)
          ? list?.digest
          : undefined;
      return [name, { identity, generationCounts, ...(digest !== undefined && { list: digest }) }] as const;
    });
    return Object.fromEntries(entries);
  }
}

interface Listed {
  readonly listed: LabelledObjects['kinds'];
}

/** Kinds of which rows or hooks came or went, or tell of another version of an object. */
function changedKinds(before: ClusterMemory['targets'], next: ClusterMemory['targets']): ReadonlySet<string> {
  const names = new Set([...Object.keys(before), ...Object.keys(next)]);
  const others = [...names].filter((name) => before[name] !== next[name]);
  const wordsOf = (targets: ClusterMemory['targets']): ReadonlySet<string> => {
    const own = others.flatMap((name) => targets[name] ?? []);
    const objects = own.flatMap((target) => target.objects.map((row) => row.slice(0, 3).join(' ')));
    return new Set([...objects, ...own.flatMap(({ hooks = [] }) => hooks.map((hook) => hook.join(' ')))]);
  };
  const changed = [...wordsOf(before).symmetricDifference(wordsOf(next))];
  return new Set(changed.map(kindOfKey));
}

/** Everything that is remembered of a cluster: rows by key, the keys of hooks, and how many rows each kind has. */
interface Rows {
  readonly objects: ReadonlyMap<string, ObjectMemory>;
  readonly hooks: ReadonlySet<string>;
  readonly counts: ReadonlyMap<string, number>;
}

function rowsOf(targets: ClusterMemory['targets']): Rows {
  const all = Object.values(targets);
  const objects = new Map(all.flatMap((target) => target.objects.map((row) => [row[0], row] as const)));
  const hooks = new Set(all.flatMap((target) => (target.hooks ?? []).map(([key]) => key)));
  const counts = new Map<string, number>();
  // Every row counts: where two inventories hold one object, one of their rows may be of an object long gone.
  for (const [key] of all.flatMap((target) => target.objects)) {
    counts.set(kindOfKey(key), (counts.get(kindOfKey(key)) ?? 0) + 1);
  }
  return { objects, hooks, counts };
}

/** Whether every object of a kind was listed as its row says, and nothing else was that anybody would miss or report. */
function isCovered({ digest, items }: LiveList, { objects, hooks, counts }: Rows, kind: string): boolean {
  if (digest === undefined) return false;
  let seen = 0;
  for (const live of items) {
    const key = refKey(refOf(live));
    const row = objects.get(key);
    const { uid, resourceVersion } = live.metadata;
    if (row?.[1] === uid && row[2] === resourceVersion) seen += 1;
    else if (row !== undefined || (!hooks.has(key) && isExtra(live))) return false;
  }
  return seen === (counts.get(kind) ?? 0);
}
