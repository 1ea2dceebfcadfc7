import { knownControllers, otherOwners, ourEntry, type Owner } from './field-owners.ts';
import {
  childrenOf,
  describePath,
  isMember,
  nodeAt,
  pathsOutside,
  valueAt,
  type FieldPath,
  type FieldSet,
} from './field-set.ts';
import { digestOf } from './model/digest.ts';
import type { Json } from './model/json.ts';
import type { LiveObject } from './model/object.ts';

/** A leaf or list item that somebody added to an object of ours. */
export interface ForeignField {
  readonly path: FieldPath;
  readonly live: Json;
}

/** Leaves and list items outside ours whose only owners are no controllers that we know; status left out. */
export function foreignFields(
  desired: FieldSet,
  others: readonly Owner[],
  live: LiveObject,
): readonly ForeignField[] {
  const known = others.filter(({ manager }) => knownControllers.has(manager));
  const found = new Map<string, ForeignField>();
  for (const { manager, fields } of others) {
    if (knownControllers.has(manager)) continue;
    for (const path of pathsOutside(withoutStatus(fields), desired, [])) {
      const value = valueAt(live, path);
      const isTheirs = known.some((owner) => isMember(nodeAt(owner.fields, path)));
      if (value !== undefined && !isTheirs && !isRestart(path))
        found.set(describePath(path), { path, live: value });
    }
  }
  return [...found.values()];
}

/** A restart is how people replace pods, no wish to change what Git says; taking it away would replace them once more. */
export function isRestart(path: FieldPath): boolean {
  return path.at(-1) === 'f:kubectl.kubernetes.io/restartedAt';
}

/**
 * The foreign fields of an object that was just adopted, as marks: they were there before us and are not reported.
 * Marks are short digests of the paths, so that the inventory stays small.
 */
export function foreignBaseline(live: LiveObject): string[] {
  const own = ourEntry(live)?.fields ?? {};
  return foreignFields(own, otherOwners(live), live)
    .map(({ path }) => markOf(path))
    .sort();
}

export function markOf(path: FieldPath): string {
  return digestOf(describePath(path)).slice('sha256:'.length, 'sha256:'.length + 16);
}

function withoutStatus(fields: FieldSet): FieldSet {
  return Object.fromEntries(childrenOf(fields).filter(([edge]) => edge !== 'f:status'));
}
