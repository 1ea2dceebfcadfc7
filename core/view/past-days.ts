import { millisecondsOf } from '../model/time.ts';
import type { Clock, Store } from '../ports.ts';

const dayMs = 86_400_000;
/** A run that began before midnight may be written down a little after it. */
const settledMs = 3_600_000;
/** Some 25 MB. */
const mostKeys = 200_000;

/**
 * The same store, whose lists of days that are over are asked for once: records stand below the day on which they began, so
 * that nothing is added to those. For a process that is asked again and again: a page that is open would else list a month
 * every few seconds, which costs more than all else that it does. A record that is tidied away meanwhile reads as none.
 * `most`: keys in all lists that are kept.
 */
export function keepingPastDays(store: Store, clock: Pick<Clock, 'now'>, most = mostKeys): Store {
  const kept = new Map<string, readonly string[]>();
  let count = 0;
  const keep = (prefix: string, keys: readonly string[]): void => {
    // Somebody else may have asked for the same meanwhile.
    count += keys.length - (kept.get(prefix)?.length ?? 0);
    // Behind all others.
    kept.delete(prefix);
    kept.set(prefix, keys);
    // The first is that which was not asked for longest.
    for (const [oldest, { length }] of kept) {
      if (count <= most) break;
      kept.delete(oldest);
      count -= length;
    }
  };
  const list: Store['list'] = async function* (prefix, options) {
    if (options !== undefined || !isOver(prefix, clock.now())) {
      yield* store.list(prefix, options);
      return;
    }
    const keys = kept.get(prefix) ?? (await Array.fromAsync(store.list(prefix)));
    keep(prefix, keys);
    yield* keys;
  };
  return {
    get: async (key) => store.get(key),
    put: async (...args) => store.put(...args),
    delete: async (...args) => store.delete(...args),
    entries: async (prefix) => store.entries(prefix),
    list,
  };
}

/** `…date=2026-11-23/…`, of a day that ended an hour ago or longer. */
function isOver(prefix: string, now: number): boolean {
  const day = /(?:^|\/)date=(\d{4}-\d{2}-\d{2})\//.exec(prefix)?.[1];
  return day !== undefined && millisecondsOf(`${day}T00:00:00Z`) + dayMs + settledMs <= now;
}
