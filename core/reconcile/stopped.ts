import type { DesiredPointer } from '../model/desired.ts';
import type { Inventory } from '../model/inventory.ts';
import type { RunRequest } from '../model/run.ts';
import type { Cancellation, Suspensions } from '../model/suspension.ts';
import { targetKey } from '../model/target.ts';

/** A run, as far as a cancellation may mean it. */
interface RunPlace {
  readonly request: Pick<RunRequest, 'target' | 'reason' | 'holdsSeen'>;
  /** That it is to reach; of a restart that of the pointer. */
  readonly revision: number;
  readonly inventory: Pick<Inventory, 'applied' | 'lastRun' | 'holdsSeen'> | undefined;
  /** Of its lease, where it has one. */
  readonly token?: number;
}

/**
 * Who wants a run to stop; undefined where nobody does. Meant is whoever held the lease, and of the same revision all that
 * a person had asked for before. A revision that is not applied is not begun by anybody else either, until a person
 * syncs it; of one that is applied, only what was to come next is meant, so that heals go on.
 */
export function cancellationOf(
  suspensions: Suspensions | undefined,
  { request, revision, inventory, token }: RunPlace,
): Cancellation | undefined {
  const isAsked = request.reason === 'sync' || request.reason === 'restart';
  const seen = (isAsked ? request.holdsSeen : inventory?.holdsSeen) ?? 0;
  const isApplied = inventory?.applied?.revision === revision;
  return suspensions?.cancelled?.findLast((one) => {
    if (targetKey(one.target) !== targetKey(request.target)) return false;
    if (token !== undefined && one.token === token) return true;
    if (one.revision !== revision || one.seq <= seen) return false;
    return isAsked || !isApplied || (one.token === undefined && one.after === inventory?.lastRun?.runId);
  });
}

/** What keeps the newest revision from going on by itself: it is not applied, and nobody has synced it since. */
export function stopOf(
  { target, revision }: Pick<DesiredPointer, 'target' | 'revision'>,
  inventory: Inventory | undefined,
  suspensions: Suspensions | undefined,
): Cancellation | undefined {
  if (inventory?.applied?.revision === revision) return undefined;
  return cancellationOf(suspensions, { request: { target, reason: 'push' }, revision, inventory });
}

/** Whether a person asks for all of a revision that was cancelled before they asked. */
export function isLifted(
  { reason, only, holdsSeen = 0 }: Pick<RunRequest, 'reason' | 'only' | 'holdsSeen'>,
  stop: Cancellation | undefined,
): boolean {
  return reason === 'sync' && only === undefined && stop !== undefined && stop.seq <= holdsSeen;
}
