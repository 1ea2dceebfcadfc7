import type { Freeze, HeldAction } from './model/freeze.ts';
import { isoTime, millisecondsOf } from './model/time.ts';

/** That something is not done now; `until` is ISO 8601, absent where that never ends, and `reason` a phrase for people. */
export interface Frozen {
  readonly until?: string;
  readonly reason: string;
}

/** What holds for a target: windows in which nothing is done, and a schedule, outside of which nothing is. */
export interface Windows {
  readonly freeze: readonly Freeze[];
  readonly schedule?: readonly Freeze[] | undefined;
}

interface Span {
  readonly from: number;
  readonly until: number;
  readonly reason: string | undefined;
}

type WeeklyFreeze = Extract<Freeze, { days: unknown }>;

const dayMs = 86_400_000;
const weekdays = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] as const;
/** Yesterday's may be open still; today's may be over, and come again in a week. */
const daysAround = [-1, 0, 1, 2, 3, 4, 5, 6, 7];
/** Windows that touch are told as one; those that never end would be told so for ever. */
const mostWindows = 60;

/**
 * Whether windows hold an action back at a time, and until when; windows that follow each other without a gap count as
 * one. Of a schedule only the windows that name the action count: where none does, it is free.
 */
export function frozenBy(windows: Windows, action: HeldAction, nowMs: number): Frozen | undefined {
  const isAbout = ({ applies }: Freeze): boolean => applies === undefined || applies.includes(action);
  const freeze = windows.freeze.filter(isAbout);
  const schedule = (windows.schedule ?? []).filter(isAbout);
  const first = heldAt(freeze, schedule, nowMs);
  if (first === undefined) return undefined;
  const { reason } = first;
  let { until } = first;
  for (let window = 1; window < mostWindows && until !== Infinity; window += 1) {
    const next = heldAt(freeze, schedule, until);
    if (next === undefined) break;
    ({ until } = next);
  }
  return { ...(until !== Infinity && { until: isoTime(until) }), reason };
}

/** `frozen until …: reason` */
export function describeFrozen({ until, reason }: Frozen): string {
  return until === undefined ? `frozen: ${reason}` : `frozen until ${until}: ${reason}`;
}

function heldAt(freeze: readonly Freeze[], schedule: readonly Freeze[], at: number): Held | undefined {
  const frozen = spansAround(freeze, at)
    .filter((span) => isOpen(span, at))
    .sort((a, b) => b.until - a.until)[0];
  if (frozen !== undefined) return { until: frozen.until, reason: frozen.reason ?? 'a freeze window' };
  const spans = spansAround(schedule, at);
  if (schedule.length === 0 || spans.some((span) => isOpen(span, at))) return undefined;
  const next = spans.filter(({ from }) => from > at).sort((a, b) => a.from - b.from)[0];
  if (next === undefined) return { until: Infinity, reason: 'its schedule has no window any more' };
  const name = next.reason === undefined ? '' : ` (${next.reason})`;
  return { until: next.from, reason: `outside of its schedule${name}` };
}

interface Held {
  readonly until: number;
  readonly reason: string;
}

function isOpen({ from, until }: Span, at: number): boolean {
  return from <= at && at < until;
}

function spansAround(windows: readonly Freeze[], at: number): readonly Span[] {
  return windows.flatMap((window) => ('days' in window ? weeklySpans(window, at) : [absoluteSpan(window)]));
}

function absoluteSpan({ from, until, reason }: Exclude<Freeze, WeeklyFreeze>): Span {
  return { from: millisecondsOf(from), until: millisecondsOf(until), reason };
}

/** The windows that begin from the local yesterday on, until all days of a week had their turn. */
function weeklySpans({ days, from, until, timeZone, reason }: WeeklyFreeze, nowMs: number): Span[] {
  const clock = wallClock(timeZone);
  const today = Math.floor(clock(nowMs) / dayMs) * dayMs;
  return daysAround
    .map((offset) => today + offset * dayMs)
    .flatMap((day) => {
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
