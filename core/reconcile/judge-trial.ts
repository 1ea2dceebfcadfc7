import type { AlarmReading } from '../alarm-ports.ts';
import type { DesiredPointer } from '../model/desired.ts';
import type { HealthStatus } from '../model/health.ts';
import type { Inventory } from '../model/inventory.ts';
import { isoTime, millisecondsOf } from '../model/time.ts';

type Trial = NonNullable<Inventory['trial']>;

/** A revision that may still be rolled back, as far as the records say. */
export interface OnTrial {
  readonly trial: Trial;
  readonly alarms: readonly string[];
  readonly windowSeconds: number;
  /** Milliseconds since the epoch. */
  readonly until: number;
  /** Its last run failed, and neither time nor another try helps: why, in words. */
  readonly failure: string | undefined;
  /** All of it is applied: health is that of this revision. */
  readonly isApplied: boolean;
}

/** `over`: nothing is to be watched, and why. */
export type Standing =
  { readonly kind: 'trial'; readonly trial: OnTrial } | { readonly kind: 'over'; readonly why: string };

const over = (why: string): Standing => ({ kind: 'over', why });

/** Whether the revision that the pointer has now may be rolled back by itself: once, in its window, to what was healthy. */
export function trialOf(
  pointer: DesiredPointer | undefined,
  inventory: Inventory | undefined,
  now: number,
): Standing {
  const onFailure = pointer?.settings.rollback?.onFailure;
  if (pointer === undefined || pointer.state === 'gone') return over('no application of Git has this target');
  if (onFailure === undefined) return over('nothing is rolled back by itself here');
  if (pointer.pin !== undefined) return over('it is rolled back');
  const { trial, applied, lastRun } = inventory ?? {};
  const { revision } = pointer;
  if (trial?.revision !== revision) return over(`revision ${revision} has not begun`);
  if (pointer.insisted === pointer.snapshot) {
    return over(`revision ${revision} was rolled back once, and a person wanted it all the same`);
  }
  if (trial.back === undefined)
    return over(`nothing that was healthy was applied before revision ${revision}`);
  if (trial.back.snapshot === pointer.snapshot) return over('what was applied before has the same objects');
  const { windowSeconds, alarms } = onFailure;
  const last = lastRun?.revision === revision && lastRun.untouched !== true ? lastRun : undefined;
  const isApplied = applied?.revision === revision;
  if (!isApplied && last === undefined) return over(`nothing of revision ${revision} is on the cluster`);
  const began = isApplied ? (applied.since ?? applied.at) : (last?.at ?? trial.since);
  const until = millisecondsOf(began) + windowSeconds * 1000;
  if (now >= until) return over(`the window of revision ${revision} ended at ${isoTime(until)}`);
  const isLost = !isApplied && last?.outcome === 'failed' && !last.retry;
  const failure = isLost ? `its run failed: ${last.message}` : undefined;
  return { kind: 'trial', trial: { trial, alarms, windowSeconds, until, failure, isApplied } };
}

/** What looks have found just now; what could not be read is left out, and condemns nobody (rule 5). */
export interface Seen {
  readonly health?: { readonly status: HealthStatus; readonly message: string } | undefined;
  readonly alarms: ReadonlyMap<string, AlarmReading>;
}

/** `again`: in so many seconds at the latest, where a first look has found it Degraded. */
export type TrialVerdict =
  | { readonly kind: 'bad'; readonly why: string }
  | { readonly kind: 'open'; readonly degradedSince?: string; readonly again?: number };

/** A crash at the start may pass: only what is Degraded in two looks so far apart is bad. */
export const confirmSeconds = 30;
const slackMs = 5_000;

/** Whether a revision is bad: its run failed for good, an alarm rang since it was begun, or it stays Degraded. */
export function judgeTrial(
  { trial, alarms, failure }: Pick<OnTrial, 'trial' | 'alarms' | 'failure'>,
  seen: Seen,
  now: number,
): TrialVerdict {
  if (failure !== undefined) return { kind: 'bad', why: failure };
  for (const name of alarms) {
    const { state, since } = seen.alarms.get(name) ?? {};
    // One that rang before is not about this revision.
    const isOwn = since !== undefined && since >= millisecondsOf(trial.since);
    if (state === 'ALARM' && isOwn)
      return { kind: 'bad', why: `the alarm ${name} rings since ${isoTime(since)}` };
  }
  const { degradedSince } = trial;
  if (seen.health === undefined)
    return { kind: 'open', ...(degradedSince !== undefined && { degradedSince }) };
  if (seen.health.status !== 'Degraded') return { kind: 'open' };
  if (degradedSince === undefined) {
    return { kind: 'open', degradedSince: isoTime(now), again: confirmSeconds };
  }
  const isConfirmed = now >= millisecondsOf(degradedSince) + confirmSeconds * 1000 - slackMs;
  return isConfirmed
    ? { kind: 'bad', why: `it is Degraded since ${degradedSince}: ${seen.health.message}` }
    : { kind: 'open', degradedSince };
}

const shortestLookSeconds = 15;
const longestLookSeconds = 300;

/** How often a revision is looked at in its window: thirty times, and at least every five minutes. */
export function watchSeconds(windowSeconds: number): number {
  return Math.min(longestLookSeconds, Math.max(shortestLookSeconds, Math.floor(windowSeconds / 30)));
}
