import * as z from 'zod';
import { clusterSelectorSchema } from './cluster-selector.ts';
import { millisecondsOf } from './time.ts';

const dayTime = z.string().regex(/^([01][0-9]|2[0-3]):[0-5][0-9]$/, 'must be a time of day, such as 16:30');

/** What a run does to a cluster that a window may hold back. */
const heldActionSchema = z.enum(['push', 'heal', 'prune']);
export type HeldAction = z.infer<typeof heldActionSchema>;

const about = {
  reason: z.string().max(500).exactOptional(),
  applies: z
    .array(heldActionSchema)
    .min(1)
    .exactOptional()
    .describe(
      'push: new revisions; heal: drift that is put right; prune: deletions, while the rest goes on; default: all three',
    ),
};

/** Once. */
const span = {
  from: z.iso.datetime({ offset: true }),
  until: z.iso.datetime({ offset: true }),
  ...about,
};

/** Every week from `from` to `until` on each of `days`, past midnight where `until` is the earlier. */
const weekly = {
  days: z.array(z.enum(['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'])).min(1),
  from: dayTime,
  until: dayTime,
  timeZone: z
    .string()
    .refine(isTimeZone, 'must be a time zone of the IANA list, such as Europe/Berlin')
    .default('UTC')
    .describe('IANA name, such as Europe/Berlin'),
  ...about,
};

const later = { path: ['until'], message: 'must be later than from' };
const isLater = ({ from, until }: { readonly from: string; readonly until: string }) =>
  millisecondsOf(from) < millisecondsOf(until);

/** Of a union zod says only that it is invalid. */
const words =
  'must be from and until with a date and an offset, or days, from and until as times of day with a timeZone of the IANA list; applies: push, heal, prune';

/** A time in which nothing of what `applies` names is done; of a schedule, one in which alone it is. */
export const freezeSchema = z.union(
  [z.strictObject(span).refine(isLater, later), z.strictObject(weekly)],
  words,
);
export type Freeze = z.infer<typeof freezeSchema>;

const of = { clusters: clusterSelectorSchema.exactOptional().describe('default: all clusters') };

/** A freeze of every application on those clusters. */
export const fleetFreezeSchema = z.union(
  [z.strictObject({ ...span, ...of }).refine(isLater, later), z.strictObject({ ...weekly, ...of })],
  words,
);
export type FleetFreeze = z.infer<typeof fleetFreezeSchema>;

/** Told when the commit is read: an unknown zone must not come up first when a window is due. */
function isTimeZone(timeZone: string): boolean {
  try {
    return Intl.DateTimeFormat('en-US', { timeZone }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
}
