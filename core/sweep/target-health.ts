import { healthOf } from '../health.ts';
import type { TargetCheck } from '../model/check.ts';
import type { HealthStatus } from '../model/health.ts';
import { describeRef, refOf } from '../model/object.ts';
import type { ObjectCheck } from './check-object.ts';

/** The first that any object has is the target's. */
const worstFirst: readonly HealthStatus[] = [
  'Degraded',
  'Missing',
  'Unknown',
  'Progressing',
  'Suspended',
  'Healthy',
];

/** Health of a target from the objects that a check has just fetched. */
export function targetHealth(checks: readonly ObjectCheck[]): Pick<TargetCheck, 'health' | 'healthMessage'> {
  const all = checks.map(objectHealth);
  for (const status of worstFirst) {
    const [first, ...more] = all.filter((health) => health.status === status);
    if (first === undefined) continue;
    const others = more.length === 0 ? '' : ` (and ${more.length} more)`;
    return { health: status, healthMessage: status === 'Healthy' ? '' : `${first.message}${others}` };
  }
  return { health: 'Unknown', healthMessage: 'nothing is applied yet' };
}

function objectHealth(check: ObjectCheck): { readonly status: HealthStatus; readonly message: string } {
  if (check.live === undefined) {
    return check.kind === 'drifted'
      ? { status: 'Missing', message: `${describeRef(check.drift.ref)} is missing` }
      : { status: 'Unknown', message: check.reason };
  }
  const { status, reason, message } = healthOf(check.live);
  const said = [reason, message].filter((text) => text !== '').join(': ');
  return { status, message: `${describeRef(refOf(check.live))}${said === '' ? '' : `: ${said}`}` };
}
