import { keys } from '../contract/keys.ts';
import { readDocument, writeDocument } from '../documents.ts';
import { Stop } from '../errors.ts';
import {
  clusterMemorySchema,
  type ClusterMemory,
  type ObjectMemory,
  type RecordVersions,
  type TargetMemory,
} from '../model/memory.ts';
import type { Store, WriteCondition } from '../ports.ts';
import { engineVersion } from './engine-version.ts';
import { kindOfKey } from './listed-kinds.ts';
import { sameVersions } from './records.ts';

/** How much of what is remembered counts still: only what this sweep has seen itself, or not even that. */
type Worth = 'all' | 'news' | 'nothing';

/**
 * What clean checks of one cluster left. Losing it costs an exact check of everything and nothing else: one that cannot
 * be read, or was made by other rules, counts as none.
 */
export class MemoryOfCluster {
  readonly #store: Store;
  readonly #cluster: string;
  readonly #condition: WriteCondition;
  readonly #before: ClusterMemory | undefined;
  readonly #targets = new Map<string, TargetMemory>();

  private constructor(
    { store, cluster }: { readonly store: Store; readonly cluster: string },
    before: ClusterMemory | undefined,
    condition: WriteCondition,
  ) {
    this.#store = store;
    this.#cluster = cluster;
    this.#before = before;
    this.#condition = condition;
  }

  static async read(store: Store, cluster: string): Promise<MemoryOfCluster> {
    const place = { store, cluster };
    try {
      const document = await readDocument(store, keys.memory(cluster), clusterMemorySchema);
      if (document === undefined) return new MemoryOfCluster(place, undefined, 'absent');
      return new MemoryOfCluster(place, document.value, { etag: document.etag });
    } catch (error) {
      if (!(error instanceof Stop)) throw error;
      return new MemoryOfCluster(place, undefined, 'any');
    }
  }

  /** What is remembered of a target; nothing where other rules or another server made it than `server`. */
  target(application: string, server: string): TargetMemory | undefined {
    const before = this.#before;
    return before?.engine === engineVersion && before.server === server
      ? before.targets[application]
      : undefined;
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

  remember(application: string, memory: TargetMemory): void {
    this.#targets.set(application, memory);
  }

  /**
   * Writes what is new, and nothing when nothing is. `kept`: the targets that are still there; those not looked at stay
   * as they were. Two sweeps that end at the same time harm nothing: the later one's news come again with the next.
   */
  async save(next: {
    readonly server: string;
    readonly kinds: ClusterMemory['kinds'];
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
      cluster: this.#cluster,
      engine: engineVersion,
      server: next.server,
      kinds: next.kinds,
      targets,
    };
    if (this.#isSame(memory)) return;
    // What is known to be wrong must not stand because another sweep wrote it in the meantime.
    const condition = next.worth === 'all' ? this.#condition : 'any';
    await writeDocument(this.#store, keys.memory(this.#cluster), memory, condition);
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
    if (Object.keys(before.targets).length !== Object.keys(next.targets).length) return false;
    if (JSON.stringify(before.kinds) !== JSON.stringify(next.kinds)) return false;
    return Object.entries(next.targets).every(
      ([application, memory]) =>
        memory === before.targets[application] ||
        JSON.stringify(memory) === JSON.stringify(before.targets[application]),
    );
  }
}
