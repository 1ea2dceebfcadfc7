import * as z from 'zod';

/** As a person writes it in an Application. */
export const durationSchema = z
  .string()
  .regex(/^[1-9][0-9]*[mh]$/, 'must be minutes or hours, such as 5m or 1h');

export function secondsOf(duration: string): number {
  return Number.parseInt(duration, 10) * (duration.endsWith('h') ? 3600 : 60);
}
