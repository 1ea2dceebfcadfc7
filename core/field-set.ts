import { isJsonObject, jsonEqual, type Json, type JsonObject } from './model/json.ts';

/**
 * A set of fields as the API server writes it (FieldsV1): a trie whose edges are `f:NAME` (field or map key),
 * `k:{…}` (list item by its keys), `v:VALUE` (item of a set) and `i:N` (item by place). A node without children is a
 * member; a node with children is one only where it holds `.`. Lists and maps that the schema calls atomic have no
 * children. No JavaScript library reads it, and the trie is JSON already: so it is walked as it is.
 */
export type FieldSet = JsonObject;

/** Edges from the root of an object, e.g. `['f:spec', 'f:containers', 'k:{"name":"app"}', 'f:image']`. */
export type FieldPath = readonly string[];

export const emptySet: FieldSet = {};

/** The set of a managedFields entry; empty where the server gave none. */
export function fieldSetOf(fieldsV1: Json | undefined): FieldSet {
  return isJsonObject(fieldsV1) ? fieldsV1 : emptySet;
}

/** Children of a node with their edges, the node's own `.` left out. */
export function childrenOf(set: FieldSet): (readonly [string, FieldSet])[] {
  return Object.entries(set)
    .filter(([edge]) => edge !== '.')
    .map(([edge, child]) => [edge, fieldSetOf(child)]);
}

export function childOf(set: FieldSet | undefined, edge: string): FieldSet | undefined {
  const child = set !== undefined && Object.hasOwn(set, edge) ? set[edge] : undefined;
  return isJsonObject(child) ? child : undefined;
}

export function isLeaf(set: FieldSet): boolean {
  return childrenOf(set).length === 0;
}

/** Whether the set holds the node itself, not only something beneath it. */
export function isMember(set: FieldSet | undefined): boolean {
  return set !== undefined && (isLeaf(set) || '.' in set);
}

/** Whether an edge leads to a list item: such are reported whole, not field by field. */
export function isItem(edge: string): boolean {
  return edge.startsWith('k:') || edge.startsWith('v:');
}

/** Leaves and list items of `set` that `covered` does not reach. */
export function pathsOutside(set: FieldSet, covered: FieldSet, path: FieldPath): FieldPath[] {
  return childrenOf(set).flatMap(([edge, child]) => {
    const at = [...path, edge];
    const cover = childOf(covered, edge);
    if (cover === undefined) {
      return isLeaf(child) || (isItem(edge) && isMember(child)) ? [at] : pathsOutside(child, emptySet, at);
    }
    // A leaf of the cover is a list or map taken as one, or a plain value: all beneath it is covered.
    return isLeaf(cover) ? [] : pathsOutside(child, cover, at);
  });
}

/** The node at a path, or undefined where the trie does not reach it. */
export function nodeAt(set: FieldSet, path: FieldPath): FieldSet | undefined {
  return path.reduce<FieldSet | undefined>((node, edge) => childOf(node, edge), set);
}

/** The value behind an edge; undefined where there is none. */
export function valueBehind(value: Json | undefined, edge: string): Json | undefined {
  const label = edge.slice(2);
  if (edge.startsWith('f:')) {
    return isJsonObject(value) && Object.hasOwn(value, label) ? value[label] : undefined;
  }
  if (!Array.isArray(value)) return undefined;
  const items: readonly Json[] = value;
  if (edge.startsWith('i:')) return items[Number(label)];
  const wanted = parseLabel(label);
  if (edge.startsWith('v:')) return items.find((item) => jsonEqual(item, wanted));
  if (!isJsonObject(wanted)) return undefined;
  // A key that the schema gives a default may be absent from the item: the server names it in the edge all the same.
  return items.find((item) => hasKeys(item, wanted)) ?? items.find((item) => hasPresentKeys(item, wanted));
}

/** The value at a path. */
export function valueAt(value: Json | undefined, path: FieldPath): Json | undefined {
  return path.reduce(valueBehind, value);
}

/** The JSON pointer (RFC 6901) of a path in a value, list items by their place. */
export function pointerTo(value: Json | undefined, path: FieldPath): string {
  let parent = value;
  return path
    .map((edge) => {
      const child = valueBehind(parent, edge);
      const items: readonly Json[] = Array.isArray(parent) ? parent : [];
      const name = edge.startsWith('f:')
        ? edge.slice(2)
        : String(child === undefined ? -1 : items.indexOf(child));
      parent = child;
      return `/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`;
    })
    .join('');
}

/** Text of a path for people: `spec.template.spec.containers[name="app"].image`. */
export function describePath(path: FieldPath): string {
  return path.map(describeEdge).join('').replace(/^\./, '');
}

const plainName = /^[A-Za-z_$][\w$-]*$/;

/** One edge for people: `.image`, `["a.b/c"]`, `[name="app"]`. */
export function describeEdge(edge: string): string {
  const label = edge.slice(2);
  if (edge.startsWith('f:')) return plainName.test(label) ? `.${label}` : `[${JSON.stringify(label)}]`;
  if (edge.startsWith('i:')) return `[${label}]`;
  const value = parseLabel(label);
  if (edge.startsWith('v:') || !isJsonObject(value)) return `[=${label}]`;
  const keys = Object.entries(value).map(([name, key]) => `${name}=${JSON.stringify(key)}`);
  return `[${keys.join(',')}]`;
}

function hasKeys(item: Json, keys: JsonObject): boolean {
  return isJsonObject(item) && Object.entries(keys).every(([name, key]) => jsonEqual(item[name], key));
}

function hasPresentKeys(item: Json, keys: JsonObject): boolean {
  if (!isJsonObject(item)) return false;
  const present = Object.entries(keys).filter(([name]) => item[name] !== undefined);
  return present.length > 0 && present.every(([name, key]) => jsonEqual(item[name], key));
}

function parseLabel(label: string): Json | undefined {
  try {
    const value: Json = JSON.parse(label);
    return value;
  } catch {
    // Not an edge that this version of the format knows: nothing lies behind it.
    return undefined;
  }
}
