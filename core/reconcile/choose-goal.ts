import { noHolds, whyHeld } from '../holds.ts';
import type { Commit } from '../model/commit.ts';
import type { DesiredPointer, Settings } from '../model/desired.ts';
import type { HeldAction } from '../model/freeze.ts';
import { describeAskedAlone, type Inventory } from '../model/inventory.ts';
import type { RunReason, RunRequest } from '../model/run.ts';
import type { SecretVersions } from '../model/secret-reference.ts';
import { millisecondsOf, secondsBetween } from '../model/time.ts';
import { isAppliedByItself } from '../model/pin.ts';
import { describeSuspension, suspensionOf, type Cancellation } from '../model/suspension.ts';
import { pruneDue, type ApplyScope } from '../plan.ts';
import { continueDelaySeconds, retryDelaySeconds, slackMs } from './delays.ts';
import type { Standing } from './standing.ts';
import { stopOf } from './stopped.ts';

/** What one run is to reach. */
export interface Goal {
  readonly pointer: DesiredPointer;
  readonly revision: number;
  readonly snapshot: string;
  readonly commit: Commit;
  readonly settings: Settings;
  readonly scope: ApplyScope;
  /** The revision is not applied yet: dependencies, waves and hooks count. Heals and later syncs wait for nothing. */
  readonly rollout: boolean;
}

type LastRun = NonNullable<Inventory['lastRun']>;

/** `rest`: there is nothing to do, and why. */
export type Choice =
  { readonly kind: 'run'; readonly goal: Goal } | { readonly kind: 'rest'; readonly why: string };

const rest = (why: string): Choice => ({ kind: 'rest', why });

/**
 * Whether a request needs a run, and for what. Messages are hints (rule 4): late and doubled ones end here, without a
 * run record, so that one push is one run.
 */
export function chooseGoal(
  { reason, revision, secretVersions }: Pick<RunRequest, 'reason' | 'revision' | 'secretVersions'>,
  { pointer, inventory, healable = false, holds = noHolds }: Standing,
  now: number,
): Choice {
  if (pointer === undefined) return rest('no application of Git has this target');
  const isPushHeld = reason === 'heal' && whyHeld('push', pointer, holds, now) !== undefined;
  const stop = stopOf(pointer, inventory, holds.suspensions);
  const known = { pointer, inventory, now, healable, secretVersions, isPushHeld, stop };
  const facts = { ...known, ...factsOf(pointer, inventory) };
  const suspension = isLook(reason) ? undefined : suspensionOf(holds.suspensions, pointer.target, now);
  if (suspension !== undefined) return rest(describeSuspension(suspension));
  const held = isAgreed({ reason, revision }, pointer)
    ? undefined
    : whyHeld(actionOf(reason, facts), pointer, holds, now);
  if (held !== undefined) return rest(held);
  const stopped = isForPeople(reason) ? undefined : stoppedIn(facts, reason);
  return stopped === undefined ? choices[reason](facts) : rest(stopped);
}

/**
 * Of a revision that a person stopped, why nothing goes on by itself: heals would finish by the way what was begun. The first
 * run after a cancellation says so in its record; what was healed of an earlier revision since then is no reason to repeat it.
 */
function stoppedIn(facts: Facts, reason: RunReason): string | undefined {
  const { pointer, inventory, isDone, stop } = facts;
  const last = inventory?.lastRun;
  if (isDone || last === undefined || (reason === 'heal' && isStoppedUntouched(facts))) return undefined;
  const isOther = last.revision !== pointer.revision;
  const since = stop !== undefined && isOther && last.at > stop.at ? stop.by : undefined;
  const by = isOther ? since : last.stoppedBy;
  return by && `${by} cancelled it: the rest waits for \`trueup sync\` or a commit`;
}

/** Stopped before anything of it was done: heals of what is applied go on beside it. */
function isStoppedUntouched({ pointer, inventory, stop }: Facts): boolean {
  const last = inventory?.lastRun;
  if (last?.revision !== pointer.revision) return stop !== undefined;
  return (stop !== undefined || last.stoppedBy !== undefined) && last.untouched === true;
}

