import type { LiveObject } from '../model/object.ts';
import { millisecondsOf } from '../model/time.ts';

/** Why an object that is being deleted is still there; undefined when nobody deletes it. */
export function deletionText({ metadata }: LiveObject, now: number): string | undefined {
  const { deletionTimestamp: since, finalizers } = metadata;
  if (typeof since !== 'string') return undefined;
  const held = Array.isArray(finalizers) ? finalizers.filter((each) => typeof each === 'string') : [];
  const by =
    held.length === 0
      ? 'its grace period is not over'
      : `held by ${held.length === 1 ? 'finalizer' : 'finalizers'} ${held.join(', ')}`;
  return `is being deleted since ${since} (${ageText(now - millisecondsOf(since))}), ${by}`;
}

function ageText(milliseconds: number): string {
  const seconds = Math.max(0, Math.round(milliseconds / 1000));
  if (seconds < 120) return `${seconds} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 120 ? `${minutes} min` : `${Math.round(minutes / 60)} h`;
}
