import { prefixes } from '../contract/keys.ts';
import type { RecordVersions } from '../model/memory.ts';
import type { Store } from '../ports.ts';

/** Which versions of its records each target has, by application; without a desired pointer there is no target. */
export type AllVersions = ReadonlyMap<string, RecordVersions>;

/** The records of all targets of one cluster, told from each other by their etags: three listings, and nothing read. */
export class Records {
  readonly #store: Store;
  readonly #cluster: string;
  #scanning: Promise<unknown> = Promise.resolve();
  #next: Promise<AllVersions> | undefined;

  constructor(store: Store, cluster: string) {
    this.#store = store;
    this.#cluster = cluster;
  }

  /** As they stand at some time after this call; callers that wait at the same time share one look. */
  async now(): Promise<AllVersions> {
    this.#next ??= this.#after(this.#scanning);
    return this.#next;
  }

  async #after(earlier: Promise<unknown>): Promise<AllVersions> {
    await earlier.catch(() => undefined);
    this.#next = undefined;
    const scan = this.#scan();
    this.#scanning = scan;
    return scan;
  }

  async #scan(): Promise<AllVersions> {
    const [desired, inventories, leases] = await Promise.all(
      [prefixes.desired, prefixes.inventory, prefixes.leases].map(async (prefix) => this.#entries(prefix)),
    );
    return new Map(
      [...(desired ?? [])].map(([application, etag]) => {
        const [inventory, lease] = [inventories?.get(application), leases?.get(application)];
        const versions: RecordVersions = {
          desired: etag,
          ...(inventory !== undefined && { inventory }),
          ...(lease !== undefined && { lease }),
        };
        return [application, versions];
      }),
    );
  }

  async #entries(prefix: string): Promise<ReadonlyMap<string, string>> {
    const below = `${prefix}${this.#cluster}/`;
    const entries = await this.#store.entries(below);
    return new Map([...entries].map(([key, etag]) => [key.slice(below.length, -'.json'.length), etag]));
  }
}

export function sameVersions(a: RecordVersions, b: RecordVersions | undefined): boolean {
  return a.desired === b?.desired && a.inventory === b.inventory && a.lease === b.lease;
}