/** Whether whoever asks knows what is applied, so that no freeze counts. */
export function isAgreed(
  { reason, revision }: Pick<RunRequest, 'reason' | 'revision'>,
  pointer: DesiredPointer,
): boolean {
  return isForPeople(reason) && (revision === undefined || revision === pointer.revision);
}

function actionOf(reason: RunReason, { isDone }: Facts): HeldAction {
  if (reason === 'heal') return 'heal';
  // Of what is applied nothing is left to do but what earlier runs marked.
  return reason === 'pending' && isDone ? 'prune' : 'push';
}

/** A look at health writes nothing, and a person knows of the freeze: for the revision that they saw. */
function isForPeople(reason: RunReason): boolean {
  return reason === 'sync' || reason === 'restart' || isLook(reason);
}

function isLook(reason: RunReason): boolean {
  return reason === 'health' || reason === 'watch';
}

const choices: Readonly<Record<RunReason, (facts: Facts) => Choice>> = {
  sync: (facts) => run(facts, 'all'),
  push: forPush,
  pending: forPending,
  retry: forRetry,
  continue: forContinue,
  promote: forPromote,
  heal: forHeal,
  'hand-over': forHandOver,
  rotation: forRotation,
  health: () => rest('health is looked at without a run'),
  watch: () => rest('a revision is watched without a run'),
  restart: () => rest('workloads are restarted without a plan'),
};

interface Facts {
  readonly pointer: DesiredPointer;
  readonly inventory: Inventory | undefined;
  readonly now: number;
  /** Drift that a rule or an annotation heals though the application as a whole is not healed. */
  readonly healable: boolean;
  /** As whoever asked for a rotation saw them. */
  readonly secretVersions: SecretVersions | undefined;
  readonly isApplied: boolean;
  /** An object waits for a run that died, or failed on it. */
  readonly unfinished: boolean;
  /** Applied, and no object waits for a run that died. */
  readonly isDone: boolean;
  /** The last run had this revision and did not reach it. */
  readonly wasTried: boolean;
  /** The last run had this revision and stopped half-way, though nothing failed. */
  readonly wasCut: boolean;
  readonly needsPerson: boolean;
  /** A freeze or a suspension holds commits back: what is applied may be healed, and nothing else. */
  readonly isPushHeld: boolean;
  /** A person cancelled the revision, and nobody has synced it since. */
  readonly stop: Cancellation | undefined;
  /** The revision waits for its stage of the rollout, and nothing of it was touched. */
  readonly isStaged: boolean;
  /** When the next look is due, in milliseconds since the epoch, if the last run left this revision waiting. */
  readonly dueAt: number | undefined;
}

/** The sweep may go on with a wait whose own message was lost or fell into a freeze; not before. */
const overdueMs = 60_000;

function factsOf({ revision }: DesiredPointer, inventory: Inventory | undefined) {
  const isApplied = inventory?.applied?.revision === revision;
  const unfinished = Object.values(inventory?.entries ?? {}).some(({ state }) => state === 'intent');
  const last = inventory?.lastRun?.revision === revision ? inventory.lastRun : undefined;
  const isStaged = isWaitingForStage(inventory, revision);
  const wasTried = last?.outcome === 'failed' || last?.outcome === 'blocked';
  return {
    isApplied,
    unfinished,
    isDone: isApplied && !unfinished,
    wasTried,
    wasCut: last?.outcome === 'cancelled',
    needsPerson: wasTried && !last.retry,
    isStaged,
    dueAt: last?.outcome === 'waiting' && !isStaged ? dueAt(last, inventory?.waiting) : undefined,
  };
}

function dueAt({ at }: Pick<LastRun, 'at'>, waiting: Inventory['waiting']): number {
  const { since = at, until = at } = waiting ?? {};
  const due = millisecondsOf(at) + continueDelaySeconds(secondsBetween(since, at)) * 1000;
  return Math.min(due, Math.max(millisecondsOf(until), millisecondsOf(at)));
}

