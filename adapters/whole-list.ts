import { createHmac } from 'node:crypto';
import type { LiveObject } from '../core/model/object.ts';
import type { LiveList } from '../core/ports.ts';
import { pageOf } from './api-object.ts';
import { envelopeOf, itemsOf } from './protobuf-list.ts';

/** How the API server begins a list of metadata in JSON. Its own metadata hold text and numbers alone, none with a brace. */
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

/** A list in the spelling that it came in. */
interface Spelt {
  readonly resourceVersion: string;
  /** All that follows on the metadata of the list itself. */
  readonly rest: Buffer;
  readonly read: () => readonly LiveObject[] | undefined;
}

/**
 * A list of metadata that came in one answer. The server spells equal lists alike, down to the byte, but for the version of
 * the list: whoever knows the digest of the rest need not have it parsed, which would be most of the work of a sweep.
 * Undefined for a part of a list, and for what begins otherwise.
 */
export function wholeList(bytes: Buffer, { named, digestKey, nonsense }: Reading): LiveList | undefined {
  const spelt = inProtobuf(bytes, named) ?? inJson(bytes, named);
  if (spelt === undefined) return undefined;
  const digest = createHmac('sha256', digestKey).update(spelt.rest).digest('hex');
  let items: readonly LiveObject[] | undefined;
  return {
    resourceVersion: spelt.resourceVersion,
    digest: `hmac:${digest}`,
    get items() {
      items ??= orNone(spelt.read);
      if (items === undefined) throw nonsense();
      return items;
    },
  };
}

function inProtobuf(bytes: Buffer, named: Reading['named']): Spelt | undefined {
  const found = orNone(() => envelopeOf(bytes));
  if (found === undefined || found.next !== '') return undefined;
  const { resourceVersion, start } = found;
  return { resourceVersion, rest: bytes.subarray(start), read: () => itemsOf(bytes, found, named) };
}

function inJson(bytes: Buffer, named: Reading['named']): Spelt | undefined {
  const [head = '', metadata = ''] = beginning.exec(bytes.toString('latin1', 0, longestBeginning)) ?? [];
  if (head === '') return undefined;
  const own = orNone(() => pageOf({ metadata: JSON.parse(metadata) as unknown, items: [] }, named));
  if (own === undefined || own.next !== undefined) return undefined;
  const read = () => pageOf(JSON.parse(bytes.toString('utf8')), named)?.items;
  return { resourceVersion: own.resourceVersion, rest: bytes.subarray(head.length), read };
}

/** Undefined where the bytes are not what they seem. */
function orNone<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof RangeError) return undefined;
    throw error;
  }
}
