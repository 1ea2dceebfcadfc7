import { fieldManager } from './contract/kubernetes.ts';
import type { LiveObject, ManagedFieldsEntry } from './model/object.ts';
import { fieldSetOf, isLeaf, isMember, nodeAt, type FieldPath, type FieldSet } from './field-set.ts';

/**
 * Field managers of controllers that write to objects of others as their job: what only they own is not foreign.
 * Their writes to desired fields are drift all the same (an autoscaler that fights a replica count in Git).
 */
export const knownControllers: ReadonlySet<string> = new Set([
  'kube-apiserver',
  'kube-controller-manager',
  'kube-scheduler',
  'kubelet',
  'cloud-controller-manager',
  'aws-cloud-controller-manager',
  'eks',
  'cert-manager-cainjector',
  // Not a controller: the server's name for all that stood, defaults included, before anybody applied.
  'before-first-apply',
]);

/** A managedFields entry with its fields as a set. */
export interface Owner {
  readonly manager: string;
  readonly operation: string;
  readonly time: string | undefined;
  /** Sets of different versions of a kind cannot be compared. */
  readonly apiVersion: string | undefined;
  readonly fields: FieldSet;
}

function isOurs({ manager, operation, subresource }: ManagedFieldsEntry): boolean {
  return manager === fieldManager && operation === 'Apply' && (subresource ?? '') === '';
}

function ownerOf(entry: ManagedFieldsEntry): Owner {
  return {
    manager: entry.manager ?? 'unknown',
    operation: entry.operation ?? 'Update',
    time: entry.time,
    apiVersion: entry.apiVersion,
    fields: fieldSetOf(entry.fieldsV1),
  };
}

/** Our Apply entry: what we own of the object. */
export function ourEntry(object: LiveObject): Owner | undefined {
  const entry = object.metadata.managedFields?.find(isOurs);
  return entry === undefined ? undefined : ownerOf(entry);
}

/** All others, newest first; writers of status left out. */
export function otherOwners(object: LiveObject): readonly Owner[] {
  return (object.metadata.managedFields ?? [])
    .filter((entry) => !isOurs(entry) && entry.subresource !== 'status')
    .map(ownerOf)
    .sort((a, b) => ((a.time ?? '') < (b.time ?? '') ? 1 : -1));
}

/** Who, how and when: of the newest of `owners` that owns the path itself, else something above or beneath it. */
export function writerOf(
  owners: readonly Owner[],
  path: FieldPath,
): { manager?: string; operation?: string; at?: string } {
  const owner =
    owners.find(({ fields }) => isMember(nodeAt(fields, path))) ??
    owners.find(({ fields }) => nodeAt(fields, path) !== undefined || ownsAbove(fields, path));
  if (owner === undefined) return {};
  const { manager, operation, time } = owner;
  return { manager, operation, ...(time === undefined ? {} : { at: time }) };
}

/** Every manager with a hand in a path: it owns the path itself, something beneath it, or a list or map above it. */
export function managersOf(owners: readonly Owner[], path: FieldPath): string[] {
  const theirs = owners.filter(({ fields }) => nodeAt(fields, path) !== undefined || ownsAbove(fields, path));
  return [...new Set(theirs.map(({ manager }) => manager))];
}

/** Whether a list or map above the path is owned as one. */
function ownsAbove(fields: FieldSet, path: FieldPath): boolean {
  return path.some((_, depth) => {
    const node = depth === 0 ? undefined : nodeAt(fields, path.slice(0, depth));
    return node !== undefined && isLeaf(node);
  });
}
