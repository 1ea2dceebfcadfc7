import { keys } from '../contract/keys.ts';
import { readDocument } from '../documents.ts';
import { isLeaseHeld } from '../lease.ts';
import { desiredPointerSchema, type DesiredPointer } from '../model/desired.ts';
import { inventorySchema, type Inventory } from '../model/inventory.ts';
import type { RecordVersions } from '../model/memory.ts';
import type { Target } from '../model/target.ts';
import type { Clock, Store } from '../ports.ts';

/** What the records say of a target at one moment. */
export interface TargetState {
  readonly pointer: DesiredPointer;
  /** Absent before the first run. */
  readonly inventory: Inventory | undefined;
  /** A run is at work, or was since `versions` were seen. */
  readonly busy: boolean;
}

/**
 * Reads the records of which only the versions are known; undefined when the target has no pointer (any more).
 * `released` is the version of a lease that is known to be held by nobody.
 */
export async function readTargetState(
  deps: { readonly store: Store; readonly clock: Clock },
  target: Target,
  { versions, released }: { readonly versions: RecordVersions; readonly released?: string | undefined },
): Promise<TargetState | undefined> {
  const mayBeHeld = versions.lease !== undefined && versions.lease !== released;
  const [held, pointer, inventory] = await Promise.all([
    mayBeHeld && isLeaseHeld(deps, target),
    readDocument(deps.store, keys.desired(target), desiredPointerSchema),
    versions.inventory !== undefined && readDocument(deps.store, keys.inventory(target), inventorySchema),
  ]);
  if (pointer === undefined) return undefined;
  const document = inventory === false ? undefined : inventory;
  const moved = pointer.etag !== versions.desired || document?.etag !== versions.inventory;
  return { pointer: pointer.value, inventory: document?.value, busy: held || moved };
}

/** A tombstone whose objects are all gone or left alone: nothing is left to look at (rule 7). */
export function isFinished({ pointer, inventory }: TargetState): boolean {
  return pointer.state === 'gone' && Object.keys(inventory?.entries ?? {}).length === 0;
}
