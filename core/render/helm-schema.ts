import { Stop, type Fault } from '../errors.ts';
import { isJsonObject, type Json, type JsonObject } from '../model/json.ts';
import type { ChartFiles } from '../ports.ts';
import { decodeText } from './helm-chart.ts';
import { shownAddress } from './kustomize-path.ts';

/** Into the schema itself, or to a draft, which Helm brings along. */
const ownRef = /^(?:#|https?:\/\/json-schema\.org\/)/;
/**
 * Ids name a schema and open nothing. But Helm reads some again without a part of theirs (`?` at the end, `file:/x`), takes
 * that for another schema, and opens it. Those here keep their form, and have no address of this machine.
 */
const harmlessId = /^(?:[\w.-]*|https?:\/\/(?:[a-z0-9-]+\.)+[a-z]{2,}(?:\/[\w.~/-]*)?)(?:#.*)?$/i;

/** Whether Helm checks values by a file, in a chart or in one below it. */
export function isValuesSchema(path: string): boolean {
  return /(?:^|\/)values\.schema\.json$/.test(path);
}

/**
 * Helm opens what a schema refers to, be it any file of this machine or a server on it, for which Go asks no proxy, and
 * quotes what it finds. Throws Stop for references out of a schema; `placeOf` names a file for people.
 */
export function assertOwnSchemas(files: ChartFiles, placeOf: (path: string) => string): void {
  const faults = [...files].flatMap(([path, bytes]) =>
    isValuesSchema(path) ? schemaFaults(placeOf(path), bytes) : [],
  );
  const [first] = faults;
  if (first !== undefined) throw new Stop(first, faults);
}

function schemaFaults(subject: string, bytes: Uint8Array): readonly Fault[] {
  const objects = objectsOf(bytes);
  if (objects === undefined) return [{ subject, message: 'is no JSON; mend it' }];
  const isDraft4 = objects.some(({ $schema }) => typeof $schema === 'string' && $schema.includes('draft-04'));
  const why = (field: string, text: string): string | undefined => {
    switch (field) {
      case '$ref':
      case '$dynamicRef':
      case '$recursiveRef':
        return ownRef.test(text)
          ? undefined
          : 'leads out of the schema, and nothing else is read; copy it in';
      case '$schema':
        return ownRef.test(text) ? undefined : 'is no draft of json-schema.org; name one';
      case '$id':
      case 'id':
        if (harmlessId.test(text) || (field === 'id' && !isDraft4)) return undefined;
        return 'is an id that Helm could open; remove it';
      default:
        return undefined;
    }
  };
  return objects.flatMap((object) =>
    Object.entries(object).flatMap(([field, text]) => {
      if (typeof text !== 'string') return [];
      const message = why(field, text);
      if (message === undefined) return [];
      return [{ subject, message: `${field}: ${shownAddress(text.slice(0, 200))} ${message}` }];
    }),
  );
}

/** Every object of a JSON text, at any depth, which a stranger may have made deeper than a stack. */
function objectsOf(bytes: Uint8Array): readonly JsonObject[] | undefined {
  const objects: JsonObject[] = [];
  try {
    // A schema of zod would leave out members with the name of a prototype, which Go reads.
    const parsed: Json = JSON.parse((decodeText(bytes) ?? '').replace(/^\uFEFF/, ''));
    const left: Json[] = [parsed];
    for (let value = left.pop(); value !== undefined; value = left.pop()) {
      if (isJsonObject(value)) objects.push(value);
      // No spread: a list may be longer than a call may have arguments.
      if (typeof value === 'object' && value !== null)
        for (const item of Object.values(value)) left.push(item);
    }
    return objects;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
