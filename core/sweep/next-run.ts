import { noHolds, whyHeld, type Holds } from '../holds.ts';
import type { HeldAction } from '../model/freeze.ts';
import { isAppliedByItself } from '../model/pin.ts';
import type { RunReason } from '../model/run.ts';
import { isoTime, millisecondsOf, secondsBetween } from '../model/time.ts';
import { pruneDue } from '../plan.ts';
import { chooseGoal, isWaitingForStage } from '../reconcile/choose-goal.ts';
import { lookDelaySeconds, retryDelaySeconds } from '../reconcile/delays.ts';
import type { TargetState } from './target-state.ts';

/** What a check found that a run could mend. */
export interface Needs {
  /** Git wants something else than was applied, or a run did not finish. */
  readonly pending: boolean;
  /** The last check saw that already: a message that is merely under way needs no second one. */
  readonly wasPending: boolean;
  /** Drift that a heal puts right, as the rules have it. */
  readonly healable: boolean;
  /** A value that a Secret refers to has another version than the one that was applied. */
  readonly rotated?: boolean;
  /** What is suspended, and the freezes of the installation. */
  readonly holds?: Holds;
}

/** A failed run sends its own retry; when that is so long overdue, it was lost. */
const overdueMs = 60_000;

/**
 * Which run to ask for, if any. A sweep is the backstop for messages that were lost and runs that died; it neither
 * hurries a target whose last run failed nor repeats one that only a commit or a person can help. A revision that was
 * applied once is healed all the same: one object that cannot be put right must not leave the others adrift.
 */
export function nextRun(
  { pointer, inventory }: TargetState,
  needs: Needs,
  now: number,
): RunReason | undefined {
  const { holds = noHolds } = needs;
  // A run would only say that it is frozen or suspended.
  const isFree = (action: HeldAction): boolean => whyHeld(action, pointer, holds, now) === undefined;
  const isApplied = inventory?.applied?.revision === pointer.revision;
  const last = inventory?.lastRun;
  const failed = last?.outcome === 'failed' || last?.outcome === 'blocked' ? last : undefined;
  let needsPerson = false;
  if (failed !== undefined && failed.revision === pointer.revision) {
    const due = millisecondsOf(failed.at) + retryDelaySeconds(failed.attempt) * 1000 + overdueMs;
    needsPerson = !failed.retry;
    if (now < due || (needsPerson && !isApplied)) return undefined;
  }
  // A `pending` request would rest where a person is needed; a heal finishes what is unfinished as well.
  // What a person began goes on where it waited, though nothing else is applied by itself.
  const isStaged = isWaitingForStage(inventory, pointer.revision);
  const isWaiting = isStaged || (last?.outcome === 'waiting' && last.revision === pointer.revision);
  const goesOn = needs.pending && !needsPerson && (isAppliedByItself(pointer) || isWaiting);
  // A heal that would only rest must not stand in the way of what goes on: a revision that was begun may be all it waits for.
  const { healable } = needs;
  const heals =
    healable && chooseGoal({ reason: 'heal' }, { pointer, inventory, healable, holds }, now).kind === 'run';
  const isStopped = last?.stoppedBy !== undefined && last.revision === pointer.revision;
  // It would only say that a person stopped it; of what they stopped in time nothing is there, and what is applied is healed.
  if (isStopped && needs.pending) return heals ? 'heal' : undefined;
  // A stage may take days to begin: until then what is applied is healed.
  if (isStaged && heals) return 'heal';
  if (goesOn && isFree('push')) return needs.wasPending ? 'pending' : undefined;
  // It heals what has drifted as well.
  const isRotated = needs.rotated === true && isApplied && pointer.settings.sync === 'auto';
  if (isRotated && isFree('push')) return 'rotation';
  // What was only marked, and what waited for another application: no push comes for these.
  if (isApplied && !needsPerson && pruneDue(inventory, now) && isFree('prune')) return 'pending';
  // Looks at deletions end an hour after the run; finalizers may take longer.
  const isDeleting = Object.values(inventory?.entries ?? {}).some(({ state }) => state === 'deleting');
  const isWatched =
    last !== undefined && lookDelaySeconds(secondsBetween(last.at, isoTime(now))) !== undefined;
  if (isDeleting && !isWatched && !heals) return 'health';
  return heals ? 'heal' : undefined;
}
