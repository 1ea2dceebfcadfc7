import type { Freeze } from './model/freeze.ts';
import { isoTime, millisecondsOf } from './model/time.ts';

/** That nothing is healed and no push is applied now; `until` is ISO 8601, and `reason` a phrase for people. */
export interface Frozen {
  readonly until: string;
  readonly reason: string;
}

interface Span {
  readonly from: number;
  readonly until: number;
  readonly reason: string | undefined;
}

type WeeklyFreeze = Extract<Freeze, { days: unknown }>;

const dayMs = 86_400_000;
const weekdays = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] as const;
/** Windows that touch are told as one; those that never end would be told so for ever. */
const mostWindows = 60;

/** The freeze window at a time, if there is one; windows that follow each other without a gap count as one. */
export function frozenBy(freezes: readonly Freeze[], nowMs: number): Frozen | undefined {
  const first = spanAt(freezes, nowMs);
  if (first === undefined) return undefined;
  let { until } = first;
  for (let window = 1; window < mostWindows; window += 1) {
    const next = spanAt(freezes, until);
    if (next === undefined) break;
    ({ until } = next);
  }
  return { until: isoTime(until), reason: first.reason ?? 'a freeze window' };
}

/** Of all windows open at that time the one that ends last. */
function spanAt(freezes: readonly Freeze[], nowMs: number): Span | undefined {
  return freezes
    .flatMap((freeze) => ('days' in freeze ? weeklySpans(freeze, nowMs) : [absoluteSpan(freeze)]))
    .filter(({ from, until }) => from <= nowMs && nowMs < until)
    .sort((a, b) => b.until - a.until)[0];
}

function absoluteSpan({ from, until, reason }: Exclude<Freeze, WeeklyFreeze>): Span {
  return { from: millisecondsOf(from), until: millisecondsOf(until), reason };
}

/** The windows that begin on the local yesterday and today: only these can be open now. */
function weeklySpans({ days, from, until, timeZone, reason }: WeeklyFreeze, nowMs: number): Span[] {
  const clock = wallClock(timeZone);
  const today = Math.floor(clock(nowMs) / dayMs) * dayMs;
  return [today - dayMs, today].flatMap((day) => {
    const weekday = weekdays[(Math.floor(day / dayMs) + 4) % 7];
    if (weekday === undefined || !days.includes(weekday)) return [];
    const lastDay = timeOfDay(until) <= timeOfDay(from) ? day + dayMs : day;
    return [
      {
        from: instantsOf(day + timeOfDay(from), clock)[0],
        until: instantsOf(lastDay + timeOfDay(until), clock)[1],
        reason,
      },
    ];
  });
}

function timeOfDay(text: string): number {
  const [hours = 0, minutes = 0] = text.split(':').map(Number);
  return (hours * 60 + minutes) * 60_000;
}

/** What the clocks of a time zone show at an instant, as milliseconds since 1970 on that clock. */
type WallClock = (instant: number) => number;

function wallClock(timeZone: string): WallClock {
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone,
    hourCycle: 'h23',
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
  });
  return (instant) => {
    const parts = Object.fromEntries(format.formatToParts(instant).map(({ type, value }) => [type, value]));
    const { year = '', month = '', day = '', hour = '', minute = '', second = '' } = parts;
    return millisecondsOf(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  };
}

/**
 * First and last instant at which a clock shows a time. It shows an hour twice when it is set back; one that it skips
 * counts as when it would have come had the clock not been set forward.
 */
function instantsOf(wallTime: number, clock: WallClock): readonly [first: number, last: number] {
  // No zone is further from UTC than 14 hours, and none is set twice within a day.
  const offsets = [wallTime - dayMs, wallTime + dayMs].map((instant) => clock(instant) - instant);
  const candidates = offsets.map((offset) => wallTime - offset);
  const shown = candidates.filter((instant) => clock(instant) === wallTime);
  const [skipped = wallTime] = candidates;
  return shown.length === 0 ? [skipped, skipped] : [Math.min(...shown), Math.max(...shown)];
}
