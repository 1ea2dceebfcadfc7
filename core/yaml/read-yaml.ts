import { EVENT_ID, YAMLException, constructFromEvents, parseEvents, type Event } from 'js-yaml';
import { Stop } from '../errors.ts';
import type { Json } from '../model/json.ts';
import { Refused, kubernetesSchema } from './kubernetes-schema.ts';
import { Places } from './line-of.ts';

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
  try {
    const events = parseEvents(text, { filename: file });
    const places = new Places(text, events);
    const values = constructFromEvents(events, { source: text, schema: kubernetesSchema() });
    return documentStarts(events).flatMap((start, index) => {
      const value = values[index];
      if (value === undefined || value === null) return [];
      const place = (path: readonly PropertyKey[] = []): string => `${file}:${places.lineOf(start, path)}`;
      return [{ value: asJson(value, place()), place }];
    });
  } catch (error) {
    // Neither message nor cause of js-yaml's error may pass on: both quote the lines around the fault.
    if (!(error instanceof YAMLException)) throw error;
    const line = error.mark === undefined ? '' : `:${error.mark.line + 1}`;
    throw new Stop({ subject: `${file}${line}`, message: `cannot be read as YAML: ${error.reason}` });
  }
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
    if (typeof part !== 'object' || part === null) return true;
    return Object.values(part).every((member) => walk(member, depth + 1));
  };
  if (!(value instanceof Refused) && walk(value, 0)) return value;
  throw new Stop({ subject: place, message: 'is a single value that JSON has no word for' });
}
