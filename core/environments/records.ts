import { keys } from '../contract/keys.ts';
import { readDocument, writeDocument, type Document } from '../documents.ts';
import { inBatches } from '../in-batches.ts';
import { desiredPointerSchema, type DesiredPointer } from '../model/desired.ts';
import { inventorySchema } from '../model/inventory.ts';
import { jsonEqual } from '../model/json.ts';
import { environmentRecordSchema, type EnvironmentRecord } from '../model/preview-environments.ts';
import { targetKey, type Target } from '../model/target.ts';
import type { Store, WriteCondition } from '../ports.ts';

const requestsAtATime = 16;

/**
 * The environments of one repository and their pointers, as read before the host was asked. Every write names the version
 * that was read; one that lost to another writer returns false, and all is to be read and asked again (rule 2).
 */
export class EnvironmentRecords {
  readonly #store: Store;
  readonly #repository: string;
  readonly #pointers = new Map<string, Document<DesiredPointer> | undefined>();
  #record: Document<EnvironmentRecord> | undefined;

  constructor(store: Store, repository: string) {
    this.#store = store;
    this.#repository = repository;
  }

  async read(): Promise<EnvironmentRecord> {
    this.#record = await readDocument(
      this.#store,
      keys.environments(this.#repository),
      environmentRecordSchema,
    );
    const targets = Object.entries(this.record.environments).flatMap(([application, { clusters }]) =>
      clusters.map((cluster) => ({ cluster, application })),
    );
    await this.readPointers(targets);
    return this.record;
  }

  get record(): EnvironmentRecord {
    const nothing = { version: 1 as const, seq: 0, environments: {}, told: {} };
    return this.#record?.value ?? { ...nothing, repository: this.#repository };
  }

  /** Reads those that were not read yet. */
  async readPointers(targets: readonly Target[]): Promise<void> {
    const unread = targets.filter((target) => !this.#pointers.has(targetKey(target)));
    await inBatches(unread, requestsAtATime, async (target) => {
      const found = await readDocument(this.#store, keys.desired(target), desiredPointerSchema);
      this.#pointers.set(targetKey(target), found);
    });
  }

  pointer(target: Target): DesiredPointer | undefined {
    return this.#pointers.get(targetKey(target))?.value;
  }

  async write(next: Omit<EnvironmentRecord, 'version' | 'seq' | 'repository'>): Promise<boolean> {
    const { version, seq, repository, ...before } = this.record;
    if (this.#record !== undefined && jsonEqual(before, next)) return true;
    const value = { version, seq: seq + 1, repository, ...next };
    const key = keys.environments(repository);
    const outcome = await writeDocument(this.#store, key, value, conditionOf(this.#record));
    if (outcome.kind === 'conflict') return false;
    this.#record = { value, etag: outcome.etag };
    return true;
  }

  async writePointer(pointer: DesiredPointer): Promise<boolean> {
    const key = targetKey(pointer.target);
    const condition = conditionOf(this.#pointers.get(key));
    const outcome = await writeDocument(this.#store, keys.desired(pointer.target), pointer, condition);
    if (outcome.kind === 'conflict') return false;
    this.#pointers.set(key, { value: pointer, etag: outcome.etag });
    return true;
  }

  /**
   * Whether nothing of a target is left: its inventory is empty, and a run has answered to its tombstone. Where there is no
   * pointer yet, a look that began before may still write one, and is `isOver` some time later.
   */
  async isGone(target: Target, isOver: boolean): Promise<boolean> {
    const pointer = this.pointer(target);
    if (pointer === undefined) return isOver;
    if (pointer.state !== 'gone') return false;
    const inventory = (await readDocument(this.#store, keys.inventory(target), inventorySchema))?.value;
    if (inventory === undefined) return true;
    const isAnswered = (inventory.lastRun?.revision ?? 0) >= pointer.revision;
    return isAnswered && Object.keys(inventory.entries).length === 0;
  }
}

function conditionOf(document: { readonly etag: string } | undefined): WriteCondition {
  return document === undefined ? 'absent' : { etag: document.etag };
}
