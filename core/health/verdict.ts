import { isJsonObject, type Json } from '../model/json.ts';
import type { HealthStatus } from '../model/health.ts';
import type { LiveObject } from '../model/object.ts';

/** Health of one object: a word of the controller's where it gives one, and what it says. */
export interface Verdict {
  readonly status: HealthStatus;
  readonly reason: string;
  readonly message: string;
}

/** A condition as controllers write them; members that are missing come out empty. */
export interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason: string;
  readonly message: string;
  readonly since: string;
}

export function verdict(status: HealthStatus, reason: string, message = ''): Verdict {
  return { status, reason, message };
}

export const healthy: Verdict = verdict('Healthy', '');

/** Takes reason and message from a condition of the object. */
export function verdictOf(status: HealthStatus, { reason, type, message }: Condition): Verdict {
  return { status, reason: reason === '' ? type : reason, message };
}

/** The member at a path; undefined where the path breaks off. */
export function valueAt(value: Json | undefined, ...path: readonly string[]): Json | undefined {
  return path.reduce<Json | undefined>(
    (current, member) => (isJsonObject(current) ? current[member] : undefined),
    value,
  );
}

/** A count; the API leaves out those that are 0. */
export function numberAt(object: LiveObject, ...path: readonly string[]): number {
  const value = valueAt(object, ...path);
  return typeof value === 'number' ? value : 0;
}

export function textAt(value: Json | undefined, ...path: readonly string[]): string {
  const found = valueAt(value, ...path);
  return typeof found === 'string' ? found : '';
}

export function listAt(value: Json | undefined, ...path: readonly string[]): readonly Json[] {
  const found = valueAt(value, ...path);
  return Array.isArray(found) ? found : [];
}

export function conditionsOf(object: LiveObject): readonly Condition[] {
  return listAt(object, 'status', 'conditions').map((condition) => ({
    type: textAt(condition, 'type'),
    status: textAt(condition, 'status'),
    reason: textAt(condition, 'reason'),
    message: textAt(condition, 'message'),
    since: textAt(condition, 'lastTransitionTime'),
  }));
}

export function conditionOf(object: LiveObject, type: string): Condition | undefined {
  return conditionsOf(object).find((condition) => condition.type === type);
}

/** The condition if it is `True`. */
export function trueCondition(object: LiveObject, type: string): Condition | undefined {
  const condition = conditionOf(object, type);
  return condition?.status === 'True' ? condition : undefined;
}
