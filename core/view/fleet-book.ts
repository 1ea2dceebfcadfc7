import type * as z from 'zod';
import { prefixes } from '../contract/keys.ts';
import { parseDocument } from '../documents.ts';
import { Stop } from '../errors.ts';
import { inBatches } from '../in-batches.ts';
import { clusterCheckSchema } from '../model/check.ts';
import { desiredPointerSchema } from '../model/desired.ts';
import { inventorySchema } from '../model/inventory.ts';
import type { Target } from '../model/target.ts';
import type { Store } from '../ports.ts';
import { SnapshotImages } from './snapshot-images.ts';
import { isOver, type TargetView } from './target-view.ts';

const readsAtOnce = 50;

/**
 * The records of the fleet as they stand, of which only those that changed are read again: three lists tell which. For a
 * process that is asked again and again; what cannot be read is left out.
 */
export class FleetBook {
  readonly images: SnapshotImages;
  readonly #pointers: Shelf<typeof desiredPointerSchema>;
  readonly #inventories: Shelf<typeof inventorySchema>;
  readonly #checks: Shelf<typeof clusterCheckSchema>;

  constructor(store: Store) {
    this.images = new SnapshotImages(store);
    this.#pointers = new Shelf(store, prefixes.desired, desiredPointerSchema);
    this.#inventories = new Shelf(store, prefixes.inventory, inventorySchema);
    this.#checks = new Shelf(store, prefixes.checks, clusterCheckSchema);
  }

  /** All targets, in the order of their names, but those that are gone from Git and from their cluster. */
  async views(): Promise<readonly TargetView[]> {
    const [pointers, inventories, checks] = await Promise.all([
      this.#pointers.read(),
      this.#inventories.read(),
      this.#checks.read(),
    ]);
    const views = [...pointers].map(([name, pointer]) => {
      const target = targetOf(name);
      return { target, pointer, inventory: inventories.get(name), check: checks.get(target.cluster) };
    });
    return views.filter((view) => !isOver(view));
  }
}

/** `CLUSTER/APPLICATION` */
function targetOf(name: string): Target {
  const [cluster = '', application = ''] = name.split('/');
  return { cluster, application };
}

/** Documents below one prefix by the rest of their keys. */
class Shelf<S extends z.ZodType> {
  readonly #store: Store;
  readonly #prefix: string;
  readonly #schema: S;
  readonly #known = new Map<string, { readonly etag: string; readonly value: z.infer<S> }>();

  constructor(store: Store, prefix: string, schema: S) {
    this.#store = store;
    this.#prefix = prefix;
    this.#schema = schema;
  }

  async read(): Promise<ReadonlyMap<string, z.infer<S>>> {
    const entries = await this.#store.entries(this.#prefix);
    for (const key of this.#known.keys()) if (!entries.has(key)) this.#known.delete(key);
    const changed = [...entries].filter(([key, etag]) => this.#known.get(key)?.etag !== etag);
    await inBatches(changed, readsAtOnce, async ([key]) => {
      const stored = await this.#store.get(key);
      this.#known.delete(key);
      if (stored === undefined) return;
      try {
        const value = parseDocument(key, stored.text, this.#schema);
        this.#known.set(key, { etag: stored.etag, value });
      } catch (error) {
        // One that nobody can read must not take the fleet away from everybody: `trueup status` names it.
        if (!(error instanceof Stop)) throw error;
      }
    });
    const sorted = [...this.#known].sort(([a], [b]) => (a < b ? -1 : 1));
    return new Map(
      sorted.map(([key, { value }]) => [key.slice(this.#prefix.length).replace(/\.json$/, ''), value]),
    );
  }
}
