import { useSyncExternalStore } from 'react';

/** How often "3 m" is counted anew. */
const tickMs = 5_000;
const near: Intl.DateTimeFormatOptions = {
  month: 'short',
  day: 'numeric',
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
};

/** By the clock and the language of whoever looks: `Nov 24, 14:05:00`. */
export function whenOf(at: string): string {
  return new Date(at).toLocaleString([], near);
}

/** The same with its zone, and as records and logs have it: what is copied into a ticket is read elsewhere. */
export function exactly(at: string): string {
  return `${new Date(at).toLocaleString([], { ...near, year: 'numeric', timeZoneName: 'short' })} (${at})`;
}

/** The time, told anew every few seconds: answers that stay the same draw nothing, and time goes on all the same. */
export function useNow(): number {
  return useSyncExternalStore(subscribe, () => Math.floor(Date.now() / tickMs) * tickMs);
}

const waiting = new Set<() => void>();
let timer: ReturnType<typeof setInterval> | undefined;

/** One timer for all of the page. */
function subscribe(changed: () => void): () => void {
  waiting.add(changed);
  timer ??= setInterval(() => {
    for (const each of waiting) each();
  }, tickMs);
  return () => {
    waiting.delete(changed);
    if (waiting.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  };
}
