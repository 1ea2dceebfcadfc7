import * as z from 'zod';

/** A JSON value as the Kubernetes API exchanges it. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };
export type JsonObject = { readonly [key: string]: Json };

export const jsonSchema: z.ZodType<Json> = z.json();
export const jsonObjectSchema: z.ZodType<JsonObject> = z.record(z.string(), jsonSchema);

export function isJsonObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * The one spelling of a value that digests are taken of: keys sorted by code unit, no white space.
 * Two renders that mean the same give the same bytes, whatever order a renderer printed its keys in.
 */
export function canonicalJson(value: Json): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map((item: Json) => canonicalJson(item)).join(',')}]`;
  if (!isJsonObject(value)) return JSON.stringify(value);
  // Put together by hand: a check of everything spells some thousand objects.
  let text = '';
  for (const name of Object.keys(value).sort()) {
    const member = value[name];
    const spelt = member === undefined ? 'undefined' : canonicalJson(member);
    text += `${text === '' ? '' : ','}${JSON.stringify(name)}:${spelt}`;
  }
  return `{${text}}`;
}

/** Deep equality of JSON values; key order does not count. */
export function jsonEqual(a: Json | undefined, b: Json | undefined): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (isList(a) || isList(b)) {
    return isList(a) && isList(b) && a.length === b.length && a.every((item, at) => jsonEqual(item, b[at]));
  }
  const names = Object.keys(a);
  return (
    names.length === Object.keys(b).length &&
    names.every((name) => Object.hasOwn(b, name) && jsonEqual(a[name], b[name]))
  );
}

function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}
