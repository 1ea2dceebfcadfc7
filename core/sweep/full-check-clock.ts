import { millisecondsOf } from '../model/time.ts';

/**
 * Whether everything of a target is to be compared exactly again. Each has a place of its own within the period, by its
 * name, so that targets that were applied together are not all due in the same sweep.
 */
export function isFullCheckDue(
  application: string,
  last: string | undefined,
  { now, hours }: { readonly now: number; readonly hours: number },
): boolean {
  if (last === undefined) return true;
  const period = hours * 3_600_000;
  const shift = (hashOf(application) / 2 ** 32) * period;
  const round = (time: number): number => Math.floor((time + shift) / period);
  return round(now) > round(millisecondsOf(last));
}

/** FNV-1a with the last step of MurmurHash3, 32 bits, of a name in ASCII. */
function hashOf(name: string): number {
  let hash = 0x811c9dc5;
  for (let place = 0; place < name.length; place += 1) {
    hash = Math.imul(hash ^ name.charCodeAt(place), 0x01000193) >>> 0;
  }
  // Names that differ in their last letter alone are still next to each other here.
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
