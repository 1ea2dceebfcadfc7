import { isoTime, millisecondsOf } from '../model/time.ts';

/** An event may be out a moment before the records that it is about: they are looked at so much later. */
const settleMs = 10_000;
/** What happens within this time of the first is looked at together. */
const gatherMs = 30_000;
/** Whoever keeps making events is looked at all the same. */
const longestHintMs = 120_000;
/** A channel hears no more often of what joins an incident that it knows. */
const updateMs = 300_000;
const infoQuietMs = 60_000;
const longestInfoMs = 300_000;
/** What came back within a day is over only after it stayed away for a while, which doubles each time. */
const flapMemoryMs = 24 * 3_600_000;
const firstHoldMs = 15 * 60_000;
const longestHoldMs = 2 * 3_600_000;

/** When a hint is looked at by itself: after its records settled, and after what else may come with it. */
export function lookTime(since: string): number {
  return millisecondsOf(since) + settleMs + gatherMs;
}

/** Whether a hint is looked at when anything is. */
export function isSettled({ since, last }: { since: string; last: string }, now: number): boolean {
  return now - millisecondsOf(last) >= settleMs || now - millisecondsOf(since) >= longestHintMs;
}

/** When a hint that is not settled will be. */
export function settleTime({ since, last }: { since: string; last: string }): number {
  return Math.min(millisecondsOf(last) + settleMs, millisecondsOf(since) + longestHintMs);
}

/** Beginnings of a problem that still count, when it begins once more. */
export function withOpening(openings: readonly string[], now: number): string[] {
  const recent = openings.filter((at) => now - millisecondsOf(at) < flapMemoryMs);
  return [...recent.slice(-9), isoTime(now)];
}

/** When a problem that is away counts as over. */
export function overTime(openings: readonly string[], overSince: string): number {
  const last = millisecondsOf(overSince);
  const recent = openings.filter((at) => last - millisecondsOf(at) < flapMemoryMs).length;
  if (recent < 2) return last;
  return last + Math.min(longestHoldMs, firstHoldMs * 2 ** (recent - 2));
}

/** When nothing need be known any more of a problem that is over. */
export function forgetTime(openings: readonly string[]): number {
  return millisecondsOf(openings.at(-1) ?? isoTime(0)) + flapMemoryMs;
}

export function updateTime(toldAt: string): number {
  return millisecondsOf(toldAt) + updateMs;
}

/** When infos are told: once no more of them come, or the first has waited for long. */
export function infoTime(times: readonly string[]): number {
  const sorted = times.toSorted();
  const [first, last] = [sorted[0], sorted.at(-1)].map((at) => millisecondsOf(at ?? isoTime(0)));
  return Math.min((last ?? 0) + infoQuietMs, (first ?? 0) + longestInfoMs);
}

/** When it need not be known any more that a revision was told of: no event of its roll-out comes so late. */
export function isForgettable(at: string, now: number): boolean {
  return now - millisecondsOf(at) > flapMemoryMs;
}
