import { isJsonObject, jsonEqual, type Json, type JsonObject } from '../../core/model/json.ts';
import type { LiveObject } from '../../core/model/object.ts';
import type { FieldConflict, JsonPatchOperation } from '../../core/ports.ts';

/** A member that is an object; empty where it is none. */
export function objectAt(value: JsonObject, member: string): JsonObject {
  const found = value[member];
  return isJsonObject(found) ? found : {};
}

/** A JSON patch operation on metadata and top-level members, one level deep. */
export function patched(object: LiveObject, operation: JsonPatchOperation): LiveObject {
  if (operation.op === 'test') return object;
  const path = operation.path
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
  const next = changed(object, path, operation.op === 'remove' ? undefined : operation.value);
  return { ...object, ...next, metadata: { ...object.metadata, ...objectAt(next, 'metadata') } };
}

function changed(
  members: JsonObject,
  [name = '', ...rest]: readonly string[],
  value: Json | undefined,
): JsonObject {
  const { [name]: _, ...others } = members;
  if (rest.length > 0) return { ...others, [name]: changed(objectAt(members, name), rest, value) };
  return value === undefined ? others : { ...others, [name]: value };
}

/** Members of `live` that we had set and do not want any more are left out. */
export function dropped(live: JsonObject, ours: JsonObject, wanted: JsonObject): JsonObject {
  return Object.fromEntries(
    Object.entries(live).flatMap(([name, value]): [string, Json][] => {
      const [had, wants] = [ours[name], wanted[name]];
      if (had === undefined) return [[name, value]];
      if (isJsonObject(value) && isJsonObject(had)) {
        const rest = dropped(value, had, isJsonObject(wants) ? wants : {});
        return wants === undefined && Object.keys(rest).length === 0 ? [] : [[name, rest]];
      }
      return wants === undefined ? [] : [[name, value]];
    }),
  );
}

/** Server-side apply without schemas: objects merge, all else is replaced. */
export function merge(live: JsonObject, wanted: JsonObject): JsonObject {
  const merged = Object.entries(wanted).map(([name, value]): [string, Json] => {
    const current = live[name];
    return [name, isJsonObject(value) && isJsonObject(current) ? merge(current, value) : value];
  });
  return { ...live, ...Object.fromEntries(merged) };
}

/** Leaves of an object by path, as the server writes them in a conflict: `.data.a`. Lists are leaves. */
function leavesOf(value: JsonObject, path = ''): [string, Json][] {
  return Object.entries(value).flatMap(([name, member]): [string, Json][] => {
    const here = `${path}.${name}`;
    if (['.apiVersion', '.kind', '.metadata.name', '.metadata.namespace'].includes(here)) return [];
    return isJsonObject(member) ? leavesOf(member, here) : [[here, member]];
  });
}

/** Fields by path, with the manager that set them. */
export type Owners = ReadonlyMap<string, string>;

/** All leaves of `content` become the manager's. */
export function ownedBy(manager: string, content: JsonObject, before: Owners = new Map()): Owners {
  return new Map([...before, ...leavesOf(content).map(([path]) => [path, manager] as const)]);
}

/** Wanted fields that another manager has with another value. */
export function conflictsOf(live: JsonObject, wanted: JsonObject, others: Owners): FieldConflict[] {
  const current = new Map(leavesOf(live));
  return leavesOf(wanted).flatMap(([field, value]) => {
    const manager = others.get(field);
    const isOther = current.has(field) && !jsonEqual(current.get(field), value);
    return manager !== undefined && isOther ? [{ field, manager }] : [];
  });
}

/** The server's own, and what an object is known by, is nobody's. */
const unowned = new Set(['apiVersion', 'kind', 'status']);
const unownedMeta = new Set([
  'name',
  'namespace',
  'uid',
  'resourceVersion',
  'generation',
  'creationTimestamp',
  'managedFields',
]);

/** The set of all leaves of an object as the server writes it (FieldsV1), or of those that `unlike` has not so. */
export function fieldsOf(object: JsonObject, unlike: JsonObject = {}): JsonObject {
  const { metadata } = object;
  const whole = without(object, unowned);
  const own = isJsonObject(metadata) ? { ...whole, metadata: without(metadata, unownedMeta) } : whole;
  return fieldSet(own, unlike);
}

function without(members: JsonObject, names: ReadonlySet<string>): JsonObject {
  return Object.fromEntries(Object.entries(members).filter(([name]) => !names.has(name)));
}

function fieldSet(value: JsonObject, unlike: JsonObject): JsonObject {
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, member]): [string, Json][] => {
      const other = unlike[name];
      if (isJsonObject(member) && Object.keys(member).length > 0) {
        const below = fieldSet(member, isJsonObject(other) ? other : {});
        return Object.keys(below).length === 0 ? [] : [[`f:${name}`, below]];
      }
      return other !== undefined && jsonEqual(member, other) ? [] : [[`f:${name}`, {}]];
    }),
  );
}

/** A set without the leaves of another. */
export function lessFields(set: JsonObject, taken: JsonObject): JsonObject {
  return Object.fromEntries(
    Object.entries(set).flatMap(([edge, below]): [string, Json][] => {
      const other = taken[edge];
      if (!isJsonObject(below) || !isJsonObject(other)) return [[edge, below]];
      const left = lessFields(below, other);
      return Object.keys(left).length === 0 ? [] : [[edge, left]];
    }),
  );
}
