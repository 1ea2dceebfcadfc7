import { keys } from '../contract/keys.ts';
import { readDocument, writeDocument, type Document } from '../documents.ts';
import { Retry } from '../errors.ts';
import { inventorySchema, type Inventory } from '../model/inventory.ts';
import type { Target } from '../model/target.ts';
import type { Store } from '../ports.ts';
import { Halted } from './halted.ts';

const tries = 12;

type Change = (inventory: Inventory) => Inventory;

/**
 * The inventory of one target in the hands of one run. The first write claims it with the token of the lease; from then
 * on a run with a lower token, which has lost its lease and may not know, cannot write any more (rule 3).
 */
export class InventoryWriter {
  readonly #store: Store;
  readonly #key: string;
  readonly #target: Target;
  readonly #token: number;
  #document: Document<Inventory> | undefined;
  #unsaved: Change[] = [];
  #value: Inventory | undefined;

  private constructor(store: Store, target: Target, token: number) {
    this.#store = store;
    this.#key = keys.inventory(target);
    this.#target = target;
    this.#token = token;
  }

  static async claim(store: Store, target: Target, token: number): Promise<InventoryWriter> {
    const writer = new InventoryWriter(store, target, token);
    await writer.#reload();
    await writer.save((inventory) => inventory);
    return writer;
  }

  /** With what is noted and not saved yet. */
  get value(): Inventory {
    this.#value ??= this.#unsaved.reduce((inventory, change) => change(inventory), this.#saved());
    return this.#value;
  }

  #saved(): Inventory {
    return (
      this.#document?.value ?? {
        version: 1,
        seq: 0,
        target: this.#target,
        entries: {},
        hooks: {},
        accepted: [],
      }
    );
  }

  /** For the next save to write. It is lost with the process: only for what an intent tells of already (rule 1). */
  note(change: Change): void {
    this.#unsaved.push(change);
    this.#value = undefined;
  }

  /** Saves what is noted, if anything is. */
  async flush(): Promise<void> {
    if (this.#unsaved.length > 0) await this.save((inventory) => inventory);
  }

  /**
   * Changes the inventory by compare-and-set. `change` may be called again on a newer version: others note health in
   * it, but only the holder of the lease changes entries. Throws Halted when a later holder has claimed it.
   */
  async save(change: Change): Promise<void> {
    for (let attempt = 0; attempt < tries; attempt += 1) {
      const current = this.value;
      const next = { ...change(current), seq: current.seq + 1, fence: this.#token };
      const condition = this.#document === undefined ? 'absent' : { etag: this.#document.etag };
      const outcome = await writeDocument(this.#store, this.#key, next, condition);
      if (outcome.kind === 'written') {
        this.#document = { value: next, etag: outcome.etag };
        this.#unsaved = [];
        this.#value = next;
        return;
      }
      await this.#reload();
    }
    throw new Retry({ subject: this.#key, message: `changed under us ${tries} times in a row; try again` });
  }

  async #reload(): Promise<void> {
    const found = await readDocument(this.#store, this.#key, inventorySchema);
    // Not kept: with the version of a later holder in hand, the next save would go through.
    if ((found?.value.fence ?? 0) > this.#token) {
      throw new Halted('lease-lost', 'another run has taken over this target; this one stopped');
    }
    this.#document = found;
    this.#value = undefined;
  }
}
