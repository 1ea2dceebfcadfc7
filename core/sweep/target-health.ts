import { healthOf, worstHealth } from '../health.ts';
import type { TargetCheck } from '../model/check.ts';
import type { ObjectHealth } from '../model/health.ts';
import type { ObjectRef } from '../model/object.ts';
import type { ObjectCheck } from './check-object.ts';

/** Health of a target from the objects that a check has just fetched, by what is expected to be there. */
export function targetHealth(
  checks: readonly (readonly [ObjectRef, ObjectCheck])[],
  now: number,
): Pick<TargetCheck, 'health' | 'healthMessage'> {
  if (checks.length === 0) return { health: 'Unknown', healthMessage: 'nothing is applied yet' };
  const { status, message } = worstHealth(checks.map(([ref, check]) => objectHealth(ref, check, now)));
  return { health: status, healthMessage: message };
}

function objectHealth(ref: ObjectRef, check: ObjectCheck, now: number): ObjectHealth {
  if (check.live !== undefined) return { ref, ...healthOf(check.live, now) };
  return check.kind === 'unknown'
    ? { ref, status: 'Unknown', reason: '', message: check.reason }
    : { ref, status: 'Missing', reason: '', message: 'is not on the cluster' };
}
