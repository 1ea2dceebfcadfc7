import { keys } from '../contract/keys.ts';
import { readDocument } from '../documents.ts';
import { isLeaseHeld } from '../lease.ts';
import { desiredPointerSchema, type DesiredPointer } from '../model/desired.ts';
import { inventorySchema, type Inventory } from '../model/inventory.ts';
import type { Target } from '../model/target.ts';
import type { Clock, Store } from '../ports.ts';

/** What the records say of a target at one moment. */
export interface TargetState {
  readonly pointer: DesiredPointer;
  /** Absent before the first run. */
  readonly inventory: Inventory | undefined;
  /** A run is at work. */
  readonly busy: boolean;
}

/** Undefined when the target has no pointer (any more). */
export async function readTargetState(
  deps: { readonly store: Store; readonly clock: Clock },
  target: Target,
): Promise<TargetState | undefined> {
  const [busy, pointer, inventory] = await Promise.all([
    isLeaseHeld(deps, target),
    readDocument(deps.store, keys.desired(target), desiredPointerSchema),
    readDocument(deps.store, keys.inventory(target), inventorySchema),
  ]);
  if (pointer === undefined) return undefined;
  return { pointer: pointer.value, inventory: inventory?.value, busy };
}

/** Whether a run was, or may have been, at work between two looks: then what was seen in between means nothing. */
export function hasMoved(before: TargetState, after: TargetState | undefined): boolean {
  if (after === undefined || before.busy || after.busy) return true;
  return before.pointer.revision !== after.pointer.revision || before.inventory?.seq !== after.inventory?.seq;
}

/** A tombstone whose objects are all gone or left alone: nothing is left to look at (rule 7). */
export function isFinished({ pointer, inventory }: TargetState): boolean {
  return pointer.state === 'gone' && Object.keys(inventory?.entries ?? {}).length === 0;
}
