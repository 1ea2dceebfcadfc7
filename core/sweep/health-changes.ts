import type { TrueupEvent } from '../contract/events.ts';
import type { ClusterCheck, TargetCheck } from '../model/check.ts';
import { clipped } from '../model/clipped.ts';

/** Enough for a look back; the document of a cluster holds those of all its targets. */
const keptChanges = 8;
const mostLetters = 200;

/** What was known of a health last: while nobody can look, nobody is told that anything changed. */
export function lastKnown(
  check: Pick<TargetCheck, 'health' | 'lastHealth'> | undefined,
): TargetCheck['health'] | undefined {
  return check?.health === 'Unknown' ? check.lastHealth : check?.health;
}

/** The same entry with the time since when its health is what it is, and what it was before it became Unknown. */
export function withSince(check: TargetCheck, previous: TargetCheck | undefined, at: string): TargetCheck {
  const isSame = previous?.health === check.health;
  const lastHealth = check.health === 'Unknown' ? lastKnown(previous) : undefined;
  const change = changeOf(check, previous);
  const changes = [...(previous?.healthChanges ?? []), ...(change === undefined ? [] : [{ at, ...change }])];
  return {
    ...check,
    ...(changes.length > 0 && { healthChanges: changes.slice(-keptChanges) }),
    healthSince: isSame ? (previous.healthSince ?? previous.at) : at,
    ...(lastHealth !== undefined && { lastHealth }),
  };
}

/**
 * An event for each target whose health is another than was last known. Not for one that could not be looked at, and
 * not for one that is seen for the first time and is well, or about to be.
 */
export function healthChanges(
  { cluster, at, targets }: Pick<ClusterCheck, 'cluster' | 'at' | 'targets'>,
  previous: ClusterCheck['targets'] | undefined,
): readonly TrueupEvent[] {
  return Object.entries(targets).flatMap(([application, check]) => {
    const change = changeOf(check, previous?.[application]);
    if (change === undefined) return [];
    const target = { cluster, application };
    const message = check.healthMessage;
    return [
      { type: 'HealthChanged' as const, detail: { version: 1 as const, at, target, ...change, message } },
    ];
  });
}

type HealthChange = NonNullable<TargetCheck['healthChanges']>[number];

function changeOf(
  { health: to, healthMessage }: TargetCheck,
  before: TargetCheck | undefined,
): Omit<HealthChange, 'at'> | undefined {
  const from = lastKnown(before) ?? 'Unknown';
  const isExpected = before === undefined && to !== 'Degraded';
  if (to === from || to === 'Unknown' || isExpected) return undefined;
  return { from, to, message: clipped(healthMessage, mostLetters) };
}
