import type { RepositoryConfig } from '../contract/config.ts';
import { keys } from '../contract/keys.ts';
import { trackedRef } from '../contract/tracked-ref.ts';
import { readDocument, writeDocument, type Document } from '../documents.ts';
import { inBatches } from '../in-batches.ts';
import {
  desiredPointerSchema,
  repositoryStateSchema,
  type DesiredPointer,
  type RepositoryState,
} from '../model/desired.ts';
import { targetKey, type Target } from '../model/target.ts';
import type { Store, WriteCondition } from '../ports.ts';
import { PointerMemory } from './pointer-memory.ts';

const requestsAtATime = 16;
/** So many are read one by one sooner than they are recalled. */
const fewPointers = 20;

/**
 * The state of one repository and pointers of its targets, as read before the head was asked for. Every write names
 * the version that was read; one that lost to another writer returns false, and all is to be read and asked again.
 */
export class Records {
  readonly #store: Store;
  readonly #key: string;
  readonly #pointers = new Map<string, Document<DesiredPointer> | undefined>();
  readonly #written = new Map<string, Document<DesiredPointer>>();
  readonly #memory: PointerMemory;
  #state: Document<RepositoryState> | undefined;

  constructor(store: Store, repository: RepositoryConfig) {
    this.#store = store;
    this.#key = keys.repository(repository.name, trackedRef(repository));
    this.#memory = new PointerMemory(store, repository);
  }

  async readState(): Promise<void> {
    this.#state = await readDocument(this.#store, this.#key, repositoryStateSchema);
  }

  get state(): RepositoryState | undefined {
    return this.#state?.value;
  }

  /** Reads the pointers that were not read yet. */
  async readPointers(targets: readonly Target[]): Promise<void> {
    const isUnread = (target: Target): boolean => !this.#pointers.has(targetKey(target));
    const wanted = targets.filter(isUnread);
    if (wanted.length > fewPointers) {
      for (const [key, found] of await this.#memory.recall(wanted)) this.#pointers.set(key, found);
    }
    const unread = wanted.filter(isUnread);
    await inBatches(unread, requestsAtATime, async (target) => {
      const document = await readDocument(this.#store, keys.desired(target), desiredPointerSchema);
      this.#pointers.set(targetKey(target), document);
    });
  }

  get pointers(): ReadonlyMap<string, DesiredPointer> {
    const found = [...this.#pointers].flatMap(([key, document]) =>
      document === undefined ? [] : [[key, document.value] as const],
    );
    return new Map(found);
  }

  async writeState(next: Omit<RepositoryState, 'version' | 'seq'>): Promise<boolean> {
    const value: RepositoryState = { version: 1, seq: (this.#state?.value.seq ?? 0) + 1, ...next };
    const outcome = await writeDocument(this.#store, this.#key, value, conditionOf(this.#state));
    if (outcome.kind === 'conflict') return false;
    this.#state = { value, etag: outcome.etag };
    return true;
  }

  /** Writes pointers whose targets were read; returns those that were written. */
  async writePointers(pointers: readonly DesiredPointer[]): Promise<readonly DesiredPointer[]> {
    const written = await inBatches(pointers, requestsAtATime, async (pointer) => {
      const condition = conditionOf(this.#pointers.get(targetKey(pointer.target)));
      const outcome = await writeDocument(this.#store, keys.desired(pointer.target), pointer, condition);
      if (outcome.kind === 'conflict') return [];
      this.#written.set(targetKey(pointer.target), { value: pointer, etag: outcome.etag });
      return [pointer];
    });
    return written.flat();
  }

  /** Notes for the next look how the pointers stand, where there are so many that it would pay. */
  async keepPointers(): Promise<void> {
    const known = new Map(this.#written);
    for (const [key, document] of this.#pointers) {
      if (document !== undefined && !known.has(key)) known.set(key, document);
    }
    if (known.size > fewPointers) await this.#memory.keep(known);
  }
}

function conditionOf(document: { readonly etag: string } | undefined): WriteCondition {
  return document === undefined ? 'absent' : { etag: document.etag };
}
