import { isJsonObject, jsonEqual, type Json } from '../model/json.ts';
import { describeRef, refKey, refOf, type KubeObject, type ObjectRef } from '../model/object.ts';

/** One field that differs between two versions of an object; absent on the side where it is not. */
export interface FieldChange {
  /** `spec.template.spec.containers[name=web].image`. */
  readonly path: string;
  readonly from?: Json;
  readonly to?: Json;
}

/** What becomes of one rendered object from one commit to another. */
export interface ObjectChange {
  readonly ref: ObjectRef;
  readonly kind: 'created' | 'changed' | 'removed';
  readonly fields: readonly FieldChange[];
  readonly base?: KubeObject;
  readonly head?: KubeObject;
}

/** Rendered objects of two commits, canonical and with secret values masked. In the order of their names. */
export function compareObjects(
  base: readonly KubeObject[],
  head: readonly KubeObject[],
): readonly ObjectChange[] {
  const [before, after] = [byKey(base), byKey(head)];
  const keys = [...new Set([...before.keys(), ...after.keys()])];
  const changes = keys.flatMap((key): ObjectChange[] => {
    const [old, next] = [before.get(key), after.get(key)];
    if (old === undefined) {
      return next === undefined ? [] : [{ ref: refOf(next), kind: 'created', fields: [], head: next }];
    }
    if (next === undefined) return [{ ref: refOf(old), kind: 'removed', fields: [], base: old }];
    const fields = compareFields('', old, next);
    return fields.length === 0 ? [] : [{ ref: refOf(next), kind: 'changed', fields, base: old, head: next }];
  });
  const nameOf = ({ ref }: ObjectChange): string => describeRef(ref);
  return changes.sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1));
}

function byKey(objects: readonly KubeObject[]): ReadonlyMap<string, KubeObject> {
  return new Map(objects.map((object) => [refKey(refOf(object)), object]));
}

function compareFields(path: string, base: Json | undefined, head: Json | undefined): FieldChange[] {
  if (jsonEqual(base, head)) return [];
  if (isJsonObject(base) && isJsonObject(head)) {
    const names = [...new Set([...Object.keys(base), ...Object.keys(head)])].sort();
    return names.flatMap((name) => compareFields(memberPath(path, name), base[name], head[name]));
  }
  if (isList(base) && isList(head)) return compareLists(path, base, head);
  return [{ path, ...(base !== undefined && { from: base }), ...(head !== undefined && { to: head }) }];
}

/** By name where every item has one of its own, as containers and variables have; else place by place. */
function compareLists(path: string, base: readonly Json[], head: readonly Json[]): FieldChange[] {
  const [old, next] = [named(base), named(head)];
  if (old === undefined || next === undefined) {
    const places = Array.from({ length: Math.max(base.length, head.length) }, (_, place) => place);
    return places.flatMap((place) => compareFields(`${path}[${place}]`, base[place], head[place]));
  }
  const names = [...new Set([...old.keys(), ...next.keys()])];
  const changed = names.flatMap((name) =>
    compareFields(`${path}[name=${name}]`, old.get(name), next.get(name)),
  );
  const order = (list: ReadonlyMap<string, Json>) =>
    [...list.keys()].filter((name) => old.has(name) && next.has(name));
  const isMoved = !jsonEqual(order(old), order(next));
  return isMoved ? [...changed, { path, from: [...old.keys()], to: [...next.keys()] }] : changed;
}

function named(list: readonly Json[]): ReadonlyMap<string, Json> | undefined {
  const entries = list.flatMap((item) => {
    const name = isJsonObject(item) ? item['name'] : undefined;
    return typeof name === 'string' ? [[name, item] as const] : [];
  });
  const found = new Map(entries);
  return found.size === list.length ? found : undefined;
}

function memberPath(path: string, name: string): string {
  const isPlain = /^[\w-]+$/.test(name);
  if (!isPlain) return `${path}["${name}"]`;
  return path === '' ? name : `${path}.${name}`;
}

function isList(value: Json | undefined): value is readonly Json[] {
  return Array.isArray(value);
}
