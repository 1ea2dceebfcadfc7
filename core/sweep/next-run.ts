import type { RunReason } from '../model/run.ts';
import { millisecondsOf } from '../model/time.ts';
import type { TargetState } from './target-state.ts';

/** What a check found that a run could mend. */
export interface Needs {
  /** Git wants something else than was applied, or a run did not finish. */
  readonly pending: boolean;
  /** The last check saw that already: a message that is merely under way needs no second one. */
  readonly wasPending: boolean;
  /** Drift that an apply puts right. */
  readonly healable: boolean;
}

/**
 * Which run to ask for, if any. A sweep is the backstop for messages that were lost and runs that died; it never
 * hurries a target whose last run failed: the wait doubles with each failure of the same revision.
 */
export function nextRun(
  { pointer, inventory }: TargetState,
  needs: Needs,
  now: number,
): RunReason | undefined {
  const last = inventory?.lastRun;
  if (last !== undefined && last.revision === pointer.revision) {
    const failed = last.outcome === 'failed' || last.outcome === 'blocked';
    // Only a commit or a person helps.
    if (failed && !last.retry) return undefined;
    if (failed && now < millisecondsOf(last.at) + retryDelaySeconds(last.attempt) * 1000) return undefined;
  }
  if (needs.pending) return pointer.settings.sync === 'auto' && needs.wasPending ? 'pending' : undefined;
  return needs.healable && pointer.settings.drift === 'heal' ? 'heal' : undefined;
}

const longestDelaySeconds = 3600;

/** 2, 4, 8 … minutes, at most an hour. */
function retryDelaySeconds(attempt: number): number {
  return Math.min(longestDelaySeconds, 60 * 2 ** Math.max(1, attempt));
}