/** The revision waits for its stage of the rollout. */
export function isWaitingForStage(inventory: Inventory | undefined, revision: number): boolean {
  return inventory?.waiting?.revision === revision && inventory.waiting.on === 'rollout';
}

function run({ pointer, isApplied }: Pick<Facts, 'pointer' | 'isApplied'>, scope: ApplyScope): Choice {
  const { revision, snapshot, commit, settings } = pointer;
  const goal = { pointer, revision, snapshot, commit, settings, scope, rollout: !isApplied };
  return { kind: 'run', goal };
}

function forPush(facts: Facts): Choice {
  const { revision } = facts.pointer;
  if (facts.dueAt !== undefined) return rest(`revision ${revision} waits, and goes on by itself`);
  return facts.wasTried && !facts.isDone
    ? rest(`revision ${revision} was tried already; what follows from that goes on`)
    : forChange(facts);
}

function forChange(facts: Facts): Choice {
  const { pointer, isDone } = facts;
  if (!isAppliedByItself(pointer)) return rest('sync is manual: it waits for `trueup sync`');
  return isDone ? rest(`revision ${pointer.revision} is applied already`) : run(facts, 'changed');
}

function forPending(facts: Facts): Choice {
  const { pointer, now, needsPerson, dueAt: due } = facts;
  if (needsPerson) return rest(`revision ${pointer.revision} needs a commit or a person`);
  if (due === undefined)
    return facts.isStaged || isPruneDue(facts) ? run(facts, 'changed') : forChange(facts);
  return now < due + overdueMs ? rest('it waits, and goes on by itself') : run(facts, 'changed');
}

/** What an earlier run marked or left for another application goes on without a commit, and without another sync. */
function isPruneDue({ inventory, isApplied, now }: Facts): boolean {
  return isApplied && inventory !== undefined && pruneDue(inventory, now);
}

/** One application has given an object up, the other may have been blocked for that: tried again, or tidied up. */
function forHandOver(facts: Facts): Choice {
  const { pointer, inventory, isDone, dueAt: due } = facts;
  if (due !== undefined) return rest(`revision ${pointer.revision} waits, and goes on by itself`);
  if (triesByItself(facts))
    return rest(`revision ${pointer.revision} failed; what follows from that goes on`);
  const gives = Object.values(inventory?.entries ?? {}).some(({ kept }) => kept?.because === 'hand-over');
  return isDone && gives ? run(facts, 'changed') : forChange(facts);
}

/** What is blocked may wait for the very object that was given up; a failure has its own retry, or needs a commit. */
function triesByItself({ inventory, isDone, wasTried }: Facts): boolean {
  const last = inventory?.lastRun;
  return wasTried && last !== undefined && (last.retry || (last.outcome === 'failed' && !isDone));
}

/** A newer revision brings the values of now along, and where a person applies commits, a person applies these too. */
function forRotation(facts: Facts): Choice {
  const { pointer, inventory, secretVersions } = facts;
  if (pointer.state === 'gone') return rest('its Application is gone from Git');
  if (pointer.settings.sync === 'manual') return rest('sync is manual: it waits for `trueup sync`');
  if (!facts.isApplied) return rest(`revision ${pointer.revision} is not applied yet, and brings them along`);
  const entries = Object.values(inventory?.entries ?? {});
  const isApplied = ([place, version]: [string, string]): boolean => {
    const known = entries.flatMap((entry) => entry.secretVersions?.[place] ?? []);
    return known.length > 0 && known.every((one) => one === version);
  };
  return Object.entries(secretVersions ?? {}).every(isApplied)
    ? rest('the new versions are applied already')
    : run(facts, 'changed');
}

