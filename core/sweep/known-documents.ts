import type * as z from 'zod';
import { parseDocument, type Document } from '../documents.ts';
import type { Store, WriteCondition, WriteOutcome } from '../ports.ts';

/** Characters of JSON, all documents together: those of a cluster of 50,000 objects, or of many small ones. */
const mostCharacters = 32_000_000;

interface Writing<S extends z.ZodType> {
  readonly schema: S;
  readonly value: z.infer<S>;
  readonly condition: WriteCondition;
}

interface Known extends Document<unknown> {
  readonly schema: z.ZodType;
  readonly size: number;
}

/**
 * Documents of one store as this process last read or wrote them: one whose etag is what it was is not parsed again. Only
 * for documents of which no two versions have the same etag. What is given out is shared: nobody changes it.
 */
export class KnownDocuments {
  readonly #known = new Map<string, Known>();
  #size = 0;

  /** As `readDocument`. */
  async read<S extends z.ZodType>(
    store: Store,
    key: string,
    schema: S,
  ): Promise<Document<z.infer<S>> | undefined> {
    const stored = await store.get(key);
    if (stored === undefined) return undefined;
    const known = this.#known.get(key);
    if (known?.etag === stored.etag && isOf(known, schema)) return known;
    const document = { value: parseDocument(key, stored.text, schema), etag: stored.etag };
    this.#note(key, { ...document, schema, size: stored.text.length });
    return document;
  }

  /** As `writeDocument`. */
  async write<S extends z.ZodType<object>>(
    store: Store,
    key: string,
    { schema, value, condition }: Writing<S>,
  ): Promise<WriteOutcome> {
    const text = JSON.stringify(value);
    const outcome = await store.put(key, text, condition);
    if (outcome.kind === 'written') this.#note(key, { value, etag: outcome.etag, schema, size: text.length });
    return outcome;
  }

  #note(key: string, document: Known): void {
    this.#size += document.size - (this.#known.get(key)?.size ?? 0);
    this.#known.delete(key);
    this.#known.set(key, document);
    for (const [other, { size }] of this.#known) {
      if (this.#size <= mostCharacters) break;
      this.#known.delete(other);
      this.#size -= size;
    }
  }
}

function isOf<S extends z.ZodType>(known: Known, schema: S): known is Known & Document<z.infer<S>> {
  return known.schema === schema;
}
