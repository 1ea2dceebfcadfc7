import { Stop } from '../errors.ts';
import { scalarsOf, type Scalar } from '../yaml/scalars.ts';

/** Path and text of a YAML file. */
type TextFile = readonly [path: string, text: string];

type Step = readonly [name: string, entry?: { readonly field: string; readonly value: string }];

/**
 * The text of the second file with these values of the first one, spelled as there, and all else as it was: comments, order
 * and format too. Throws Stop, which names file and field, where one of them has no such value, or more than one.
 */
export function carryFields(from: TextFile, to: TextFile, fields: readonly string[]): string {
  const [given, kept] = [scalarsOf(...from), scalarsOf(...to)];
  const carried = fields.map((field) => {
    const source = fieldOf(from[0], given, field);
    return { field, source, scalar: fieldOf(to[0], kept, field) };
  });
  // From the end, so that places before it stay where they are; two fields may name one value.
  const edits = [...new Map(carried.map((one) => [one.scalar.start, one])).values()];
  const text = edits
    .toSorted((a, b) => b.scalar.start - a.scalar.start)
    .reduce((whole, { scalar, source }) => {
      const [start, end] = bounds(scalar);
      return whole.slice(0, start) + from[1].slice(...bounds(source)) + whole.slice(end);
    }, to[1]);
  // What is one word in one place may be two in another, as a comma is between braces.
  const after = scalarsOf(to[0], text);
  const spoilt = carried.find(
    ({ field, source }) =>
      fieldOf(to[0], after, field).value !== source.value || after.length !== kept.length,
  );
  if (spoilt === undefined) return text;
  const message = `cannot take the value of ${spoilt.field} as ${from[0]} spells it; quote it there`;
  throw new Stop({ subject: to[0], message });
}

/** With its quotes. */
function bounds({ start, end, isQuoted }: Scalar): readonly [number, number] {
  return isQuoted ? [start - 1, end + 1] : [start, end];
}

function fieldOf(file: string, scalars: readonly Scalar[], field: string): Scalar {
  const documents = Map.groupBy(scalars, ({ document }) => document);
  const found = [...documents.values()].flatMap((document) => withPath(document, stepsOf(field)));
  const [one, ...others] = found;
  if (one !== undefined && others.length === 0) return one;
  const message = `has ${one === undefined ? 'no' : 'more than one'} value ${field}; nothing of it is carried over`;
  throw new Stop({ subject: file, message });
}

function stepsOf(field: string): readonly Step[] {
  return [...field.matchAll(/(?<name>[^.[\]]+)(?:\[(?<key>[^=\]]+)=(?<value>[^\]]+)\])?/g)].map(
    ({ groups }) => {
      const { name = '', key, value } = groups ?? {};
      return key === undefined || value === undefined ? [name] : [name, { field: key, value }];
    },
  );
}

/** Of one document. Entries of lists are looked up as the path leads to them. */
function withPath(scalars: readonly Scalar[], steps: readonly Step[]): readonly Scalar[] {
  let paths: readonly (readonly (string | number)[])[] = [[]];
  for (const [name, entry] of steps) {
    const below = paths.map((path) => [...path, name]);
    paths = entry === undefined ? below : below.flatMap((path) => entriesOf(scalars, path, entry));
  }
  const wanted = new Set(paths.map((path) => JSON.stringify(path)));
  return scalars.filter(({ path }) => wanted.has(JSON.stringify(path)));
}

function entriesOf(
  scalars: readonly Scalar[],
  above: readonly (string | number)[],
  { field, value }: NonNullable<Step[1]>,
): readonly (readonly (string | number)[])[] {
  return scalars.flatMap((scalar) => {
    const [index, key, ...rest] = scalar.path.slice(above.length);
    const isBelow = above.every((part, at) => scalar.path[at] === part);
    const isIt = isBelow && typeof index === 'number' && key === field && rest.length === 0;
    return isIt && scalar.value === value ? [[...above, index]] : [];
  });
}
