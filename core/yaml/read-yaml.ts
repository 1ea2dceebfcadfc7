import { EVENT_ID, YAMLException, constructFromEvents, type Event } from 'js-yaml';
import { Stop } from '../errors.ts';
import type { Json } from '../model/json.ts';
import { Refused, kubernetesSchema } from './kubernetes-schema.ts';
import { Places } from './line-of.ts';
import { parseSource, type ParsedSource } from './parse-source.ts';

/** One document of a file, and where its parts stand in it. */
export interface YamlDocument {
  readonly value: Json;
  /** `apps/web/deployment.yaml:12`, of the document or of the part at a path. */
  place(path?: readonly PropertyKey[]): string;
}

/** An alias is cheap to write and dear to expand: nine lines of nine aliases each are 400 million values. */
const maxValues = 2_000_000;
const maxDepth = 1_000;

/**
 * Documents of a YAML or JSON file, read as kubectl reads them, empty ones left out.
 * Throws Stop with file and line, and never with content: the file may hold a secret.
 */
export function readYaml(file: string, text: string): readonly YamlDocument[] {
  const sources = told(file, 0, () => parseSource(file, text));
  return sources.flatMap((source) => told(file, source.linesAbove, () => documentsOf(file, source)));
}

function told<T>(file: string, linesAbove: number, read: () => T): T {
  try {
    return read();
  } catch (error) {
    // Neither message nor cause of js-yaml's error may pass on: both quote the lines around the fault.
    if (!(error instanceof YAMLException)) throw error;
    const line = error.mark === undefined ? '' : `:${linesAbove + error.mark.line + 1}`;
    throw new Stop({ subject: `${file}${line}`, message: `cannot be read as YAML: ${error.reason}` });
  }
}

function documentsOf(file: string, source: ParsedSource): readonly YamlDocument[] {
  const { text, linesAbove } = source;
  const events = [...source.events];
  const places = new Places(text, events);
  const values = constructFromEvents(events, { source: text, schema: kubernetesSchema() });
  return documentStarts(events).flatMap((start, index) => {
    const value = values[index];
    if (value === undefined || value === null) return [];
    const place = (path: readonly PropertyKey[] = []): string =>
      `${file}:${linesAbove + places.lineOf(start, path)}`;
    return [{ value: asJson(value, place()), place }];
  });
}

/** Index of the root node of each document; behind the end for an empty one. */
function documentStarts(events: readonly Event[]): number[] {
  return events.flatMap(({ type }, index) => (type === EVENT_ID.DOCUMENT ? [index + 1] : []));
}

/** The schema builds nothing but JSON; what is checked here is how much of it there is once aliases are expanded. */
function asJson(value: unknown, place: string): Json {
  let left = maxValues;
  const walk = (part: unknown, depth: number): part is Json => {
    left -= 1;
    if (left < 0 || depth > maxDepth) {
      const message = `holds more than ${maxValues} values, or itself, once its aliases are expanded`;
      throw new Stop({ subject: place, message: `${message}; write them out or split the file` });
    }
    if (typeof part === 'string') return whole(part, place);
    if (typeof part !== 'object' || part === null) return true;
    if (!Array.isArray(part)) for (const key of Object.keys(part)) assertKey(key, place);
    return Object.values(part).every((member) => walk(member, depth + 1));
  };
  if (!(value instanceof Refused) && walk(value, 0)) return value;
  throw new Stop({ subject: place, message: 'is a single value that JSON has no word for' });
}

/** Half of a pair of surrogates is no text, and a server stores something else. */
function whole(text: string, place: string): true {
  if (text.isWellFormed()) return true;
  throw new Stop({ subject: place, message: 'holds half of a Unicode character; write all of it' });
}

/** JavaScript would lose it on the way, somewhere. */
function assertKey(key: string, place: string): void {
  if (key === '__proto__') throw new Stop({ subject: place, message: 'has a key __proto__; rename it' });
  whole(key, place);
}
