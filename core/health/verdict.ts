import { isJsonObject, type Json } from '../model/json.ts';
import type { HealthStatus } from '../model/health.ts';
import type { KubeObject } from '../model/object.ts';
import { millisecondsOf } from '../model/time.ts';

/** Health of one object: a word of the controller's where it gives one, and what it says. */
export interface Verdict {
  readonly status: HealthStatus;
  readonly reason: string;
  readonly message: string;
}

/** Judges an object of one kind as it stands; `now` is in milliseconds since the epoch. */
export type Rule = (object: KubeObject, now: number) => Verdict;

/** A condition as controllers write them; members that are missing come out empty. */
export interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason: string;
  readonly message: string;
  readonly since: string;
  /** Cluster API's: `Info` for what is merely under way. */
  readonly severity: string;
  /** Written about a generation of the object that has been replaced since. */
  readonly isStale: boolean;
}

export function verdict(status: HealthStatus, reason: string, message = ''): Verdict {
  return { status, reason, message };
}

export const healthy: Verdict = verdict('Healthy', '');

export const progressing = (reason: string, message: string): Verdict =>
  verdict('Progressing', reason, message);

/** A controller that has not written a status yet: it has not come round to it, or it is not there at all. */
export const noStatus: Verdict = progressing('NoStatus', 'its controller has not reported on it yet');

export function notObserved(object: KubeObject): Verdict {
  const generation = numberAt(object, 'metadata', 'generation');
  return progressing('NotObserved', `its controller has not seen generation ${generation} yet`);
}

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
export function numberAt(value: Json | undefined, ...path: readonly string[]): number {
  const found = valueAt(value, ...path);
  return typeof found === 'number' ? found : 0;
}

export function textAt(value: Json | undefined, ...path: readonly string[]): string {
  const found = valueAt(value, ...path);
  return typeof found === 'string' ? found : '';
}

export function listAt(value: Json | undefined, ...path: readonly string[]): readonly Json[] {
  const found = valueAt(value, ...path);
  return Array.isArray(found) ? found : [];
}

/** Conditions of the object's status, or of a part of it that keeps its own (`part`: a parent, a listener). */
export function conditionsOf(object: KubeObject, part: Json | undefined = object['status']): Condition[] {
  const generation = numberAt(object, 'metadata', 'generation');
  return listAt(part, 'conditions').map((condition) => {
    const observed = valueAt(condition, 'observedGeneration');
    return {
      type: textAt(condition, 'type'),
      status: textAt(condition, 'status'),
      reason: textAt(condition, 'reason'),
      message: textAt(condition, 'message'),
      since: textAt(condition, 'lastTransitionTime'),
      severity: textAt(condition, 'severity'),
      isStale: typeof observed === 'number' && observed < generation,
    };
  });
}

export function conditionOf(object: KubeObject, type: string): Condition | undefined {
  return conditionsOf(object).find((condition) => condition.type === type);
}

/** The condition if it is `True`. */
export function trueCondition(object: KubeObject, type: string): Condition | undefined {
  const condition = conditionOf(object, type);
  return condition?.status === 'True' ? condition : undefined;
}

/** Replicas that the specification asks for; 1 when it says nothing. */
export function wantedReplicas(object: KubeObject): number {
  const replicas = valueAt(object, 'spec', 'replicas');
  return typeof replicas === 'number' ? replicas : 1;
}

/** Whether a time of the object is known and less than so many seconds ago. */
export function isWithin(seconds: number, time: string, now: number): boolean {
  return now - millisecondsOf(time) < seconds * 1000;
}
