import { Retry, Stop } from '../errors.ts';
import type { Inventory } from '../model/inventory.ts';
import { syncCommand } from '../model/sync-command.ts';
import { isoTime, millisecondsOf } from '../model/time.ts';
import type { RunContext } from './run-context.ts';

type Window = NonNullable<Inventory['waiting']>;
type Subject = NonNullable<Window['on']>;

/** Pauses between quick looks while the lease is held, so that fast hooks and waves go on at once. */
export const quickLooksMs: readonly number[] = [250, 750, 1500, 2500];

/**
 * Thrown between two effects when a revision can go no further for now and time alone mends it. The run ends, holding
 * neither lease nor group (rule 4), and asks for another one that goes on.
 */
export class Waiting extends Error {
  override readonly name = 'Waiting';
  readonly on: Subject;
  /** When to look again, in milliseconds since the epoch, where that is known. */
  readonly lookAt: number | undefined;
  constructor(on: Subject, reason: string, lookAt?: number) {
    super(reason);
    this.on = on;
    this.lookAt = lookAt;
  }
}

/**
 * The window in which a revision waits: it opens with the first wait. What it waits for itself (hooks, health) counts
 * against one window, however often it goes on in between; dependencies have their own. For its stage of a rollout it waits
 * for as long as it takes.
 */
export function windowOf({ goal, inventory, deps }: RunContext, { on, message }: Waiting): Window {
  const before = inventory.value.waiting;
  const isSame = before?.revision === goal.revision && (before.on ?? 'order') === on;
  const now = deps.clock.now();
  const since = isSame ? before.since : isoTime(now);
  const window = { revision: goal.revision, since, reason: message, on };
  if (on === 'rollout') return isBegunBefore(inventory.value) ? { ...window, begun: true } : window;
  const until = isSame ? before.until : undefined;
  return { ...window, until: until ?? isoTime(now + goal.settings.timeoutSeconds * 1000) };
}

/** Whether the run before this one was of a revision that may have left something on the cluster, and was not applied. */
export function isBegunBefore({ waiting, lastRun, applied }: Inventory): boolean {
  if (waiting?.begun === true || lastRun?.leftBehind === true) return true;
  if (lastRun === undefined || lastRun.untouched === true || lastRun.revision === applied?.revision)
    return false;
  return !(waiting?.on === 'rollout' && waiting.revision === lastRun.revision);
}

/**
 * What a wait past its window comes to. A dependency may still become ready, so that the same revision is tried again
 * later; hooks and health have failed for good. Anything else that was thrown passes through.
 */
export function overdue(context: RunContext, error: unknown): unknown {
  if (!(error instanceof Waiting)) return error;
  const { since, until } = windowOf(context, error);
  if (until === undefined) return error;
  if (context.deps.clock.now() < millisecondsOf(until)) return error;
  const minutes = Math.round((millisecondsOf(until) - millisecondsOf(since)) / 60_000);
  const subject = `revision ${context.goal.revision}`;
  const message = `gave up after ${minutes} min (spec.timeout): ${error.message}`;
  if (error.on === 'dependency') return new Retry({ subject, message });
  const how = `mend it and push, or run ${syncCommand({ ...context.goal.pointer, ...context.request.target })}`;
  return new Stop({ subject, message: `${message}; ${how}` });
}
