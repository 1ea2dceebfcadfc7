import { createHmac } from 'node:crypto';
import type { LiveObject } from '../core/model/object.ts';
import type { LiveList } from '../core/ports.ts';
import { pageOf } from './api-object.ts';

/** How the API server begins a list of metadata. Its metadata hold text and numbers alone, none of them with a brace. */
const beginning =
  /^\{"kind":"PartialObjectMetadataList","apiVersion":"meta\.k8s\.io\/v1","metadata":(\{[^{}]*\}),(?="items":)/;
/** Far beyond where the items begin. */
const longestBeginning = 4096;

interface Reading {
  readonly named: { readonly apiVersion: string; readonly kind: string };
  readonly digestKey: Uint8Array;
  /** What to say of an answer that is no list. */
  readonly nonsense: () => Error;
}

/**
 * A list of metadata that came in one answer. The server spells equal lists alike, down to the byte, but for the version
 * of the list: whoever knows the digest of the rest need not have it parsed, which would be most of the work of a sweep.
 * Undefined for a part of a list, and for what begins otherwise.
 */
export function wholeList(bytes: Buffer, { named, digestKey, nonsense }: Reading): LiveList | undefined {
  const [head = '', metadata = ''] = beginning.exec(bytes.toString('latin1', 0, longestBeginning)) ?? [];
  if (head === '') return undefined;
  const own = pageOf({ metadata: parsedOf(metadata), items: [] }, named);
  if (own === undefined || own.next !== undefined) return undefined;
  const digest = createHmac('sha256', digestKey).update(bytes.subarray(head.length)).digest('hex');
  let items: readonly LiveObject[] | undefined;
  return {
    resourceVersion: own.resourceVersion,
    digest: `hmac:${digest}`,
    get items() {
      items ??= pageOf(parsedOf(bytes), named)?.items;
      if (items === undefined) throw nonsense();
      return items;
    },
  };
}

/** Undefined when it is no JSON. */
export function parsedOf(text: string | Buffer): unknown {
  try {
    return JSON.parse(text.toString('utf8'));
  } catch {
    return undefined;
  }
}
