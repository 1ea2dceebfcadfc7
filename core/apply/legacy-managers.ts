import { fieldManager } from '../contract/kubernetes.ts';
import { childOf, childrenOf, fieldSetOf, isLeaf, isMember, type FieldSet } from '../field-set.ts';
import type { Json, JsonObject } from '../model/json.ts';
import type { LiveObject, ManagedFieldsEntry } from '../model/object.ts';
import type { JsonPatchOperation } from '../ports.ts';

/**
 * Field managers of tools that declare whole objects, as Git does for us. Those that change single fields of what
 * another declared are not among them (`kubectl-edit`, `-patch`, `-label`, `-annotate`, `-set`, `-scale`): such a change is
 * foreign, and is shown, not taken away.
 */
const declaring: readonly RegExp[] = [
  /^kubectl$/,
  /^kubectl-(client-side-apply|last-applied|create|replace|run|expose|autoscale)$/,
  /^argocd-(application-)?controller$/,
  /^(flux|kustomize-controller|helm-controller)$/,
  /^helm$/i,
  /^kapp(-server-side-apply)?$/,
  /^kluctl$/,
  /^pulumi-(resource-)?kubernetes(-[0-9a-f]+)?$/,
  /^(Terraform|HashiCorp)$/,
  /^terraform-provider-(kubernetes|kubectl|helm)(_.*)?$/,
];

const lastApplied = 'kubectl.kubernetes.io/last-applied-configuration';

/** What hands the fields of other tools over to us. */
export interface Handover {
  readonly managers: readonly string[];
  readonly operations: readonly JsonPatchOperation[];
}

/**
 * The patch that makes us the one who applied what kubectl, Helm, Argo CD, Flux and their like declared of an object, so
 * that the apply after it takes away what Git does not have, their labels and annotations too. A co-owner would keep a
 * field alive for ever. Undefined when no such tool has a hand in it.
 */
export function handoverOf({ apiVersion, metadata }: LiveObject): Handover | undefined {
  const entries = metadata.managedFields ?? [];
  const legacy = entries.filter(isLegacy);
  if (legacy.length === 0) return undefined;
  const ours = entries.filter(isOurs);
  const sets = [...ours, ...legacy].map(({ fieldsV1 }) => fieldSetOf(fieldsV1));
  const own = {
    manager: fieldManager,
    operation: 'Apply',
    // Sets of several versions become one: where their names differ, a field stays that nobody owns any more.
    apiVersion: [...ours, ...legacy].some((entry) => entry.apiVersion === apiVersion)
      ? apiVersion
      : (legacy[0]?.apiVersion ?? apiVersion),
    ...(legacy[0]?.time !== undefined && { time: legacy[0].time }),
    fieldsType: 'FieldsV1',
    fieldsV1: split(sets.reduce(union)).declared,
  };
  const rest = entries.flatMap((entry): JsonObject[] => {
    if (isOurs(entry)) return [];
    if (!isLegacy(entry)) return [entry];
    const { kept } = split(fieldSetOf(entry.fieldsV1));
    return isLeaf(kept) ? [] : [{ ...entry, fieldsV1: kept }];
  });
  const value: Json = [own, ...rest];
  return {
    managers: [...new Set(legacy.map(({ manager = '' }) => manager))].sort(),
    operations: [
      { op: 'replace', path: '/metadata/managedFields', value },
      ...(metadata.annotations?.[lastApplied] === undefined
        ? []
        : [
            {
              op: 'remove' as const,
              path: `/metadata/annotations/${lastApplied.replaceAll('/', '~1')}`,
            },
          ]),
    ],
  };
}

/** Whether somebody else declared the object before us. */
function isLegacy({ manager = '', subresource = '', fieldsV1 }: ManagedFieldsEntry): boolean {
  if (subresource !== '' || !declaring.some((pattern) => pattern.test(manager))) return false;
  return !isLeaf(split(fieldSetOf(fieldsV1)).declared);
}

function isOurs({ manager, operation, subresource = '' }: ManagedFieldsEntry): boolean {
  return manager === fieldManager && operation === 'Apply' && subresource === '';
}

/** Written by a controller for its own use, whatever name it goes by; no manifest declares these. */
const undeclared = [['f:status'], ['f:metadata', 'f:finalizers'], ['f:metadata', 'f:ownerReferences']];

function split(set: FieldSet): { readonly declared: FieldSet; readonly kept: FieldSet } {
  const kept = undeclared.flatMap(([root = '', below]) => {
    const node = below === undefined ? childOf(set, root) : childOf(childOf(set, root), below);
    if (node === undefined) return [];
    return [{ [root]: below === undefined ? node : { [below]: node } }];
  });
  const declared = undeclared.reduce(without, set);
  return { declared, kept: kept.reduce(union, {}) };
}

function without(set: FieldSet, path: readonly string[]): FieldSet {
  const [edge = '', ...rest] = path;
  const child = childOf(set, edge);
  if (child === undefined) return set;
  const { [edge]: _, ...others } = set;
  const left = rest.length === 0 ? {} : without(child, rest);
  return Object.keys(left).length === 0 ? others : { ...others, [edge]: left };
}

/** Members of either set. A node with children is a member itself only where it holds `.`. */
function union(a: FieldSet, b: FieldSet): FieldSet {
  const edges = new Set([...childrenOf(a), ...childrenOf(b)].map(([edge]) => edge));
  const children = [...edges].map((edge): [string, FieldSet] => {
    const [left, right] = [childOf(a, edge), childOf(b, edge)];
    return [edge, left === undefined ? (right ?? {}) : right === undefined ? left : joined(left, right)];
  });
  return Object.fromEntries(children);
}

function joined(a: FieldSet, b: FieldSet): FieldSet {
  const both = union(a, b);
  const isItself = !isLeaf(both) && (isMember(a) || isMember(b));
  return isItself ? { '.': {}, ...both } : both;
}
