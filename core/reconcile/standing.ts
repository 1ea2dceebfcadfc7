import { keys } from '../contract/keys.ts';
import { readDocument } from '../documents.ts';
import { desiredPointerSchema, type DesiredPointer } from '../model/desired.ts';
import { inventorySchema, type Inventory } from '../model/inventory.ts';
import type { Target } from '../model/target.ts';
import type { Store } from '../ports.ts';

/** What the records say of a target now: what it should have, and what was done. */
export interface Standing {
  readonly pointer: DesiredPointer | undefined;
  readonly inventory: Inventory | undefined;
}

export async function readStanding(store: Store, target: Target): Promise<Standing> {
  const [pointer, inventory] = await Promise.all([
    readPointer(store, target),
    readDocument(store, keys.inventory(target), inventorySchema),
  ]);
  return { pointer, inventory: inventory?.value };
}

export async function readPointer(store: Store, target: Target): Promise<DesiredPointer | undefined> {
  return (await readDocument(store, keys.desired(target), desiredPointerSchema))?.value;
}
