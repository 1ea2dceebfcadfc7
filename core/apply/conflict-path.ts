import { valueBehind, type FieldPath } from '../field-set.ts';
import { isJsonObject, type Json, type JsonObject } from '../model/json.ts';

/**
 * The path in an object that the server means by a text such as `.spec.containers[name="app"].image`. Names are not
 * escaped there and may hold dots (`.metadata.labels.app.kubernetes.io/name`), so only the object itself tells where one
 * ends. Undefined when the object has no such path.
 */
export function pathFromText(value: Json | undefined, text: string): FieldPath | undefined {
  if (text === '') return [];
  if (text.startsWith('.') && isJsonObject(value)) return memberPath(value, text.slice(1));
  const bracket = /^\[((?:"(?:[^"\\]|\\.)*"|[^\]"])*)\]/.exec(text);
  if (bracket === null) return undefined;
  const edge = edgeOf(bracket[1] ?? '');
  const item = edge === undefined ? undefined : valueBehind(value, edge);
  if (edge === undefined || item === undefined) return undefined;
  const rest = pathFromText(item, text.slice(bracket[0].length));
  return rest === undefined ? undefined : [edge, ...rest];
}

function memberPath(members: JsonObject, text: string): FieldPath | undefined {
  const names = Object.keys(members)
    .filter((name) => text === name || text.startsWith(`${name}.`) || text.startsWith(`${name}[`))
    .sort((a, b) => b.length - a.length);
  for (const name of names) {
    const rest = pathFromText(members[name], text.slice(name.length));
    if (rest !== undefined) return [`f:${name}`, ...rest];
  }
  return undefined;
}

/** `name="app",port=80` are keys, `="x"` is an item of a set, `3` a place. */
function edgeOf(inside: string): string | undefined {
  if (/^[0-9]+$/.test(inside)) return `i:${inside}`;
  if (inside.startsWith('=')) return `v:${inside.slice(1)}`;
  const keys = [...inside.matchAll(/([^=,]+)=("(?:[^"\\]|\\.)*"|[^,]*)(?:,|$)/g)];
  if (keys.length === 0) return undefined;
  return `k:{${keys.map(([, name = '', value = '']) => `${JSON.stringify(name)}:${value}`).join(',')}}`;
}

/** The object without what is at a path; a map that has nothing left goes too, an item keeps its keys. */
export function withoutPath(value: Json, path: FieldPath): Json | undefined {
  const [edge, ...rest] = path;
  if (edge === undefined) return undefined;
  const current = valueBehind(value, edge);
  if (current === undefined) return value;
  const changed = withoutPath(current, rest);
  if (Array.isArray(value)) {
    const items: readonly Json[] = value;
    const kept = items.flatMap((item): Json[] =>
      item !== current ? [item] : changed === undefined ? [] : [changed],
    );
    return kept.length === 0 ? undefined : kept;
  }
  if (!isJsonObject(value)) return value;
  const { [edge.slice(2)]: _, ...others } = value;
  const kept = changed === undefined ? others : { ...others, [edge.slice(2)]: changed };
  return Object.keys(kept).length === 0 ? undefined : kept;
}
