import { healthOf, missing, worstHealth } from '../health.ts';
import type { TargetCheck } from '../model/check.ts';
import type { ObjectHealth } from '../model/health.ts';
import type { ObjectRef } from '../model/object.ts';
import type { HealthCheck } from '../model/rule.ts';
import type { ObjectCheck } from './check-object.ts';

/** Health of a target from the objects that a check has just fetched, by what is expected to be there. */
export function targetHealth(
  objects: readonly (readonly [ObjectRef, ObjectCheck])[],
  now: number,
  checks: readonly HealthCheck[] = [],
  stuck: readonly ObjectHealth[] = [],
): Pick<TargetCheck, 'health' | 'healthMessage'> {
  if (objects.length + stuck.length === 0) return { health: 'Unknown', healthMessage: 'nothing is applied yet' };
  const { status, message } = worstHealth([
    ...objects.map(([ref, seen]) => objectHealth(ref, seen, now, checks)),
    ...stuck,
  ]);
  return { health: status, healthMessage: message };
}

function objectHealth(
  ref: ObjectRef,
  seen: ObjectCheck,
  now: number,
  checks: readonly HealthCheck[],
): ObjectHealth {
  if (seen.live !== undefined) return { ref, ...healthOf(seen.live, now, checks) };
  return seen.kind === 'unknown'
    ? { ref, status: 'Unknown', reason: 'NotRead', message: seen.reason }
    : { ref, ...missing };
}
