import type { Severity } from '../model/policy-rule.ts';
import type { KubeObject, ObjectRef } from '../model/object.ts';

/** Something that is wrong with a rendered object, or that could not be judged, in words for a person. */
export interface Finding {
  readonly ref: ObjectRef;
  readonly kind: 'schema' | 'removed-api' | 'deprecated-api' | 'unknown-kind' | 'policy' | 'unjudged';
  /** `error`: the cluster, or a policy, would refuse it. */
  readonly severity: Severity;
  /** The rule, or the ValidatingAdmissionPolicy. */
  readonly policy?: string;
  readonly text: string;
}

/** What becomes of an object: one that is new has no `before`, one that is deleted no `object`. */
export interface JudgedObject {
  readonly object?: KubeObject | undefined;
  readonly before?: KubeObject | undefined;
}
