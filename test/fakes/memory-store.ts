import { createHash } from 'node:crypto';
import type { Store, Stored, WriteCondition, WriteOutcome } from '../../core/ports.ts';

/** Store in memory for unit tests of core; passes the same contract suite as the S3 store. */
export class MemoryStore implements Store {
  readonly #objects = new Map<string, Stored>();
  /** Every successful write in order, so that a test can assert what was written and when. */
  readonly writes: string[] = [];

  async get(key: string): Promise<Stored | undefined> {
    return this.#objects.get(key);
  }

  async put(key: string, text: string, condition: WriteCondition): Promise<WriteOutcome> {
    const current = this.#objects.get(key);
    if (condition === 'absent' && current !== undefined) return { kind: 'conflict' };
    if (typeof condition === 'object' && current?.etag !== condition.etag) return { kind: 'conflict' };
    // As in S3, the etag is that of the content: it repeats when the content does.
    const etag = createHash('md5').update(text).digest('hex');
    this.#objects.set(key, { text, etag });
    this.writes.push(key);
    return { kind: 'written', etag };
  }

  async delete(key: string, condition: 'any' | { readonly etag: string }): Promise<'deleted' | 'conflict'> {
    const current = this.#objects.get(key);
    if (condition !== 'any' && current?.etag !== condition.etag) return 'conflict';
    this.#objects.delete(key);
    return 'deleted';
  }

  async entries(prefix: string): Promise<ReadonlyMap<string, string>> {
    const matching = [...this.#objects].filter(([key]) => key.startsWith(prefix));
    return new Map(
      matching.map(([key, { etag }]): [string, string] => [key, etag]).sort(([a], [b]) => (a < b ? -1 : 1)),
    );
  }

  async *list(prefix: string, options: { after?: string; limit?: number } = {}): AsyncIterable<string> {
    const matching = [...this.#objects.keys()]
      .filter((key) => key.startsWith(prefix) && key > (options.after ?? ''))
      .sort((a, b) => (a < b ? -1 : 1));
    yield* matching.slice(0, options.limit);
  }
}
