import { keys } from '../contract/keys.ts';
import { readDocument } from '../documents.ts';
import { readEpisodes } from '../episodes.ts';
import type { Holds } from '../holds.ts';
import { desiredPointerSchema, type DesiredPointer } from '../model/desired.ts';
import { inventorySchema, type Inventory } from '../model/inventory.ts';
import type { RunReason } from '../model/run.ts';
import type { Target } from '../model/target.ts';
import type { Store } from '../ports.ts';
import { isHealable } from '../record.ts';

/** What the records say of a target now: what it should have, and what was done. */
export interface Standing {
  readonly pointer: DesiredPointer | undefined;
  readonly inventory: Inventory | undefined;
  /** An open episode has something that its own rules heal; asked only where the application as a whole does not. */
  readonly healable?: boolean;
  /** What keeps it from being written to; asked only where something may be. */
  readonly holds?: Holds;
}

export async function readStanding(store: Store, target: Target, reason?: RunReason): Promise<Standing> {
  const [pointer, inventory] = await Promise.all([
    readPointer(store, target),
    readDocument(store, keys.inventory(target), inventorySchema),
  ]);
  const standing = { pointer, inventory: inventory?.value };
  if (reason !== 'heal' || pointer?.settings.drift === 'heal') return standing;
  return { ...standing, healable: Object.values(await readEpisodes(store, target)).some(isHealable) };
}

export async function readPointer(store: Store, target: Target): Promise<DesiredPointer | undefined> {
  return (await readDocument(store, keys.desired(target), desiredPointerSchema))?.value;
}
