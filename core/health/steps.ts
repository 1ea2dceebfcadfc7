import type { HealthStatus } from '../model/health.ts';
import type { Json } from '../model/json.ts';
import type { KubeObject } from '../model/object.ts';
import {
  conditionsOf,
  isWithin,
  noStatus,
  notObserved,
  progressing,
  textAt,
  valueAt,
  verdict,
  verdictOf,
  type Condition,
  type Rule,
  type Verdict,
} from './verdict.ts';

/** What to look for in an object, and the health that it means. Of a list of steps the first that fits decides. */
export type Step = ConditionStep | FieldStep;

interface ConditionStep {
  readonly condition: string;
  readonly is: readonly string[];
  /** Only with one of these reasons; any when absent. */
  readonly reasons?: readonly string[] | undefined;
  readonly health: HealthStatus;
  /** Seconds for which it passes for progress: many a condition fails before what it waits for is there. */
  readonly patience?: number | undefined;
}

interface FieldStep {
  /** `status.phase` */
  readonly field: string;
  /** Any value that is there when absent. */
  readonly is?: readonly Json[];
  readonly health: HealthStatus;
  /** The value itself when absent. */
  readonly reason?: string;
  /** Field whose text is the message. */
  readonly message?: string | undefined;
}

interface Limits {
  readonly reasons?: readonly string[];
  readonly patience?: number;
}

export function isTrue(type: string, health: HealthStatus, limits: Limits = {}): Step {
  return { condition: type, is: ['True'], health, ...limits };
}

export function isFalse(type: string, health: HealthStatus, limits: Limits = {}): Step {
  return { condition: type, is: ['False'], health, ...limits };
}

/** A condition that says it all: True is Healthy, False Degraded, Unknown Progressing. */
export function condition(type: string): readonly Step[] {
  const unsure: Step = { condition: type, is: ['Unknown'], health: 'Progressing' };
  return [isTrue(type, 'Healthy'), isFalse(type, 'Degraded'), unsure];
}

/** A switch in the specification that stops the controller. */
export function suspendedBy(field: string, reason: string): Step {
  return { field, is: [true, 'true'], health: 'Suspended', reason };
}

/** A field with a word for the state; a word that is not named is progress. */
export function phase(
  field: string,
  words: Readonly<Partial<Record<HealthStatus, readonly string[]>>>,
  message?: string,
): readonly Step[] {
  const healths: readonly HealthStatus[] = ['Healthy', 'Degraded', 'Suspended', 'Unknown'];
  return [
    ...healths.flatMap((health): Step[] =>
      words[health] === undefined ? [] : [{ field, is: words[health], health, message }],
    ),
    { field, health: 'Progressing', message },
  ];
}

/** A rule out of steps; `rest` is for an object that none of them fits. */
export function by(steps: readonly Step[], rest: Verdict = noStatus): Rule {
  return (object, now) => healthBy(steps, object, now) ?? rest;
}

/** Health by the first step that fits; undefined when none does. */
export function healthBy(
  steps: readonly Step[],
  object: KubeObject,
  now: number,
  conditions: readonly Condition[] = conditionsOf(object),
): Verdict | undefined {
  for (const step of steps) {
    const found = 'condition' in step ? byCondition(step, object, now, conditions) : byField(step, object);
    if (found !== undefined) return found;
  }
  return undefined;
}

function byCondition(
  { condition: type, is, reasons, health, patience = 0 }: ConditionStep,
  object: KubeObject,
  now: number,
  conditions: readonly Condition[],
): Verdict | undefined {
  const found = conditions.find((each) => each.type === type);
  if (found === undefined || !is.includes(found.status)) return undefined;
  if (reasons !== undefined && !reasons.includes(found.reason)) return undefined;
  if (found.isStale) return notObserved(object);
  return verdictOf(isWithin(patience, found.since, now) ? 'Progressing' : health, found);
}

function byField({ field, is, health, reason, message }: FieldStep, object: KubeObject): Verdict | undefined {
  const value = valueAt(object, ...field.split('.'));
  if (value === undefined || value === null || value === '') return undefined;
  if (is !== undefined && !is.includes(value)) return undefined;
  const said = message === undefined ? '' : textAt(object, ...message.split('.'));
  const word = reason ?? (typeof value === 'string' ? value : field.split('.').at(-1)) ?? '';
  return health === 'Progressing' ? progressing(word, said) : verdict(health, word, said);
}
