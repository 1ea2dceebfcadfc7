/* oxlint-disable no-restricted-globals -- converts a time it is given; only the Clock port tells what time it is */

/** ISO 8601 in UTC, with milliseconds: as every record spells a time, so that times sort as text. */
export function isoTime(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}

/** Milliseconds since the epoch of an ISO 8601 time. */
export function millisecondsOf(iso: string): number {
  return Date.parse(iso);
}

/** Seconds from one ISO 8601 time to another; never negative, since managedFields know whole seconds only. */
export function secondsBetween(from: string, to: string): number {
  return Math.max(0, (millisecondsOf(to) - millisecondsOf(from)) / 1000);
}
