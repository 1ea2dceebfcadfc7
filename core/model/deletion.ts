import type { InventoryEntry } from './inventory.ts';
import type { LiveObject } from './object.ts';

/** Whether somebody has deleted it already: nothing can stop that any more. */
export function isGoing({ metadata }: LiveObject): boolean {
  return metadata['deletionTimestamp'] !== undefined;
}

/** What keeps an object that is being deleted, and since when; undefined for one that is not. */
export function deletionOf({ metadata }: LiveObject): InventoryEntry['kept'] {
  const since = metadata['deletionTimestamp'];
  if (typeof since !== 'string') return undefined;
  const { finalizers } = metadata;
  const names = Array.isArray(finalizers) ? finalizers.filter((name) => typeof name === 'string') : [];
  const what =
    names.length === 0
      ? 'waits for its grace period'
      : `waits for whoever takes off its finalizers ${names.join(', ')}`;
  return { because: 'finalizers', since, message: `is being deleted since ${since}: it ${what}` };
}
