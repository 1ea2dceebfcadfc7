import { prefixes } from '../contract/keys.ts';
import type { Store, Stored, WriteCondition, WriteOutcome } from '../ports.ts';

/**
 * Another store as it stands, with every write kept here: what runs on it leaves nothing behind. Leases of others do not
 * show, since nothing is done that they guard.
 */
export class OverlayStore implements Store {
  readonly #below: Store;
  /** Undefined: deleted here. */
  readonly #written = new Map<string, Stored | undefined>();
  #count = 0;

  constructor(below: Store) {
    this.#below = below;
  }

  async get(key: string): Promise<Stored | undefined> {
    return this.#current(key, await this.#fromBelow(key));
  }

  async put(key: string, text: string, condition: WriteCondition): Promise<WriteOutcome> {
    const below = await this.#fromBelow(key);
    // From here on nothing is waited for: of two writers one is told.
    if (!holds(this.#current(key, below), condition)) return { kind: 'conflict' };
    this.#count += 1;
    const etag = `overlay-${this.#count}`;
    this.#written.set(key, { text, etag });
    return { kind: 'written', etag };
  }

  async delete(key: string, condition: 'any' | { readonly etag: string }): Promise<'deleted' | 'conflict'> {
    const below = await this.#fromBelow(key);
    if (!holds(this.#current(key, below), condition)) return 'conflict';
    this.#written.set(key, undefined);
    return 'deleted';
  }

  async entries(prefix: string): Promise<ReadonlyMap<string, string>> {
    const entries = new Map(await this.#below.entries(prefix));
    for (const [key, stored] of this.#written) {
      if (!key.startsWith(prefix)) continue;
      if (stored === undefined) entries.delete(key);
      else entries.set(key, stored.etag);
    }
    return new Map([...entries].sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  async *list(prefix: string, options: { after?: string; limit?: number } = {}): AsyncIterable<string> {
    const { after = '', limit } = options;
    const keys = [...(await this.entries(prefix)).keys()];
    yield* keys.filter((key) => key > after).slice(0, limit);
  }

  async #fromBelow(key: string): Promise<Stored | undefined> {
    return key.startsWith(prefixes.leases) ? undefined : this.#below.get(key);
  }

  #current(key: string, below: Stored | undefined): Stored | undefined {
    return this.#written.has(key) ? this.#written.get(key) : below;
  }
}

function holds(current: Stored | undefined, condition: WriteCondition): boolean {
  if (condition === 'any') return true;
  return condition === 'absent' ? current === undefined : current?.etag === condition.etag;
}
