import { healthOf, missing, worstHealth } from '../health.ts';
import type { TargetCheck } from '../model/check.ts';
import type { ObjectHealth } from '../model/health.ts';
import type { ObjectRef } from '../model/object.ts';
import type { HealthCheck } from '../model/rule.ts';
import type { ObjectCheck } from './check-object.ts';

/** Health of a target from that of its objects; those that are Healthy may be left out, and are in the `count` still. */
export function targetHealth(
  objects: readonly ObjectHealth[],
  count = objects.length,
): Pick<TargetCheck, 'health' | 'healthMessage'> {
  if (count === 0) return { health: 'Unknown', healthMessage: 'nothing is applied yet' };
  const { status, message } = worstHealth(objects);
  return { health: status, healthMessage: message };
}

/** Health of an object that a check has just fetched; undefined for one that nobody expects to be there. */
export function objectHealth(
  ref: ObjectRef,
  seen: ObjectCheck,
  now: number,
  checks: readonly HealthCheck[] = [],
): ObjectHealth | undefined {
  if (seen.live !== undefined) return { ref, ...healthOf(seen.live, now, checks) };
  // Whoever ignores an object does not miss it either.
  if (seen.kind === 'ignored') return undefined;
  return seen.kind === 'unknown'
    ? { ref, status: 'Unknown', reason: 'NotRead', message: seen.reason }
    : { ref, ...missing };
}
