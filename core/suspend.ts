import { keys } from './contract/keys.ts';
import { readDocument, updateDocument } from './documents.ts';
import { Stop } from './errors.ts';
import {
  isActive,
  isSameScope,
  suspensionsSchema,
  type EndedSuspension,
  type Suspension,
  type Suspensions,
  type SuspensionScope,
} from './model/suspension.ts';
import { isoTime } from './model/time.ts';
import type { Clock, Store } from './ports.ts';

interface SuspendDeps {
  readonly store: Store;
  readonly clock: Pick<Clock, 'now'>;
}

/** Ended ones that are kept at hand for histories. */
const keptEnded = 200;

/** As long as nobody has suspended or cancelled anything. */
export const noSuspensions: Suspensions = { version: 1, seq: 0, active: [], ended: [] };

export async function readSuspensions(store: Store): Promise<Suspensions | undefined> {
  return (await readDocument(store, keys.suspensions, suspensionsSchema))?.value;
}

/** What whoever asks for a run now has seen: what is cancelled later means that run too. By count, since clocks differ. */
export async function seenNow(store: Store): Promise<{ readonly holdsSeen: number }> {
  return { holdsSeen: (await readSuspensions(store))?.seq ?? 0 };
}

/**
 * Suspends a target, an application or a cluster: nothing is written there until it ends. One of the same scope that holds
 * already is replaced. Throws Stop for an end that is over.
 */
export async function suspend(
  deps: SuspendDeps,
  scope: SuspensionScope,
  wish: Pick<Suspension, 'by' | 'reason' | 'until'>,
): Promise<Suspension> {
  const at = isoTime(deps.clock.now());
  const suspension = { ...scope, ...wish, at };
  if (wish.until !== undefined && wish.until <= at) {
    const message = `the suspension would end at ${wish.until}, which is over; give a later time`;
    throw new Stop({ subject: subjectOf(scope), message });
  }
  await update(deps, (current) => {
    const next = ending(current, scope, { at, by: wish.by });
    return { ...next, active: [...next.active, suspension] };
  });
  return suspension;
}

/** Ends a suspension of exactly that scope; undefined where there was none. The caller asks for what is pending. */
export async function resume(
  deps: SuspendDeps,
  scope: SuspensionScope,
  by: string,
): Promise<Suspension | undefined> {
  const at = isoTime(deps.clock.now());
  let resumed: Suspension | undefined;
  await update(deps, (current) => {
    resumed = current.active.find((one) => isSameScope(one, scope) && isActive(one, deps.clock.now()));
    return resumed && ending(current, scope, { at, by });
  });
  return resumed;
}

/** Ends those of a scope now, and notes those whose time was over. */
function ending(
  current: Suspensions,
  scope: SuspensionScope,
  { at, by }: { readonly at: string; readonly by: string },
): Suspensions {
  const over = (one: Suspension): EndedSuspension[] => {
    if (one.until !== undefined && one.until <= at) return [{ ...one, endedAt: one.until }];
    return isSameScope(one, scope) ? [{ ...one, endedAt: at, endedBy: by }] : [];
  };
  const ended = current.active.flatMap(over);
  return {
    ...current,
    active: current.active.filter((one) => over(one).length === 0),
    ended: [...ended, ...current.ended].slice(0, keptEnded),
  };
}

async function update(
  { store }: SuspendDeps,
  change: (current: Suspensions) => Suspensions | undefined,
): Promise<void> {
  await updateDocument(store, keys.suspensions, suspensionsSchema, (current = noSuspensions) => {
    const next = change(current);
    return next && { ...next, seq: current.seq + 1 };
  });
}

function subjectOf({ application, cluster }: SuspensionScope): string {
  if (application === undefined) return `cluster ${cluster}`;
  return cluster === undefined ? `application ${application}` : `target ${cluster}/${application}`;
}
