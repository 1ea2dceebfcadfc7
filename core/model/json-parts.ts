import { isJsonObject, type Json, type JsonObject } from './json.ts';

/** Members of what may be anything: none of what is no object. */
export function membersOf(value: Json | undefined): JsonObject {
  return isJsonObject(value) ? value : {};
}

/** Items of what may be anything: none of what is no list. */
export function itemsOf(value: Json | undefined): readonly Json[] {
  return Array.isArray(value) ? value : [];
}

/** Those of the items that are objects. */
export function objectsOf(value: Json | undefined): readonly JsonObject[] {
  return itemsOf(value).filter(isJsonObject);
}

/** A text; empty for what is none. */
export function textOf(value: Json | undefined): string {
  return typeof value === 'string' ? value : '';
}
