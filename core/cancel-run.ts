import { keys } from './contract/keys.ts';
import { readDocument, updateDocument } from './documents.ts';
import { Stop } from './errors.ts';
import { inBatches } from './in-batches.ts';
import { heldToken } from './lease.ts';
import { desiredPointerSchema, type DesiredPointer } from './model/desired.ts';
import { inventorySchema, type Inventory } from './model/inventory.ts';
import { isAppliedByItself } from './model/pin.ts';
import { suspensionsSchema, type Cancellation } from './model/suspension.ts';
import { targetKey, type Target } from './model/target.ts';
import { isoTime, millisecondsOf } from './model/time.ts';
import type { Clock, Store } from './ports.ts';
import { noSuspensions, readSuspensions } from './suspend.ts';

interface CancelDeps {
  readonly store: Store;
  readonly clock: Pick<Clock, 'now'>;
}

/** For histories; after that only what still holds is kept. */
const keptMs = 86_400_000;
const readsAtOnce = 16;

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
  const wanted = {
    target,
    by,
    at: isoTime(now),
    revision: pointer.value.revision,
    ...(after !== undefined && { after }),
    ...(token !== undefined && { token }),
  };
  const over = await overBefore(store, now);
  const written = await updateDocument(
    store,
    keys.suspensions,
    suspensionsSchema,
    (current = noSuspensions) => {
      const seq = current.seq + 1;
      const kept = (current.cancelled ?? []).filter((one) => !over.has(one.seq));
      return { ...current, seq, cancelled: [...kept, { ...wanted, seq }] };
    },
  );
  return { ...wanted, seq: written?.seq ?? 0 };
}

/** Old ones whose revision is not the newest any more, by `seq`: the others hold until somebody syncs. */
async function overBefore(store: Store, now: number): Promise<ReadonlySet<number>> {
  const { cancelled = [] } = (await readSuspensions(store)) ?? {};
  const old = cancelled.filter((one) => now - millisecondsOf(one.at) >= keptMs);
  const moved = await inBatches(old, readsAtOnce, async ({ target, revision, seq }) => {
    const pointer = await readDocument(store, keys.desired(target), desiredPointerSchema);
    return pointer?.value.revision === revision ? [] : [seq];
  });
  return new Set(moved.flat());
}

/** Whether a run of its own accord is still to come: nobody holds the target meanwhile. */
export function isUnderWay(pointer: DesiredPointer, inventory: Inventory | undefined): boolean {
  const last = inventory?.lastRun;
  if (last?.revision === pointer.revision) {
    return last.outcome === 'waiting' || last.retry || (last.outcome === 'cancelled' && !last.stoppedBy);
  }
  return inventory?.applied?.revision !== pointer.revision && isAppliedByItself(pointer);
}
