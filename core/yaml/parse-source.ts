import { EVENT_ID, SCALAR_STYLE, YAMLException, parseEvents, type Event } from 'js-yaml';
import { Stop } from '../errors.ts';

/** A part of a file that was parsed by itself, and the number of lines above it. */
export interface ParsedSource {
  readonly text: string;
  readonly events: readonly Event[];
  readonly linesAbove: number;
}

/** Of one file; what it takes of memory is up to a hundred times as much. */
const maxCharacters = 16 * 1024 * 1024;
/** Lines that are put further to the right, and what is parsed again for it. */
const maxMended = 200;
const maxAgain = 32 * 1024 * 1024;

/** A parser that follows YAML 1.2 to the letter, brought to what kubectl takes. Throws Stop and YAMLException. */
export function parseSource(file: string, text: string): readonly ParsedSource[] {
  if (text.length > maxCharacters) {
    const message = `is ${text.length} characters long, and ${maxCharacters} are read at once; split it`;
    throw new Stop({ subject: file, message });
  }
  // Files that were put together, each with a mark of its own.
  const plain = text.replaceAll(/^(---[^\n]*\n)\ufeff/gm, '$1');
  const isJson = /^\ufeff?\s*\{/.test(plain);
  if (!isJson) refuseUnicodeBreaks(file, plain);
  try {
    return [parseMended(file, plain)];
  } catch (error) {
    const objects = isJson && error instanceof YAMLException ? jsonObjects(plain) : [];
    if (objects.length < 2) throw error;
    return objects.map(({ text: one, linesAbove }) => ({ ...parsedObject(one, error), linesAbove }));
  }
}

/** YAML 1.1 ends lines at these too, 1.2 does not: whatever they mean, somebody reads it differently. */
function refuseUnicodeBreaks(file: string, text: string): void {
  const at = text.search(/[\u0085\u2028\u2029]/);
  if (at < 0) return;
  const code = text.charCodeAt(at).toString(16).toUpperCase().padStart(4, '0');
  const line = text.slice(0, at).split('\n').length;
  const message = `holds U+${code}, which kubectl takes for the end of a line; write it as \\u${code.toLowerCase()} in double quotes`;
  throw new Stop({ subject: `${file}:${line}`, message });
}

/**
 * A bracket or a quoted text may go on, or end, as far to the left as it likes: `]` below the key is what people write.
 * js-yaml wants it further to the right, where it means the same; so there it is put.
 */
function parseMended(file: string, text: string): ParsedSource {
  let mended = text;
  for (let left = Math.min(maxMended, maxAgain / text.length); ; left -= 1) {
    try {
      const events = parseEvents(mended, { filename: file });
      refuseLostDocuments(file, mended, events);
      refuseTightSigns(file, mended, events);
      return { text: mended, events, linesAbove: 0 };
    } catch (error) {
      const start = left > 0 ? deficientLine(error, mended) : undefined;
      if (start === undefined) throw error;
      const indent = ' '.repeat(deepestIndent(mended) + 1);
      mended = `${mended.slice(0, start)}${indent}${mended.slice(start)}`;
    }
  }
}

/** Where the line begins that js-yaml wants further to the right; undefined for any other fault. */
function deficientLine(error: unknown, text: string): number | undefined {
  if (!(error instanceof YAMLException) || error.reason !== 'deficient indentation') return undefined;
  const { mark } = error;
  if (mark === undefined) return undefined;
  const start = text.lastIndexOf('\n', mark.position - 1) + 1;
  // Only of a line that goes on what an earlier one began: to move any other would change what it belongs to.
  const goesOn = /^[ \t]*$/.test(text.slice(start, mark.position));
  // In a quoted text too, kubectl takes it for the end of the document.
  const isSeparator = /^(?:---|\.\.\.)/.test(text.slice(mark.position, mark.position + 3));
  return goesOn && !isSeparator ? start : undefined;
}

function deepestIndent(text: string): number {
  return text.split('\n').reduce((most, line) => Math.max(most, line.search(/[^-? ]|$/)), 0);
}

/** What stands behind `...` without a `---` is another document to YAML, and nothing at all to kubectl. */
function refuseLostDocuments(file: string, text: string, events: readonly Event[]): void {
  const documents = events.flatMap((event, index) =>
    event.type === EVENT_ID.DOCUMENT ? [{ event, next: events[index + 1] }] : [],
  );
  const lost = documents.findIndex(({ event }, index) => index > 0 && !event.explicitStart);
  if (lost < 0) return;
  const next = documents[lost]?.next;
  const offset = next !== undefined && 'start' in next ? next.start : text.length;
  const line = text.slice(0, offset).split('\n').length;
  const message = 'stands behind ... and without ---, where kubectl reads nothing; write --- before it';
  throw new Stop({ subject: `${file}:${line}`, message });
}

/** The first error tells the right line, should this be no JSON after all. */
function parsedObject(text: string, error: unknown): ParsedSource {
  try {
    return { text, events: parseEvents(text, {}), linesAbove: 0 };
  } catch {
    throw error;
  }
}

/** `{a:, b: c}` and `[?a]`: in brackets kubectl takes this colon for text, and this question mark for a key's. */
function refuseTightSigns(file: string, text: string, events: readonly Event[]): void {
  for (const event of events) {
    if (event.type !== EVENT_ID.SCALAR || event.style !== SCALAR_STYLE.PLAIN) continue;
    const { valueStart, valueEnd } = event;
    const isColon = text[valueEnd] === ':' && /[,[\]{}]/.test(text[valueEnd + 1] ?? '');
    const isQuestion =
      text[valueStart] === '?' && /[,[{]\s*$/.test(text.slice(Math.max(0, valueStart - 80), valueStart));
    if (!isColon && !isQuestion) continue;
    const line = text.slice(0, valueStart).split('\n').length;
    const what = isColon ? 'a colon right before a bracket or comma' : 'a question mark right before a text';
    throw new Stop({
      subject: `${file}:${line}`,
      message: `has ${what} in brackets; put a space there, or quotes`,
    });
  }
}

/** JSON texts one behind the other; none when it is anything else. */
function jsonObjects(text: string): { readonly text: string; readonly linesAbove: number }[] {
  const objects: { text: string; linesAbove: number }[] = [];
  let [start, depth, lines] = [0, 0, 0];
  for (const { 0: token, index } of text.matchAll(/"(?:[^"\\]+|\\.)*"|[{}[\]\n]/gs)) {
    if (token === '\n') lines += 1;
    if (token === '{' || token === '[') depth += 1;
    if (token === '}' || token === ']') depth -= 1;
    if (depth === 0 && token === '}') {
      const object = text.slice(start, index + 1);
      objects.push({ text: object, linesAbove: lines - (object.match(/\n/g)?.length ?? 0) });
      start = index + 1;
    }
  }
  return text.slice(start).trim() === '' ? objects : [];
}
