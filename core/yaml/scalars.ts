import { EVENT_ID, SCALAR_STYLE, getScalarValue, parseEvents, type Event } from 'js-yaml';
import { Stop } from '../errors.ts';
import { readYaml } from './read-yaml.ts';

/** A value of a YAML file that is one word or text, and where it stands, so that it alone can be replaced. */
export interface Scalar {
  /** Which document of the file, counted from 0. */
  readonly document: number;
  readonly path: readonly (string | number)[];
  readonly value: string;
  /** Counted from 1. */
  readonly line: number;
  /** What stands behind it on its line after `#`, trimmed; empty where there is nothing. */
  readonly comment: string;
  /** Offsets of its characters, without quotes. */
  readonly start: number;
  readonly end: number;
  readonly isQuoted: boolean;
}

export interface ScalarEdit {
  readonly scalar: Scalar;
  readonly value: string;
  /** Another key with its value, to stand right behind it in the same map. */
  readonly beside?: readonly [key: string, value: string];
}

type ScalarEvent = Extract<Event, { readonly type: typeof EVENT_ID.SCALAR }>;

/**
 * The scalars of a file in its order, those of block texts and of keys left out. Throws Stop, as `readYaml`, for what is no
 * YAML: nothing of such a file is changed.
 */
export function scalarsOf(file: string, text: string): readonly Scalar[] {
  // What only our reader's mending makes readable has no offsets to trust.
  readYaml(file, text);
  const scalars: Scalar[] = [];
  const open: { isMap: boolean; index: number; key: string | undefined }[] = [];
  let document = -1;
  const step = (value: string | undefined): void => {
    const parent = open.at(-1);
    if (parent === undefined) return;
    if (parent.isMap && parent.key === undefined) parent.key = value ?? '';
    else if (parent.isMap) parent.key = undefined;
    else parent.index += 1;
  };
  for (const event of eventsOf(file, text)) {
    if (event.type === EVENT_ID.POP) {
      if (open.pop() !== undefined) step(undefined);
      continue;
    }
    if (event.type === EVENT_ID.DOCUMENT) {
      document += 1;
      open.length = 0;
    } else if (event.type === EVENT_ID.MAPPING || event.type === EVENT_ID.SEQUENCE) {
      open.push({ isMap: event.type === EVENT_ID.MAPPING, index: 0, key: undefined });
    } else if (event.type === EVENT_ID.SCALAR) {
      const value = getScalarValue(text, event);
      const parent = open.at(-1);
      const isKey = parent?.isMap === true && parent.key === undefined;
      const path = open.map(({ isMap, index, key }) => (isMap ? (key ?? '') : index));
      if (!isKey && isOneLine(event)) scalars.push({ document, path, value, ...placeOf(text, event) });
      step(value);
    } else step(undefined);
  }
  return scalars;
}

function eventsOf(file: string, text: string): readonly Event[] {
  try {
    return parseEvents(text, { filename: file });
  } catch {
    const message = 'is indented in a way that can be read and not edited; indent its brackets and quotes';
    throw new Stop({ subject: file, message });
  }
}

function isOneLine({ style, valueStart }: ScalarEvent): boolean {
  return valueStart >= 0 && style !== SCALAR_STYLE.LITERAL_BLOCK && style !== SCALAR_STYLE.FOLDED_BLOCK;
}

function placeOf(text: string, { valueStart: start, valueEnd: end, style }: ScalarEvent) {
  const rest = text.slice(end, text.indexOf('\n', end) >>> 0);
  const comment = /^['"]?[\s,\]}]*\s#(?<words>.*)$/.exec(rest)?.groups?.['words'] ?? '';
  const line = text.slice(0, start).split('\n').length;
  return { line, comment: comment.trim(), start, end, isQuoted: style !== SCALAR_STYLE.PLAIN };
}

/** The text with these values in place of those, and nothing else changed; what is beside one comes on a line of its own. */
export function withScalars(text: string, edits: readonly ScalarEdit[]): string {
  const last = edits.toSorted((a, b) => b.scalar.start - a.scalar.start);
  return last.reduce((whole, { scalar, value, beside }) => {
    const spelled = scalar.isQuoted ? value : spell(value);
    const after = beside === undefined ? whole.slice(scalar.end) : withBeside(whole, scalar, beside);
    return whole.slice(0, scalar.start) + spelled + after;
  }, text);
}

/** What follows a scalar, with one more entry of its map. */
function withBeside(
  text: string,
  { start, end, isQuoted }: Scalar,
  [key, value]: readonly [string, string],
): string {
  const entry = `${key}: ${spell(value)}`;
  const close = isQuoted ? end + 1 : end;
  const before = text.slice(text.lastIndexOf('\n', start) + 1, start);
  if (before.includes('{')) return `${text.slice(end, close)}, ${entry}${text.slice(close)}`;
  const indent = ' '.repeat(/^[\s-]*/.exec(before)?.[0].length ?? 0);
  const lineEnd = text.indexOf('\n', end);
  const at = lineEnd < 0 ? text.length : lineEnd;
  return `${text.slice(end, at)}\n${indent}${entry}${text.slice(at)}`;
}

/** `1.20` is a number and `on` is true: such a value needs quotes, or something else is read than was written. */
function spell(value: string): string {
  return wordOf(value) === value ? value : JSON.stringify(value);
}

function wordOf(value: string): unknown {
  try {
    const [document] = readYaml('value', `- ${value}`);
    return Array.isArray(document?.value) ? document.value[0] : undefined;
  } catch {
    return undefined;
  }
}
