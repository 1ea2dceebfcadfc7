import type { FieldDrift } from '../model/drift.ts';
import { jsonEqual, type Json } from '../model/json.ts';
import type { LiveObject } from '../model/object.ts';
import {
  childOf,
  childrenOf,
  describePath,
  isItem,
  isLeaf,
  isMember,
  pathsOutside,
  valueAt,
  valueBehind,
  type FieldPath,
  type FieldSet,
} from '../field-set.ts';
import type { Difference } from './shown-value.ts';

export interface Finding extends Difference {
  readonly class: FieldDrift['class'];
  /** All items of the list are there, in another order. */
  readonly isOrder?: true;
}

/** `desired`: what our apply would own. `own`: what we own of the live object. */
export interface OurSets {
  readonly desired: FieldSet;
  readonly own: FieldSet;
}

/** Desired fields whose live value differs or is gone, or that are equal and no longer ours. */
export function changedFields({ desired, own }: OurSets, dryRun: LiveObject, live: LiveObject): Finding[] {
  const findings = compare({ set: desired, own, path: [], desired: asJson(dryRun), live: asJson(live) });
  // All lost and nothing changed otherwise: the object was replaced or its managedFields were wiped.
  const path = ['f:metadata', 'f:managedFields'];
  if (isLeaf(own)) {
    const changed = findings.filter((finding) => finding.class !== 'ownership');
    return [...changed, { class: 'ownership', path }];
  }
  return findings;
}

/** Fields that we own of the live object and would not own any longer, and that would go with us. */
export function droppedFields({ desired, own }: OurSets, dryRun: LiveObject, live: LiveObject): Finding[] {
  return pathsOutside(own, desired, [])
    .filter((path) => valueAt(asJson(dryRun), path) === undefined)
    .map((path) => ({ class: 'dropped' as const, path, live: valueAt(asJson(live), path) }))
    .filter((finding) => finding.live !== undefined);
}

interface Place {
  readonly set: FieldSet;
  readonly own: FieldSet | undefined;
  readonly path: FieldPath;
  readonly desired: Json | undefined;
  readonly live: Json | undefined;
}

function compare(place: Place): Finding[] {
  const below = childrenOf(place.set).flatMap(([edge, set]) =>
    compareChild(edge, {
      set,
      own: childOf(place.own, edge),
      path: [...place.path, edge],
      desired: valueBehind(place.desired, edge),
      live: valueBehind(place.live, edge),
    }),
  );
  return [...below, ...reordered(place)];
}

function compareChild(edge: string, place: Place): Finding[] {
  const { set, own, path, desired, live } = place;
  // Null in a manifest asks for nothing to be there.
  if (desired === undefined || desired === null) return [];
  if ((live === undefined || live === null) && (isLeaf(set) || isItem(edge))) {
    return [{ class: 'removed', path, desired }];
  }
  if (isLeaf(set)) {
    if (!jsonEqual(desired, live)) return [{ class: 'changed', path, desired, live }];
    return isMember(own) ? [] : [{ class: 'ownership', path, desired, live }];
  }
  const below = compare(place);
  const isLost = isItem(edge) && own === undefined && below.length > 0;
  const onlyOwnership = below.every((finding) => finding.class === 'ownership');
  return isLost && onlyOwnership ? [{ class: 'ownership', path }] : below;
}

/** Items of ours in another order: it counts for init containers and for variables that use earlier ones. */
function reordered({ set, path, desired, live }: Place): Finding[] {
  const keyed = childrenOf(set).filter(([edge]) => edge.startsWith('k:'));
  if (keyed.length < 2 || !isList(desired) || !isList(live)) return [];
  const places = keyed
    .map(([edge]) => ({
      name: describePath([edge]),
      wanted: placeOf(desired, edge),
      found: placeOf(live, edge),
    }))
    .filter(({ wanted, found }) => wanted >= 0 && found >= 0);
  const namesBy = (order: 'wanted' | 'found') =>
    [...places].sort((a, b) => a[order] - b[order]).map(({ name }) => name);
  const [wanted, found] = [namesBy('wanted'), namesBy('found')];
  return jsonEqual(wanted, found)
    ? []
    : [{ class: 'changed', path, desired: wanted, live: found, isOrder: true }];
}

function placeOf(list: readonly Json[], edge: string): number {
  const item = valueBehind(list, edge);
  return item === undefined ? -1 : list.indexOf(item);
}

function isList(value: Json | undefined): value is readonly Json[] {
  return Array.isArray(value);
}

function asJson(object: LiveObject): Json {
  return object;
}
