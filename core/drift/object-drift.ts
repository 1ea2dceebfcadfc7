import { labels } from '../contract/kubernetes.ts';
import {
  knownControllers,
  managersOf,
  otherOwners,
  ourEntry,
  writerOf,
  type Owner,
} from '../field-owners.ts';
import { describePath, emptySet, valueAt, type FieldSet } from '../field-set.ts';
import { foreignFields, isRestart, markOf } from '../foreign-fields.ts';
import type { FieldDrift, ObjectDrift } from '../model/drift.ts';
import { isJsonObject, jsonEqual } from '../model/json.ts';
import { refOf, type KubeObject, type LiveObject, type ObjectRef } from '../model/object.ts';
import type { DriftMode } from '../model/rule.ts';
import { orderEdge, pointerOf, type FieldFacts, type Policy } from '../policy.ts';
import { changedFields, droppedFields, type Finding } from './compare-fields.ts';
import { showDifference, type Mask } from './shown-value.ts';

/** `unknown`: the answers cannot be compared, so nothing may be said (rule 5). */
export type DriftVerdict =
  | { readonly kind: 'clean' }
  | { readonly kind: 'drifted'; readonly drift: ObjectDrift }
  | { readonly kind: 'unknown'; readonly reason: string };

/** What holds for one object besides what the server says of it. */
export interface DriftContext {
  readonly mask: Mask;
  readonly policy: Policy;
  /** The object as Git wants it: rules and annotations are asked for that one. */
  readonly desired: KubeObject;
  /** Marks of foreign fields that stood when the object was adopted. */
  readonly baseline?: readonly string[] | undefined;
  /** Fields of `desired` that were left to their owners, as text: these are not foreign, whoever owns them. */
  readonly yielded?: readonly string[] | undefined;
  /** What the server would make of `desired` where nothing stands. */
  readonly fresh?: LiveObject | undefined;
}

/**
 * Drift of one object. `dryRun` is the server's answer to a forced dry run of what we last applied, made of the same
 * version of the object as `live`: the server says which fields are ours and what they would be, so defaulting,
 * quantities and mutating webhooks never show as drift (rule 8). What the policy ignores is left out; the rest carries
 * its mode.
 */
export function driftOf(live: LiveObject, dryRun: LiveObject, context: DriftContext): DriftVerdict {
  const desired = ourEntry(dryRun);
  if (desired === undefined) {
    return { kind: 'unknown', reason: 'the server named no field of ours in its answer to the dry run' };
  }
  const others = otherOwners(live);
  const sets = { desired: desired.fields, own: ownFields(live, desired) };
  const findings = [
    ...changedFields(sets, dryRun, live),
    ...droppedFields(sets, dryRun, live),
    ...foreignFields(sets.desired, others, live).map((field) => ({ class: 'foreign' as const, ...field })),
  ].filter(({ path }) => !isRestart(path));
  const fields = findings.flatMap((finding) => {
    const facts = factsOf(finding, others);
    const mode = modeOf(finding, facts, live, context);
    return mode === 'ignore' ? [] : [fieldDrift(finding, facts, mode, { live, others, mask: context.mask })];
  });
  if (fields.length === 0) return { kind: 'clean' };
  return { kind: 'drifted', drift: { ref: refOf(live), kind: 'fields', fields } };
}

/** Drift of an object that is not there; undefined where the policy does not care. */
export function driftOfMissing(
  { ref, object }: { readonly ref: ObjectRef; readonly object: KubeObject },
  policy: Policy,
): ObjectDrift | undefined {
  const { drift: mode } = policy.forObject(object);
  return mode === 'ignore' ? undefined : { ref, kind: 'missing', fields: [], mode };
}

/** Drift of an object that is in no inventory; a run never takes it away. Undefined where the policy does not care. */
export function driftOfExtra(live: LiveObject, policy: Policy): ObjectDrift | undefined {
  // Its annotations are not Git's: whoever made it must not be able to hide it.
  const { annotations: _, ...metadata } = live.metadata;
  const { drift } = policy.forObject({ ...live, metadata });
  return drift === 'ignore' ? undefined : { ref: refOf(live), kind: 'extra', fields: [], mode: 'observe' };
}

/** What we own of the live object, in terms of the version that the dry run speaks. */
export function ownFields(live: LiveObject, desired: Owner): FieldSet {
  const own = ourEntry(live);
  if (own === undefined) return emptySet;
  return own.apiVersion === desired.apiVersion ? own.fields : desired.fields;
}

/** What rules are asked about: the values as they are, before any of them is masked or cut. */
function factsOf({ path, desired, live, isOrder }: Finding, others: readonly Owner[]): FieldFacts {
  const named = isOrder === true ? [...path, orderEdge] : path;
  return { path: named, desired, live, managers: managersOf(others, path) };
}

function modeOf(
  finding: Finding,
  facts: FieldFacts,
  live: LiveObject,
  { policy, desired, baseline = [], yielded = [], fresh }: DriftContext,
): DriftMode {
  if (finding.class === 'foreign') {
    const mode = policy.forForeign(desired, live, facts);
    if (mode !== undefined) return mode;
    const text = describePath(finding.path);
    if (
      yielded.some((field) => text === field || text.startsWith(`${field}.`) || text.startsWith(`${field}[`))
    ) {
      return 'ignore';
    }
    const isDefault = fresh !== undefined && jsonEqual(valueAt(fresh, finding.path), finding.live);
    return isDefault || baseline.includes(markOf(finding.path)) ? 'ignore' : 'observe';
  }
  const { drift, conflicts } = policy.forField(desired, live, facts);
  // What an apply leaves to its owner is theirs, whatever they write into it.
  const isTheirs = conflicts === 'yield' && facts.managers.length > 0;
  return isTheirs && finding.class !== 'removed' ? 'ignore' : drift;
}

function fieldDrift(
  finding: Finding,
  facts: FieldFacts,
  mode: Exclude<DriftMode, 'ignore'>,
  {
    live,
    others,
    mask,
  }: { readonly live: LiveObject; readonly others: readonly Owner[]; readonly mask: Mask },
): FieldDrift {
  const { path, desired, live: found } = showDifference(live, finding, mask);
  // Who removed a field, the server does not tell: managedFields name those who own what is there.
  const writer = finding.class === 'removed' ? {} : writerOf(others, finding.path);
  return {
    class: finding.class,
    path: describePath(path),
    pointer: pointerOf(facts.path),
    ...(desired === undefined ? {} : { desired }),
    ...(found === undefined ? {} : { live: found }),
    ...writer,
    mode,
  };
}

/**
 * Whether an object that carries our label, and is in no inventory, is worth a report: controllers copy the labels of
 * a Service to its Endpoints and of a custom object to what they make of it, which is not drift.
 */
export function isExtra(live: LiveObject): boolean {
  const owners = live.metadata['ownerReferences'];
  const controlled =
    Array.isArray(owners) && owners.some((owner) => isJsonObject(owner) && owner['controller'] === true);
  const label = ['f:metadata', 'f:labels', `f:${labels.application}`];
  const { manager } = writerOf(otherOwners(live), label);
  return !controlled && !(manager !== undefined && knownControllers.has(manager));
}

/** Whether we applied it at some time. */
export function wasOurs(live: LiveObject): boolean {
  return ourEntry(live) !== undefined;
}
