import { labels } from '../contract/kubernetes.ts';
import type { FieldDrift, ObjectDrift } from '../model/drift.ts';
import { isJsonObject } from '../model/json.ts';
import { refOf, type LiveObject } from '../model/object.ts';
import { changedFields, droppedFields, type Finding } from './compare-fields.ts';
import { knownControllers, otherOwners, ourEntry, writerOf, type Owner } from '../field-owners.ts';
import { describePath, emptySet, type FieldPath, type FieldSet } from '../field-set.ts';
import { foreignFields } from './foreign-fields.ts';
import { showDifference, type Mask } from './shown-value.ts';

/** `unknown`: the answers cannot be compared, so nothing may be said (rule 5). */
export type DriftVerdict =
  | { readonly kind: 'clean' }
  | { readonly kind: 'drifted'; readonly drift: ObjectDrift }
  | { readonly kind: 'unknown'; readonly reason: string };

/**
 * Drift of one object. `dryRun` is the server's answer to a forced dry run of what we last applied, made of the same
 * version of the object as `live`: the server says which fields are ours and what they would be, so defaulting,
 * quantities and mutating webhooks never show as drift (rule 8).
 */
export function driftOf(live: LiveObject, dryRun: LiveObject, mask: Mask): DriftVerdict {
  const desired = ourEntry(dryRun);
  if (desired === undefined) {
    return { kind: 'unknown', reason: 'the server named no field of ours in its answer to the dry run' };
  }
  const others = otherOwners(live);
  const sets = { desired: desired.fields, own: ownFields(live, desired) };
  const findings = [
    ...changedFields(sets, dryRun, live),
    ...droppedFields(sets, dryRun, live),
    ...foreignFields(sets.desired, others, live),
  ].filter(({ path }) => !isIgnored(path));
  if (findings.length === 0) return { kind: 'clean' };
  const fields = findings.map((finding) => fieldDrift(finding, live, others, mask));
  return { kind: 'drifted', drift: { ref: refOf(live), kind: 'fields', fields } };
}

/** What we own of the live object, in terms of the version that the dry run speaks. */
function ownFields(live: LiveObject, desired: Owner): FieldSet {
  const own = ourEntry(live);
  if (own === undefined) return emptySet;
  return own.apiVersion === desired.apiVersion ? own.fields : desired.fields;
}

function fieldDrift(finding: Finding, live: LiveObject, others: readonly Owner[], mask: Mask): FieldDrift {
  const { path, desired, live: found } = showDifference(live, finding, mask);
  // Who removed a field, the server does not tell: managedFields name those who own what is there.
  const writer = finding.class === 'removed' ? {} : writerOf(others, finding.path);
  return {
    class: finding.class,
    path: describePath(path),
    ...(desired === undefined ? {} : { desired }),
    ...(found === undefined ? {} : { live: found }),
    ...writer,
  };
}

/** `kubectl rollout restart` is how people restart pods; it is no wish to change what Git says. */
function isIgnored(path: FieldPath): boolean {
  return path.at(-1) === 'f:kubectl.kubernetes.io/restartedAt';
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
