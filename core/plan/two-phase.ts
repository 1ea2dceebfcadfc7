import type { ObjectHealth } from '../model/health.ts';
import type { Inventory } from '../model/inventory.ts';
import { isoTime, millisecondsOf } from '../model/time.ts';

/** Between the run that finds such an object undesired and the one that deletes it. */
const graceMs = 10 * 60_000;
/** How often a run looks whether another application has taken over what waits for it. */
const handOverMs = 60 * 60_000;
/** Deletions that finalizers hold longer than that want a person. */
const stuckMs = 10 * 60_000;

/** When a marked object may go, ISO 8601. */
export function dueAt(markedAt: string): string {
  return isoTime(millisecondsOf(markedAt) + graceMs);
}

/**
 * Whether a run has something to prune that an earlier one only marked, or was about to delete when it died: no push comes
 * for that, so the sweep asks.
 */
export function pruneDue({ entries }: Pick<Inventory, 'entries'>, now: number): boolean {
  return Object.values(entries).some(({ state, kept, markedAt }) => {
    // What the server is deleting says so; of anything else nobody knows whether the request was ever sent.
    if (state === 'deleting') return kept === undefined;
    if (kept?.because === 'grace') return markedAt !== undefined && now >= millisecondsOf(dueAt(markedAt));
    // Whoever asks knows whether the freeze is over.
    if (kept?.because === 'freeze') return true;
    return kept?.because === 'hand-over' && now >= millisecondsOf(kept.since) + handOverMs;
  });
}

/** Objects whose deletion finalizers hold for so long that somebody must look. */
export function stuckDeletions(
  { entries }: Pick<Inventory, 'entries'>,
  now: number,
): readonly ObjectHealth[] {
  return Object.values(entries).flatMap(({ ref, kept }) =>
    kept?.because === 'finalizers' && now >= millisecondsOf(kept.since) + stuckMs
      ? [{ ref, status: 'Degraded' as const, reason: 'DeletionStuck', message: kept.message }]
      : [],
  );
}

/** `2 objects wait to be pruned, 1 for confirmation`: what a target keeps that Git gave up; undefined when nothing. */
export function waitingToGo({ entries }: Pick<Inventory, 'entries'>): string | undefined {
  const reasons = Object.values(entries).flatMap(({ kept }) => kept?.because ?? []);
  const count = (...wanted: readonly (typeof reasons)[number][]) =>
    reasons.filter((because) => wanted.includes(because)).length;
  const parts = [
    [count('grace', 'content'), 'wait to be pruned'],
    [count('confirmation'), 'wait for somebody to confirm that they are pruned'],
    [count('hand-over'), 'wait for another application to take them over'],
    [count('finalizers'), 'are being deleted'],
    [count('protection'), 'are protected from pruning'],
    [count('request'), 'are kept until a run may prune'],
    [count('freeze'), 'wait for the end of a freeze'],
  ] as const;
  const said = parts.flatMap(([number, what]) => (number === 0 ? [] : [`${number} ${what}`]));
  return said.length === 0 ? undefined : `no longer in Git: ${said.join(', ')}`;
}
