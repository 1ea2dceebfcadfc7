import { annotations } from '../contract/kubernetes.ts';
import { keys, prefixes } from '../contract/keys.ts';
import { readDocument } from '../documents.ts';
import { Stop } from '../errors.ts';
import { inBatches } from '../in-batches.ts';
import { desiredPointerSchema, type DesiredPointer } from '../model/desired.ts';
import { inventorySchema, type Inventory } from '../model/inventory.ts';
import { groupOf, refKey, refOf, type ObjectRef } from '../model/object.ts';
import type { Target } from '../model/target.ts';
import type { ApiResource, Store } from '../ports.ts';
import { decodeSnapshot } from '../snapshot.ts';

const readsAtOnce = 16;

/** An object that an application may apply, and the file that says so where it is known. */
export interface Wish {
  readonly ref: ObjectRef;
  readonly apiVersion: string;
  readonly origin: string | undefined;
}

/** What another application of the cluster wants. `unknown` is why that cannot be told. */
export interface Neighbour {
  readonly application: string;
  readonly pointer: DesiredPointer | undefined;
  /** By object key; objects whose scope is not known are there under both. */
  readonly wishes: ReadonlyMap<string, Wish>;
  readonly unknown: string | undefined;
}

/**
 * The other applications on the cluster of one target, read from the records when they are asked for. Secret values
 * stay sealed: only what objects are called is of interest here.
 */
export class Neighbours {
  readonly #store: Store;
  readonly #target: Target;
  readonly #served: readonly ApiResource[];
  readonly #neighbours = new Map<string, Promise<Neighbour>>();

  /** `served` may be empty where the cluster is not asked: then any scope is thought possible. */
  constructor(store: Store, target: Target, served: readonly ApiResource[]) {
    this.#store = store;
    this.#target = target;
    this.#served = served;
  }

  /** Application to the version of its pointer, without the own. */
  async versions(): Promise<ReadonlyMap<string, string>> {
    const prefix = keys.desiredOfCluster(this.#target.cluster);
    const found = [...(await this.#store.entries(prefix))].map(
      ([key, etag]) => [key.slice(prefix.length, -'.json'.length), etag] as const,
    );
    return new Map(found.filter(([application]) => application !== this.#target.application));
  }

  async all(applications: Iterable<string>): Promise<readonly Neighbour[]> {
    return inBatches([...applications], readsAtOnce, async (application) => this.one(application));
  }

  async one(application: string): Promise<Neighbour> {
    const known = this.#neighbours.get(application) ?? this.#read(application);
    this.#neighbours.set(application, known);
    return known;
  }

  /** Forgets what was read of one that has moved since. */
  forget(application: string): void {
    this.#neighbours.delete(application);
  }

  async inventory(application: string): Promise<Inventory | undefined> {
    const target = { cluster: this.#target.cluster, application };
    return (await readDocument(this.#store, keys.inventory(target), inventorySchema))?.value;
  }

  /** Inventories of all others on the cluster. */
  async inventories(): Promise<readonly Inventory[]> {
    const prefix = `${prefixes.inventory}${this.#target.cluster}/`;
    const names = await Array.fromAsync(this.#store.list(prefix), (key) =>
      key.slice(prefix.length, -'.json'.length),
    );
    const others = names.filter((name) => name !== this.#target.application);
    const found = await inBatches(others, readsAtOnce, async (name) => this.inventory(name));
    return found.filter((inventory) => inventory !== undefined);
  }

  async #read(application: string): Promise<Neighbour> {
    try {
      const target = { cluster: this.#target.cluster, application };
      const pointer = (await readDocument(this.#store, keys.desired(target), desiredPointerSchema))?.value;
      const wishes = new Map<string, Wish>();
      for (const snapshot of pointer === undefined ? [] : await this.#snapshotsOf(pointer)) {
        for (const [key, wish] of await this.#wishesIn(application, snapshot)) wishes.set(key, wish);
      }
      return { application, pointer, wishes, unknown: undefined };
    } catch (error) {
      // A record that is missing or broken: what that application wants is unknown, which is not nothing (rule 5).
      if (!(error instanceof Stop)) throw error;
      return { application, pointer: undefined, wishes: new Map(), unknown: error.message };
    }
  }

  /** What it may apply from now on. A commit that waits for a person leaves the applied snapshot to be healed. */
  async #snapshotsOf({ state, snapshot, settings, revision, target }: DesiredPointer): Promise<Set<string>> {
    const wanted = new Set(state === 'present' ? [snapshot] : []);
    if (settings.sync === 'auto') return wanted;
    const applied = (await this.inventory(target.application))?.applied;
    if (applied !== undefined && applied.revision !== revision) wanted.add(applied.snapshot);
    return wanted;
  }

  async #wishesIn(application: string, digest: string): Promise<readonly (readonly [string, Wish])[]> {
    const stored = await this.#store.get(keys.snapshot(application, digest));
    if (stored === undefined)
      throw new Stop({ subject: `snapshot ${digest}`, message: 'is not kept any more' });
    const { objects, namespace, provenance } = decodeSnapshot(digest, stored.text);
    // A hook is run and not kept: whoever has the object as state may keep it.
    const state = objects.filter(({ metadata }) => metadata.annotations?.[annotations.hook] === undefined);
    return state.flatMap((object) => {
      const rendered = refOf(object);
      const origin = provenance.origins[refKey(rendered)];
      return this.#places(rendered, object.apiVersion, namespace).map((ref) => {
        const wish: Wish = { ref, apiVersion: object.apiVersion, origin };
        return [refKey(ref), wish] as const;
      });
    });
  }

  #places({ group, kind, namespace, name }: ObjectRef, apiVersion: string, home: string): ObjectRef[] {
    const resource = this.#served.find(
      (each) => each.kind === kind && each.group === groupOf(apiVersion) && apiVersion.endsWith(each.version),
    );
    const inside = { group, kind, namespace: namespace ?? home, name };
    const outside = { group, kind, name };
    if (resource === undefined) return [inside, outside];
    return [resource.namespaced ? inside : outside];
  }
}
