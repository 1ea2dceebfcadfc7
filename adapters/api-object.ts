import { isJsonObject, type Json } from '../core/model/json.ts';
import type { LiveObject } from '../core/model/object.ts';

/** One page of a list; `next` continues it. */
export interface ListPage {
  readonly resourceVersion: string;
  readonly items: readonly LiveObject[];
  readonly next: string | undefined;
}

/**
 * Whether an answer is a live object. Looked at by hand and not copied, as everything in this file: a sweep reads tens of
 * thousands of these, and a schema would cost more than the request.
 */
export function isLive(body: unknown): body is LiveObject {
  return (
    isObject(body) &&
    typeof body['apiVersion'] === 'string' &&
    typeof body['kind'] === 'string' &&
    hasIdentity(body['metadata'])
  );
}

/** A dry run of a creation answers with an object that has no resourceVersion; it is empty then. */
export function bornDry(body: unknown): unknown {
  if (!isObject(body) || !isObject(body['metadata'])) return body;
  return { ...body, metadata: { resourceVersion: '', ...body['metadata'] } };
}

/** Items of a list name neither version nor kind, so `named` is put on them. Undefined when the body is no list. */
export function pageOf(
  body: unknown,
  named: { readonly apiVersion: string; readonly kind: string },
): ListPage | undefined {
  if (!isObject(body) || !isObject(body['metadata'])) return undefined;
  const { resourceVersion, continue: next } = body['metadata'];
  const listed: unknown = body['items'] ?? [];
  if (!Array.isArray(listed) || typeof resourceVersion !== 'string') return undefined;
  const items: LiveObject[] = [];
  for (const item of listed as readonly unknown[]) {
    const live: unknown = isObject(item) ? { ...item, ...named } : item;
    if (!isLive(live)) return undefined;
    items.push(live);
  }
  return { resourceVersion, items, next: typeof next === 'string' && next !== '' ? next : undefined };
}

function hasIdentity(metadata: Json | undefined): boolean {
  return (
    isJsonObject(metadata) &&
    typeof metadata['name'] === 'string' &&
    typeof metadata['uid'] === 'string' &&
    typeof metadata['resourceVersion'] === 'string'
  );
}

/** Bodies come out of JSON.parse, so an object among them is a JSON object. */
function isObject(value: unknown): value is { readonly [key: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
