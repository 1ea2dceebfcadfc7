import { isJsonObject, type Json, type JsonObject } from '../core/model/json.ts';
import type { LiveObject } from '../core/model/object.ts';
import { isLive } from './api-object.ts';

/**
 * Lists of metadata as the API server spells them in protobuf: half its work of JSON. Read is what `metav1` has for them,
 * into the members that the JSON of the same object has.
 */

/** What every answer in protobuf begins with. */
const magic = Buffer.from('k8s\0');

/** Where in an answer its list is, and what the list says of itself. */
interface Envelope {
  readonly resourceVersion: string;
  /** Set where this is a part of a list. */
  readonly next: string;
  /** Where the items begin. */
  readonly start: number;
  readonly end: number;
}

/** Undefined when the answer is something else. */
export function envelopeOf(bytes: Buffer): Envelope | undefined {
  if (!bytes.subarray(0, magic.length).equals(magic)) return undefined;
  const outer = new Reader(bytes, magic.length, bytes.length);
  for (let field = outer.next(); field !== undefined; field = outer.next()) {
    if (field.number !== 2) continue;
    const inner = new Reader(bytes, field.start, field.end);
    const metadata = inner.next();
    if (metadata?.number !== 1) return undefined;
    const [resourceVersion = '', next = ''] = textsOf(bytes, metadata, [2, 3]);
    return { resourceVersion, next, start: metadata.end, end: field.end };
  }
  return undefined;
}

/** The message and the reason of a Status, which stands in place of an answer; the text where it is none. */
export function faultIn(bytes: Buffer): unknown {
  if (!bytes.subarray(0, magic.length).equals(magic)) return bytes.toString('utf8');
  const status = fieldsOf(bytes, { start: magic.length, end: bytes.length }).find(
    (each) => each.number === 2,
  );
  const [message = '', reason = ''] = status === undefined ? [] : textsOf(bytes, status, [3, 4]);
  return { kind: 'Status', ...(message !== '' && { message }), ...(reason !== '' && { reason }) };
}

/** Throws RangeError when the bytes are none. Undefined where an item is no object. */
export function itemsOf(
  bytes: Buffer,
  { start, end }: Pick<Envelope, 'start' | 'end'>,
  named: { readonly apiVersion: string; readonly kind: string },
): readonly LiveObject[] | undefined {
  const items: LiveObject[] = [];
  for (const item of fieldsOf(bytes, { start, end })) {
    if (item.number !== 2) continue;
    const own = fieldsOf(bytes, item).find(({ number }) => number === 1);
    const live: unknown = own && { metadata: objectOf(bytes, own, objectMeta), ...named };
    if (!isLive(live)) return undefined;
    items.push(live);
  }
  return items;
}

interface Span {
  readonly start: number;
  readonly end: number;
}

interface Field extends Span {
  readonly number: number;
  /** Of a number; 0 for all else. */
  readonly value: number;
}

/** Reads the fields of one message, one after the other. */
class Reader {
  readonly #bytes: Buffer;
  readonly #end: number;
  #place: number;

  constructor(bytes: Buffer, place: number, end: number) {
    this.#bytes = bytes;
    this.#place = place;
    this.#end = end;
  }

  next(): Field | undefined {
    if (this.#place >= Math.min(this.#end, this.#bytes.length)) return undefined;
    const tag = this.#varint();
    const number = Math.floor(tag / 8);
    if (tag % 8 === 0) {
      const start = this.#place;
      return { number, value: this.#varint(), start, end: this.#place };
    }
    // Nothing in metadata is of any other type.
    if (tag % 8 !== 2) throw new RangeError('a field of metadata that is neither a number nor text');
    const length = this.#varint();
    const start = this.#place;
    this.#place += length;
    return { number, value: 0, start, end: this.#place };
  }

  #varint(): number {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = this.#bytes[this.#place];
      if (byte === undefined) throw new RangeError('the answer broke off');
      this.#place += 1;
      value += (byte % 128) * scale;
      if (byte < 128) return value;
    }
  }
}

function fieldsOf(bytes: Buffer, { start, end }: Span): Field[] {
  const reader = new Reader(bytes, start, end);
  const fields: Field[] = [];
  for (let field = reader.next(); field !== undefined; field = reader.next()) fields.push(field);
  return fields;
}

function textOf(bytes: Buffer, { start, end }: Span): string {
  return bytes.toString('utf8', start, end);
}

function textsOf(bytes: Buffer, span: Span, numbers: readonly number[]): string[] {
  const fields = fieldsOf(bytes, span);
  return numbers.map((number) => {
    const field = fields.find((each) => each.number === number);
    return field === undefined ? '' : textOf(bytes, field);
  });
}

type Read = (bytes: Buffer, field: Field) => Json;

const number: Read = (_, { value }) => value;
const boolean: Read = (_, { value }) => value !== 0;
/** Seconds since the epoch, as JSON spells them. */
const time: Read = (bytes, field) => {
  const seconds = fieldsOf(bytes, field).find((each) => each.number === 1)?.value ?? 0;
  return new Date(seconds * 1000).toISOString().replace('.000Z', 'Z');
};
const object =
  (members: Members): Read =>
  (bytes, field) =>
    objectOf(bytes, field, members);
/** JSON inside of protobuf: the API server keeps it as it is. */
const fieldSet: Read = (bytes, field) => {
  const raw = fieldsOf(bytes, field).find((each) => each.number === 1);
  return raw === undefined ? {} : (JSON.parse(textOf(bytes, raw)) as Json);
};
const entry: Read = (bytes, field) => {
  const [key = '', value = ''] = textsOf(bytes, field, [1, 2]);
  return { [key]: value };
};

/** By number: name, how it is read, and how it is repeated. Empty text stands for no member. */
type Members = Readonly<Record<number, readonly [name: string, read: Read, many?: 'list' | 'map']>>;

const owner: Members = {
  1: ['kind', textOf],
  3: ['name', textOf],
  4: ['uid', textOf],
  5: ['apiVersion', textOf],
  6: ['controller', boolean],
  7: ['blockOwnerDeletion', boolean],
};
const managed: Members = {
  1: ['manager', textOf],
  2: ['operation', textOf],
  3: ['apiVersion', textOf],
  4: ['time', time],
  6: ['fieldsType', textOf],
  7: ['fieldsV1', fieldSet],
  8: ['subresource', textOf],
};
const objectMeta: Members = {
  1: ['name', textOf],
  2: ['generateName', textOf],
  3: ['namespace', textOf],
  5: ['uid', textOf],
  6: ['resourceVersion', textOf],
  7: ['generation', number],
  8: ['creationTimestamp', time],
  9: ['deletionTimestamp', time],
  10: ['deletionGracePeriodSeconds', number],
  11: ['labels', entry, 'map'],
  12: ['annotations', entry, 'map'],
  13: ['ownerReferences', object(owner), 'list'],
  14: ['finalizers', textOf, 'list'],
  17: ['managedFields', object(managed), 'list'],
};

function objectOf(bytes: Buffer, span: Span, members: Members): JsonObject {
  const found: Record<string, Json> = {};
  for (const field of fieldsOf(bytes, span)) {
    const member = members[field.number];
    if (member === undefined) continue;
    const [name, read, many] = member;
    const value = read(bytes, field);
    const before = found[name];
    if (many === 'list') found[name] = [...(Array.isArray(before) ? (before as readonly Json[]) : []), value];
    else if (many === 'map') found[name] = { ...(isJsonObject(before) ? before : {}), ...Object(value) };
    else if (value !== '' && !(name === 'generation' && value === 0)) found[name] = value;
  }
  return found;
}
