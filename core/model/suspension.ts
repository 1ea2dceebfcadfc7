import * as z from 'zod';
import { targetSchema, type Target } from './target.ts';
import { millisecondsOf } from './time.ts';

/** Of an application everywhere, of a cluster with all that is on it, or of one target. */
const scopeSchema = z.object({
  application: z.string().exactOptional(),
  cluster: z.string().exactOptional(),
});
export type SuspensionScope = z.infer<typeof scopeSchema>;

const suspensionSchema = scopeSchema.extend({
  by: z.string(),
  reason: z.string(),
  at: z.string(),
  until: z.string().exactOptional().describe('ends by itself then; absent: when somebody resumes'),
});
export type Suspension = z.infer<typeof suspensionSchema>;

const endedSchema = suspensionSchema.extend({
  endedAt: z.string(),
  endedBy: z.string().exactOptional().describe('absent: its time was over'),
});
export type EndedSuspension = z.infer<typeof endedSchema>;

/**
 * A person wants what is under way on one target to stop. It names a run by its lease or by what comes before it: a run has
 * no record yet while it plans.
 */
const cancellationSchema = z.object({
  target: targetSchema,
  by: z.string(),
  at: z.string(),
  revision: z.number().int().describe('of the desired pointer'),
  after: z.string().exactOptional().describe('run that had ended last; absent: none'),
  token: z.number().int().exactOptional().describe('of the lease that was held; absent: nobody held it'),
  seq: z
    .number()
    .int()
    .default(0)
    .describe('of the document as it was written: whoever asks for a run later has seen it'),
});
export type Cancellation = z.infer<typeof cancellationSchema>;

/** One document for the installation: suspensions are few, and each run reads them. */
export const suspensionsSchema = z.object({
  version: z.literal(1),
  seq: z.number().int(),
  active: z.array(suspensionSchema),
  /** Newest first; older ones are in the older versions of the document. */
  ended: z.array(endedSchema),
  /** Oldest first: those of the last day, and older ones of revisions that are still the newest. */
  cancelled: z.array(cancellationSchema).exactOptional(),
});
export type Suspensions = z.infer<typeof suspensionsSchema>;

export function isSameScope(a: SuspensionScope, b: SuspensionScope): boolean {
  return a.application === b.application && a.cluster === b.cluster;
}

/** Whether a scope has a target. */
export function isInScope({ application, cluster }: SuspensionScope, target: Target): boolean {
  return (
    (application === undefined || application === target.application) &&
    (cluster === undefined || cluster === target.cluster)
  );
}

/** Whether it holds at `now`, in milliseconds since the epoch. */
export function isActive({ until }: Pick<Suspension, 'until'>, now: number): boolean {
  return until === undefined || now < millisecondsOf(until);
}

/** What suspends a target; of several the one that ends last. */
export function suspensionOf(
  suspensions: Suspensions | undefined,
  target: Target,
  now: number,
): Suspension | undefined {
  return suspensions?.active
    .filter((one) => isInScope(one, target) && isActive(one, now))
    .sort((a, b) => endOf(b) - endOf(a))[0];
}

function endOf({ until }: Suspension): number {
  return until === undefined ? Infinity : millisecondsOf(until);
}

/** Who suspended what, until when and why. */
export function describeSuspension(suspension: Suspension): string {
  const { by, at, until, reason } = suspension;
  const end = until === undefined ? 'until somebody resumes it' : `until ${until}`;
  return `${describeScope(suspension)} suspended by ${by} since ${at}, ${end}: ${reason}`;
}

function describeScope({ application, cluster }: SuspensionScope): string {
  if (application === undefined) return `cluster ${cluster} is`;
  return cluster === undefined
    ? `application ${application} is`
    : `application ${application} on ${cluster} is`;
}
