import { expressionOf } from '../expression.ts';
import type { HealthStatus } from '../model/health.ts';
import type { HealthCheck } from '../model/rule.ts';
import { describeRef, refOf, type KubeObject } from '../model/object.ts';
import { progressing, verdict, type Verdict } from './verdict.ts';

/** In this order: what is wrong goes before what is good. */
const outcomes = [
  ['degraded', 'Degraded'],
  ['progressing', 'Progressing'],
  ['suspended', 'Suspended'],
  ['healthy', 'Healthy'],
] as const satisfies readonly (readonly [keyof HealthCheck, HealthStatus])[];

/**
 * Health by somebody's own CEL. An expression that reads what is not there is not true: a status comes bit by bit. One
 * that gives no bool is a mistake, and the object Unknown until it is mended.
 */
export function checkedHealth(check: HealthCheck, object: KubeObject): Verdict {
  const subject = `health check of ${describeRef(refOf(object))}`;
  const message = messageOf(check, object, subject);
  const faults: string[] = [];
  let asked = 0;
  for (const [member, status] of outcomes) {
    const text = check[member];
    if (text === undefined) continue;
    asked += 1;
    const evaluation = expressionOf(text, subject).evaluate({ object });
    if (evaluation.kind === 'fault') {
      faults.push(`${text}: ${evaluation.message}`);
    } else if (typeof evaluation.value !== 'boolean') {
      const what = `gives ${typeof evaluation.value}, not a bool`;
      return verdict('Unknown', 'InvalidCheck', `${member}: ${text}: ${what}`);
    } else if (evaluation.value) {
      return verdict(status, 'HealthCheck', message);
    }
  }
  const [first] = faults;
  return first !== undefined && faults.length === asked
    ? progressing('NoStatus', message || first)
    : progressing('HealthCheck', message);
}

function messageOf({ message }: HealthCheck, object: KubeObject, subject: string): string {
  if (message === undefined) return '';
  const evaluation = expressionOf(message, subject).evaluate({ object });
  return evaluation.kind === 'value' && typeof evaluation.value === 'string' ? evaluation.value : '';
}
