import { keys } from './contract/keys.ts';
import { readDocument, updateDocument } from './documents.ts';
import { Stop } from './errors.ts';
import { heldToken } from './lease.ts';
import { desiredPointerSchema, type DesiredPointer } from './model/desired.ts';
import { inventorySchema, type Inventory } from './model/inventory.ts';
import { isAppliedByItself } from './model/pin.ts';
import { suspensionsSchema, type Cancellation } from './model/suspension.ts';
import { targetKey, type Target } from './model/target.ts';
import { isoTime, millisecondsOf } from './model/time.ts';
import type { Clock, Store } from './ports.ts';
import { noSuspensions } from './suspend.ts';

interface CancelDeps {
  readonly store: Store;
  readonly clock: Pick<Clock, 'now'>;
}

/** No run lasts longer. */
const keptMs = 86_400_000;

/**
 * Asks what is under way on a target to stop: a run before its next step, or what a revision that waits or is tried again
 * would do next. It stays stopped until a person syncs it or a commit comes. Throws Stop where nothing is under way.
 */
export async function cancelRun(deps: CancelDeps, target: Target, by: string): Promise<Cancellation> {
  const { store, clock } = deps;
  const [pointer, inventory, token] = await Promise.all([
    readDocument(store, keys.desired(target), desiredPointerSchema),
    readDocument(store, keys.inventory(target), inventorySchema),
    heldToken(deps, target),
  ]);
  if (pointer === undefined || (token === undefined && !isUnderWay(pointer.value, inventory?.value))) {
    const message = 'nothing is under way; `trueup suspend` keeps what may come from being applied';
    throw new Stop({ subject: `target ${targetKey(target)}`, message });
  }
  const now = clock.now();
  const after = inventory?.value.lastRun?.runId;
  const cancellation: Cancellation = {
    target,
    by,
    at: isoTime(now),
    revision: pointer.value.revision,
    ...(after !== undefined && { after }),
    ...(token !== undefined && { token }),
  };
  await updateDocument(store, keys.suspensions, suspensionsSchema, (current = noSuspensions) => {
    const recent = (current.cancelled ?? []).filter((one) => now - millisecondsOf(one.at) < keptMs);
    return { ...current, seq: current.seq + 1, cancelled: [...recent, cancellation] };
  });
  return cancellation;
}

/** Whether a run of its own accord is still to come: nobody holds the target meanwhile. */
export function isUnderWay(pointer: DesiredPointer, inventory: Inventory | undefined): boolean {
  const last = inventory?.lastRun;
  if (last?.revision === pointer.revision) {
    return last.outcome === 'waiting' || last.retry || (last.outcome === 'cancelled' && !last.stoppedBy);
  }
  return inventory?.applied?.revision !== pointer.revision && isAppliedByItself(pointer);
}
