import { ourEntry } from '../../../core/field-owners.ts';
import {
  childrenOf,
  describePath,
  isLeaf,
  valueAt,
  valueBehind,
  type FieldPath,
  type FieldSet,
} from '../../../core/field-set.ts';
import { isJsonObject, type Json } from '../../../core/model/json.ts';
import type { LiveObject } from '../../../core/model/object.ts';

/** Numbers between 0 and 1 from a seed (mulberry32): a failure can be seen again. */
export function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** One field of ours, changed or taken away as by hand. */
export interface FieldEdit {
  readonly path: FieldPath;
  /** As a drift record tells it. */
  readonly name: string;
  readonly patch: Json;
  readonly before: Json;
}

/** An edit of a random field that we own; undefined when there is none to edit. */
export function randomEdit(live: LiveObject, random: () => number): FieldEdit | undefined {
  const owned = leavesOf(ourEntry(live)?.fields ?? {}, []).filter((path) => isEditable(live, path));
  const path = pick(owned, random);
  if (path === undefined) return undefined;
  const before = valueAt(live, path);
  if (before === undefined) return undefined;
  const pointer = pointerOf(live, path);
  const name = describePath(path);
  if (random() < 0.25) return { path, name, before, patch: [{ op: 'remove', path: pointer }] };
  const { at, value } = mutation(before, random);
  return { path, name, before, patch: [{ op: 'replace', path: pointer + at, value }] };
}

export function pick<T>(items: readonly T[], random: () => number): T | undefined {
  return items[Math.floor(random() * items.length)];
}

function leavesOf(set: FieldSet, path: FieldPath): FieldPath[] {
  return childrenOf(set).flatMap(([edge, child]) =>
    isLeaf(child) ? [[...path, edge]] : leavesOf(child, [...path, edge]),
  );
}

/** The keys of a list item cannot be changed without making it another item; names and namespaces not at all. */
function isEditable(live: LiveObject, path: FieldPath): boolean {
  const parent = path.at(-2) ?? '';
  const isKey = parent.startsWith('k:') && parent.includes(JSON.stringify((path.at(-1) ?? '').slice(2)));
  return !isKey && valueAt(live, path) !== undefined;
}

/** RFC 6901. */
function pointerOf(live: LiveObject, path: FieldPath): string {
  let value: Json | undefined = live;
  return path
    .map((edge) => {
      const next: Json | undefined = valueBehind(value, edge);
      const place = Array.isArray(value) ? String(value.indexOf(next)) : escaped(edge.slice(2));
      value = next;
      return `/${place}`;
    })
    .join('');
}

function escaped(name: string): string {
  return name.replaceAll('~', '~0').replaceAll('/', '~1');
}

/** Another value of the same type; inside a list or map, of one of its members. */
function mutation(value: Json, random: () => number): { readonly at: string; readonly value: Json } {
  if (Array.isArray(value) || isJsonObject(value)) {
    const [name, member] = pick(Object.entries(value), random) ?? [];
    if (name === undefined || member === undefined)
      return { at: '', value: Array.isArray(value) ? ['x'] : { x: 'x' } };
    const below = mutation(member, random);
    return { at: `/${escaped(name)}${below.at}`, value: below.value };
  }
  if (typeof value === 'number') return { at: '', value: value + 1 };
  if (typeof value === 'boolean') return { at: '', value: !value };
  // Four letters more are base64 still.
  return { at: '', value: `edit${typeof value === 'string' ? value : ''}` };
}
