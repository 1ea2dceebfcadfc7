import { keys } from './contract/keys.ts';
import { readDocument, writeDocument } from './documents.ts';
import { digestOf } from './model/digest.ts';
import { imageMemorySchema, type ImageMemory } from './model/image-memory.ts';
import type { Store } from './ports.ts';

/** By the branch that each is proposed from. */
export type ImageProposals = NonNullable<ImageMemory['proposals']>;

/** The memory of one repository from a read on: each writing is refused where somebody else wrote since. */
export class ImageMemoryBook {
  readonly #store: Store;
  readonly #repository: string;
  #current: ImageMemory | undefined;
  #etag: string | undefined;

  private constructor(store: Store, repository: string) {
    this.#store = store;
    this.#repository = repository;
  }

  static async open(store: Store, repository: string): Promise<ImageMemoryBook> {
    const book = new ImageMemoryBook(store, repository);
    const found = await readDocument(store, keys.images(repository), imageMemorySchema);
    book.#current = found?.value;
    book.#etag = found?.etag;
    return book;
  }

  get policies(): ImageMemory['policies'] {
    return this.#current?.policies ?? {};
  }

  get proposals(): ImageProposals {
    return this.#current?.proposals ?? {};
  }

  /** False where somebody else wrote. What stands there already is left as it is. */
  async write(policies: ImageMemory['policies'], proposals: ImageProposals): Promise<boolean> {
    const isSame = digestOf([policies, proposals]) === digestOf([this.policies, this.proposals]);
    if (isSame) return true;
    const seq = (this.#current?.seq ?? 0) + 1;
    const next: ImageMemory = { version: 1, seq, repository: this.#repository, policies, proposals };
    const condition = this.#etag === undefined ? 'absent' : { etag: this.#etag };
    const outcome = await writeDocument(this.#store, keys.images(this.#repository), next, condition);
    if (outcome.kind === 'conflict') return false;
    this.#current = next;
    this.#etag = outcome.etag;
    return true;
  }
}
