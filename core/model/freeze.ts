import * as z from 'zod';
import { millisecondsOf } from './time.ts';

const dayTime = z.string().regex(/^([01][0-9]|2[0-3]):[0-5][0-9]$/, 'must be a time of day, such as 16:30');

/**
 * A time in which nothing is healed and no push is applied; `trueup sync` by a person still is. Either one span of
 * absolute times, or every week from `from` to `until` on each of `days`, past midnight where `until` is the earlier.
 */
export const freezeSchema = z.union([
  z
    .strictObject({
      from: z.iso.datetime({ offset: true }),
      until: z.iso.datetime({ offset: true }),
      reason: z.string().max(500).exactOptional(),
    })
    .refine(({ from, until }) => millisecondsOf(from) < millisecondsOf(until), {
      path: ['until'],
      message: 'must be later than from',
    }),
  z.strictObject({
    days: z.array(z.enum(['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'])).min(1),
    from: dayTime,
    until: dayTime,
    timeZone: z
      .string()
      .refine(isTimeZone, 'must be a time zone of the IANA list, such as Europe/Berlin')
      .default('UTC')
      .describe('IANA name, such as Europe/Berlin'),
    reason: z.string().max(500).exactOptional(),
  }),
]);
export type Freeze = z.infer<typeof freezeSchema>;

/** Told when the commit is read: an unknown zone must not come up first when a window is due. */
function isTimeZone(timeZone: string): boolean {
  try {
    return Intl.DateTimeFormat('en-US', { timeZone }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
}
