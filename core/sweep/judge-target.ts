import { noHolds, whyHeld, type Holds } from '../holds.ts';
import type { TargetCheck } from '../model/check.ts';
import { isAppliedByItself, isSelfPinned } from '../model/pin.ts';
import { describeRotation, type Rotation } from '../model/secret-reference.ts';
import { waitingToGo } from '../plan.ts';
import type { TargetState } from './target-state.ts';

/** Everything that one look at a target gave, in words where it is for people. */
export interface Findings {
  /** Objects that a run began and did not finish. */
  readonly unfinished: readonly string[];
  /** Why the check is partial; empty when everything was judged. */
  readonly unknown: readonly string[];
  readonly drifted: number;
  /** The rules watch at least one object, or there is none. */
  readonly watched: boolean;
  /** Values that were rotated since they were applied. */
  readonly rotations?: readonly Rotation[];
  /** What is suspended, and the freezes of the installation. */
  readonly holds?: Holds;
}

/** Why a target is Unknown on purpose: the check is complete, and there is nothing to be done about it. */
export const driftIgnored = 'drift is ignored: live objects are not compared with Git';

/** `Unknown` before `Pending` before `Drifted`: what was not judged is never called good, nor merely late (rule 5). */
export function judgeTarget(
  { pointer, inventory }: TargetState,
  { unfinished, unknown, drifted, watched, rotations = [], holds = noHolds }: Findings,
  now: number,
): Pick<TargetCheck, 'sync' | 'reason'> {
  if (unknown.length > 0) return { sync: 'Unknown', reason: summary(unknown) };
  if (isPending({ pointer, inventory }, unfinished)) {
    return {
      sync: 'Pending',
      reason:
        pendingReason({ pointer, inventory }, unfinished) + heldText(whyHeld('push', pointer, holds, now)),
    };
  }
  if (rotations.length > 0) {
    return {
      sync: 'Pending',
      reason: rotatedReason(pointer, rotations) + heldText(whyHeld('push', pointer, holds, now)),
    };
  }
  // Nobody looked, so nobody may say Synced.
  if (!watched) return { sync: 'Unknown', reason: driftIgnored };
  if (drifted === 0) return { sync: 'Synced', reason: '' };
  const reason = `${drifted} of its objects differ from what was applied${heldText(whyHeld('heal', pointer, holds, now))}`;
  return { sync: 'Drifted', reason };
}

/** Whether Git wants something else than was applied, or a run did not finish. */
export function isPending(
  { pointer, inventory }: Pick<TargetState, 'pointer' | 'inventory'>,
  unfinished: readonly string[],
): boolean {
  return pointer.revision !== inventory?.applied?.revision || unfinished.length > 0;
}

/**
 * Whether a target is not what Git says since its last run failed or was blocked, or since its newest revision was rolled
 * back by itself: until a run reaches what Git says, or a later look finds all of it there. That ends what nobody repeats:
 * a sync or a heal that gave up while a cluster was away, of what is in order by now. Without a state it is what the check
 * before said of it.
 */
export function hasFailed(
  state: Pick<TargetState, 'pointer' | 'inventory'> | undefined,
  { sync, at }: Pick<TargetCheck, 'sync' | 'at'>,
  previous: Pick<TargetCheck, 'failed'> | undefined,
): boolean {
  if (state === undefined) return previous?.failed === true;
  if (isSelfPinned(state.pointer)) return true;
  const { lastRun: last, entries = {} } = state.inventory ?? {};
  if (last?.outcome !== 'failed' && last?.outcome !== 'blocked') return false;
  // A prune that was refused leaves a target Synced.
  return sync !== 'Synced' || at < last.at || waitingToGo({ entries }) !== undefined;
}

function pendingReason(
  { pointer, inventory }: Pick<TargetState, 'pointer' | 'inventory'>,
  unfinished: readonly string[],
): string {
  const last = inventory?.lastRun;
  const failed = last?.outcome === 'failed' || last?.outcome === 'blocked';
  if (last !== undefined && failed && last.revision === pointer.revision) {
    return `the last run was ${last.outcome}: ${last.message}`;
  }
  if (inventory?.waiting?.revision === pointer.revision) return inventory.waiting.reason;
  if (pointer.revision === inventory?.applied?.revision)
    return `a run did not finish ${unfinished.join(', ')}`;
  if (pointer.state === 'gone') return 'its Application is gone from Git; its objects are about to go';
  const sha = pointer.commit.sha.slice(0, 7);
  if (!isAppliedByItself(pointer)) return `commit ${sha} waits for \`trueup sync\``;
  return `commit ${sha} is not applied yet`;
}

/** No drift of anybody's making: the cluster is as it was applied, and a value is newer. */
function rotatedReason({ settings }: TargetState['pointer'], rotations: readonly Rotation[]): string {
  const said = summary([...new Set(rotations.map(describeRotation))]);
  return settings.sync === 'manual' ? `${said}; it waits for \`trueup sync\`` : said;
}

/** Why nothing is done about it for now, behind what is said of it. */
function heldText(why: string | undefined): string {
  return why === undefined ? '' : `; ${why}`;
}

/** Servers and webhooks may say a lot; the check document holds every target of the cluster. */
const longestReason = 500;

/** The first of them: the rest is most often the same once more. */
function summary(reasons: readonly string[]): string {
  const [first = '', ...more] = reasons;
  const said = first.length <= longestReason ? first : `${first.slice(0, longestReason)}…`;
  return more.length === 0 ? said : `${said} (and ${more.length} more)`;
}
