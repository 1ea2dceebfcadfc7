import type { TrueupEvent } from '../contract/events.ts';
import type { ClusterCheck, TargetCheck } from '../model/check.ts';

/** The same entry with the time since when its health is what it is. */
export function withSince(check: TargetCheck, previous: TargetCheck | undefined, at: string): TargetCheck {
  const isSame = previous?.health === check.health;
  return { ...check, healthSince: isSame ? (previous.healthSince ?? previous.at) : at };
}

/**
 * An event for each target whose health is another than the last check saw. Not for one that could not be looked at, and
 * not for one that is seen for the first time and is well, or about to be.
 */
export function healthChanges(
  { cluster, at, targets }: Pick<ClusterCheck, 'cluster' | 'at' | 'targets'>,
  previous: ClusterCheck['targets'] | undefined,
): readonly TrueupEvent[] {
  return Object.entries(targets).flatMap(([application, { health: to, healthMessage: message }]) => {
    const before = previous?.[application];
    const from = before?.health ?? 'Unknown';
    const isExpected = before === undefined && to !== 'Degraded';
    if (to === from || to === 'Unknown' || isExpected) return [];
    const target = { cluster, application };
    return [
      { type: 'HealthChanged' as const, detail: { version: 1 as const, at, target, from, to, message } },
    ];
  });
}