/** Whoever began a revision, a person too, wanted all of it. A newer one ends the wait of an older: its own push runs. */
function forContinue(facts: Facts): Choice {
  const { now, dueAt: due } = facts;
  if (due === undefined && (facts.wasCut || facts.isStaged)) return run(facts, 'changed');
  if (due === undefined) return rest('the revision that it was to go on with does not wait any more');
  return now < due - slackMs ? rest('another message goes on with it') : run(facts, 'changed');
}

/** Of a revision that waits for its stage; also where that was not noted, since its own message is under way. */
function forPromote(facts: Facts): Choice {
  return facts.isStaged ? run(facts, 'changed') : forPush(facts);
}

/** All that is unfinished is of a run of what is applied, which was stopped: to finish it takes nothing of a newer revision back. */
function isOwnCut(inventory: Inventory | undefined, { revision }: Pick<LastRun, 'revision'>): boolean {
  const { lastRun, entries = {} } = inventory ?? {};
  if (lastRun?.revision !== revision) return false;
  // A run of the newer revision that died has left intents of its own, which are younger.
  const isOlder = (at: string | undefined): boolean => at !== undefined && at <= lastRun.at;
  return Object.values(entries).every(({ state, intendedAt }) => state !== 'intent' || isOlder(intendedAt));
}

function forRetry(facts: Facts): Choice {
  const { pointer, inventory, now, isApplied } = facts;
  const last = inventory?.lastRun;
  // A commit came in between: its own push does the work, unless nobody has asked for it yet.
  if (last === undefined || last.revision !== pointer.revision) return forPush(facts);
  // A sync of a revision that is applied already may have failed anywhere; nothing else writes what is only observed.
  const scope = isApplied && last.reason === 'sync' ? 'all' : 'changed';
  if (facts.wasCut) return run(facts, scope);
  if (!facts.wasTried || !last.retry) return rest('the run that it was to repeat is not failed');
  const due = millisecondsOf(last.at) + retryDelaySeconds(last.attempt) * 1000;
  if (now < due - slackMs) return rest('another retry of the same run is under way');
  return run(facts, scope);
}

/**
 * Drift compares with what was applied. Where a commit waits for a person or for its stage, healing goes back to the applied snapshot
 * and does not apply the commit by the way. Once a run towards the commit was begun that would roll it back, and prune
 * what only the commit has: then a person ends what a person began.
 */
function forHeal(facts: Facts): Choice {
  const { pointer, inventory, isApplied, isStaged, unfinished, needsPerson, healable } = facts;
  const { drift } = pointer.settings;
  if (drift !== 'heal' && !healable)
    return rest(`drift is ${drift === 'observe' ? 'only observed' : 'ignored'}`);
  if (isApplied) return run(facts, 'changed');
  const isStopped = isStoppedUntouched(facts);
  if (pointer.settings.sync === 'auto' && !isStaged && !facts.isPushHeld && !isStopped) {
    return needsPerson
      ? rest(`revision ${pointer.revision} needs a commit or a person`)
      : run(facts, 'changed');
  }
  const applied = inventory?.applied;
  if (applied === undefined || pointer.state === 'gone') return rest('nothing is applied yet');
  const alone = inventory && describeAskedAlone(inventory);
  if (alone !== undefined)
    return rest(`${alone}, and nothing is healed before that, which would take them back`);
  const last = inventory?.lastRun;
  // A run that reached its revision made it the applied one: any other revision was left half-way.
  const isBegun =
    (isStaged && inventory?.waiting?.begun === true) ||
    last?.leftBehind === true ||
    (!isStaged && !isStopped && last !== undefined && last.revision !== applied.revision);
  if ((unfinished && !isOwnCut(inventory, applied)) || isBegun)
    return rest('a sync was begun and has not ended; run `trueup sync` again');
  const { revision, snapshot, commit = { ...pointer.commit, sha: applied.sha } } = applied;
  const { settings } = pointer;
  const goal = { pointer, revision, snapshot, commit, settings, scope: 'changed' as const, rollout: false };
  return { kind: 'run', goal };
}
