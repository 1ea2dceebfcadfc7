import type { Json } from './json.ts';
import type { ObjectRef } from './object.ts';
import type { PlannedAction } from './plan.ts';

/** One field as it is and as it would be; values of Secrets are keyed digests. Absent: not there. */
export interface FieldChange {
  /** As kubectl explains it, list items by their keys: `spec.containers[name="app"].image`. */
  readonly path: string;
  readonly live?: Json;
  readonly desired?: Json;
}

/** What a run would do to one object. */
export interface PreviewedChange {
  readonly action: PlannedAction['action'] | 'recreate';
  readonly ref: ObjectRef;
  readonly apiVersion?: string;
  readonly why: string;
  /** Of an update: everything that would change. */
  readonly fields: readonly FieldChange[];
}

/** What a run would do, in the order in which the plan has it. */
export interface Preview {
  readonly changes: readonly PreviewedChange[];
  /** Why a run would do nothing at all. */
  readonly refusal?: string;
}
