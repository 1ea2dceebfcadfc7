import { hash } from 'node:crypto';
import type { Store, Stored, WriteCondition, WriteOutcome } from '../../core/ports.ts';

/** Keys that are alike in their first two parts: `desired/east/`. Most listings are of one of these. */
function folderOf(key: string): string {
  const second = key.indexOf('/', key.indexOf('/') + 1);
  return key.slice(0, second + 1);
}

/** Store in memory for unit tests of core; passes the same contract suite as the S3 store. */
export class MemoryStore implements Store {
  readonly #folders = new Map<string, Map<string, Stored>>();
  /** Every successful write in order, so that a test can assert what was written and when. */
  readonly writes: string[] = [];

  async get(key: string): Promise<Stored | undefined> {
    return this.#find(key);
  }

  async put(key: string, text: string, condition: WriteCondition): Promise<WriteOutcome> {
    const current = this.#find(key);
    if (condition === 'absent' && current !== undefined) return { kind: 'conflict' };
    if (typeof condition === 'object' && current?.etag !== condition.etag) return { kind: 'conflict' };
    // As in S3, the etag is that of the content: it repeats when the content does.
    const etag = hash('md5', text);
    const name = folderOf(key);
    const folder = this.#folders.get(name) ?? new Map<string, Stored>();
    this.#folders.set(name, folder.set(key, { text, etag }));
    this.writes.push(key);
    return { kind: 'written', etag };
  }

  async delete(key: string, condition: 'any' | { readonly etag: string }): Promise<'deleted' | 'conflict'> {
    const current = this.#find(key);
    if (condition !== 'any' && current?.etag !== condition.etag) return 'conflict';
    this.#folders.get(folderOf(key))?.delete(key);
    return 'deleted';
  }

  async entries(prefix: string): Promise<ReadonlyMap<string, string>> {
    const found = this.#below(prefix);
    return new Map([...found.keys()].sort().map((key) => [key, found.get(key)?.etag ?? '']));
  }

  async *list(prefix: string, options: { after?: string; limit?: number } = {}): AsyncIterable<string> {
    const matching = [...this.#below(prefix).keys()].filter((key) => key > (options.after ?? ''));
    yield* matching.sort().slice(0, options.limit);
  }

  #find(key: string): Stored | undefined {
    return this.#folders.get(folderOf(key))?.get(key);
  }

  #below(prefix: string): ReadonlyMap<string, Stored> {
    const name = folderOf(prefix);
    const folder = this.#folders.get(name) ?? new Map<string, Stored>();
    if (name === prefix && name !== '') return folder;
    const folders = name === '' ? [...this.#folders.values()] : [folder];
    return new Map(folders.flatMap((each) => [...each].filter(([key]) => key.startsWith(prefix))));
  }
}
