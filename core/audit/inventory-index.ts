import { prefixes } from '../contract/keys.ts';
import { readDocument } from '../documents.ts';
import { Stop } from '../errors.ts';
import { inBatches } from '../in-batches.ts';
import { isWide, isWriteTo, takesAlong, type AuditWrite, type LoggedPlace } from '../model/audit.ts';
import { inventorySchema, type Inventory } from '../model/inventory.ts';
import type { Clock, Store } from '../ports.ts';

/** So old may it be: an object that was applied since is looked at by the next sweep. */
const maxAgeMs = 30_000;
const readsAtOnce = 8;

interface Indexed {
  /** When the inventories were last listed. */
  at: number;
  /** By the key of each inventory. */
  readonly targets: Map<
    string,
    { readonly etag: string; readonly application: string; readonly places: Places }
  >;
}

type Places = ReadonlyMap<string, LoggedPlace>;

/** Which target has which object, of each cluster, by the inventories; kept from batch to batch by a process. */
export class InventoryIndex {
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #clusters = new Map<string, Indexed>();

  constructor(store: Store, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
  }

  /** The writes that meet an object of each application of the cluster; what meets none is left out. */
  async met(
    cluster: string,
    writes: readonly AuditWrite[],
  ): Promise<ReadonlyMap<string, readonly AuditWrite[]>> {
    const { targets } = await this.#of(cluster);
    const found = new Map<string, AuditWrite[]>();
    for (const { application, places } of targets.values()) {
      const met = writes.filter((write) => isMetBy(write, places));
      if (met.length > 0) found.set(application, met);
    }
    return found;
  }

  async #of(cluster: string): Promise<Indexed> {
    const known = this.#clusters.get(cluster) ?? { at: -Infinity, targets: new Map() };
    if (this.#clock.now() < known.at + maxAgeMs) return known;
    const at = this.#clock.now();
    const below = `${prefixes.inventory}${cluster}/`;
    const entries = await this.#store.entries(below);
    for (const key of known.targets.keys()) if (!entries.has(key)) known.targets.delete(key);
    const changed = [...entries].filter(([key, etag]) => known.targets.get(key)?.etag !== etag);
    await inBatches(changed, readsAtOnce, async ([key]) => {
      const document = await orUnreadable(readDocument(this.#store, key, inventorySchema));
      if (document === undefined) return;
      const application = key.slice(below.length, -'.json'.length);
      known.targets.set(key, { etag: document.etag, application, places: placesOf(document.value) });
    });
    known.at = at;
    this.#clusters.set(cluster, known);
    return known;
  }
}

/** A record that a person must restore concerns its target alone; the sweep tells of it. */
async function orUnreadable<T>(reading: Promise<T | undefined>): Promise<T | undefined> {
  return reading.catch((error: unknown) => {
    if (error instanceof Stop) return undefined;
    throw error;
  });
}

function placesOf({ entries }: Inventory): Places {
  const places = Object.values(entries).map(({ ref, plural }) => {
    const { group, namespace, name } = ref;
    return { group, resource: plural, namespace, name };
  });
  return new Map(places.map((place) => [nameOf(place), place]));
}

function nameOf({ group, resource, namespace, name }: LoggedPlace): string {
  return [group, resource, namespace ?? '', name].join('/');
}

function isMetBy(write: AuditWrite, places: Places): boolean {
  if (isWide(write)) {
    return places.values().some((place) => isWriteTo(write, place) || takesAlong(write, place));
  }
  const { group, resource, namespace, name } = write;
  return name !== undefined && places.has(nameOf({ group, resource, namespace, name }));
}
