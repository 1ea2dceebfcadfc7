import type { Store, Stored, WriteCondition, WriteOutcome } from '../core/ports.ts';

/** Requests as S3 charges them: a listing costs what a write costs. Deletions are free. */
export interface StoreRequests {
  readonly s3Reads: number;
  readonly s3Writes: number;
}

const keysInPage = 1000;

/** A store that counts what is asked of it: requests to S3 are most of what a check costs. */
export class CountedStore implements Store {
  readonly #store: Store;
  #reads = 0;
  #writes = 0;

  constructor(store: Store) {
    this.#store = store;
  }

  /** Since this store was made. */
  get requests(): StoreRequests {
    return { s3Reads: this.#reads, s3Writes: this.#writes };
  }

  async get(key: string): Promise<Stored | undefined> {
    this.#reads += 1;
    return this.#store.get(key);
  }

  async put(key: string, text: string, condition: WriteCondition): Promise<WriteOutcome> {
    this.#writes += 1;
    return this.#store.put(key, text, condition);
  }

  async delete(key: string, condition: 'any' | { readonly etag: string }): Promise<'deleted' | 'conflict'> {
    return this.#store.delete(key, condition);
  }

  async entries(prefix: string): Promise<ReadonlyMap<string, string>> {
    const found = await this.#store.entries(prefix);
    this.#writes += Math.max(1, Math.ceil(found.size / keysInPage));
    return found;
  }

  async *list(
    prefix: string,
    options?: { readonly after?: string; readonly limit?: number },
  ): AsyncIterable<string> {
    let count = 0;
    for await (const key of this.#store.list(prefix, options)) {
      if (count % keysInPage === 0) this.#writes += 1;
      count += 1;
      yield key;
    }
    if (count === 0) this.#writes += 1;
  }
}
