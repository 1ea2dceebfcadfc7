import type { TrueupEvent } from '../contract/events.ts';
import type { ClusterCheck, TargetCheck } from '../model/check.ts';

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
  return {
    ...check,
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
  return Object.entries(targets).flatMap(([application, { health: to, healthMessage: message }]) => {
    const before = previous?.[application];
    const from = lastKnown(before) ?? 'Unknown';
    const isExpected = before === undefined && to !== 'Degraded';
    if (to === from || to === 'Unknown' || isExpected) return [];
    const target = { cluster, application };
    return [
      { type: 'HealthChanged' as const, detail: { version: 1 as const, at, target, from, to, message } },
    ];
  });
}
