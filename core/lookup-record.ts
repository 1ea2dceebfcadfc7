import { digestOf, keyedDigest } from './model/digest.ts';
import { canonicalJson, isJsonObject, type Json, type JsonObject } from './model/json.ts';
import {
  lookupKey,
  type Lookup,
  type LookupAnswer,
  type LookupRecord,
  type LookupWish,
  type StoredLookup,
} from './model/lookup.ts';
import type { KubeObject } from './model/object.ts';
import type { Sealer } from './ports.ts';
import { isSecret, type ReadLookup } from './read-lookup.ts';
import type { KnownLookups } from './render/context.ts';

/** As whom lookups are read, as records spell it. */
export function speakerOf(as: LookupWish['as']): string {
  return as === undefined ? '' : JSON.stringify([as.user, ...as.groups]);
}

/**
 * An answer as it may rest: what is secret of Secrets is encrypted, and the digest tells equal ones without a key. `old`
 * itself where it is the same: sealing that again would look like news, and take a data key.
 */
export async function sealLookup(
  read: ReadLookup,
  old: LookupAnswer | undefined,
  sealer: Sealer,
): Promise<LookupAnswer> {
  if (read.found === 'nothing') return isSame(old, read) ? old : read;
  const digest = await digestOfLookup(read.objects, sealer);
  const { found, namespaced } = read;
  if (isSame(old, { found, digest })) return old;
  const bare = { found, namespaced, digest, seen: [...read.seen] };
  if (!read.objects.some(isSecret)) return { ...bare, objects: read.objects.map((object) => ({ object })) };
  const { key, wrapped } = await sealer.newDataKey('lookup');
  const objects = read.objects.map((object): StoredLookup => {
    const { secret, open } = parted(object);
    return secret === undefined
      ? { object: open }
      : { object: open, sealed: sealer.encrypt(key, JSON.stringify(secret)) };
  });
  return { ...bare, objects, wrappedKey: wrapped };
}

async function digestOfLookup(objects: readonly KubeObject[], sealer: Sealer): Promise<string> {
  const digestKey = objects.some(isSecret) ? await sealer.digestKey() : undefined;
  const masked = objects.map((object) => {
    const { secret, open } = parted(object);
    return secret === undefined || digestKey === undefined
      ? open
      : { open, secret: keyedDigest(digestKey, canonicalJson(secret)) };
  });
  return digestOf([...masked]);
}

async function openLookup(
  answer: LookupAnswer,
  sealer: Pick<Sealer, 'unwrap' | 'decrypt'>,
): Promise<ReadLookup> {
  if (answer.found === 'nothing') return answer;
  const { found, namespaced, seen, wrappedKey } = answer;
  const key = wrappedKey === undefined ? undefined : await sealer.unwrap(wrappedKey, 'lookup');
  const objects = answer.objects.map(({ object, sealed }) =>
    key === undefined || sealed === undefined
      ? object
      : joined(object, JSON.parse(sealer.decrypt(key, sealed))),
  );
  return { found, namespaced, objects, seen };
}

/** Annotations of Secrets too, since tools keep copies there. */
function parted(object: KubeObject): { readonly open: KubeObject; readonly secret?: JsonObject } {
  if (!isSecret(object)) return { open: object };
  const { data = null, metadata, ...rest } = object;
  const { annotations = null, ...meta } = metadata;
  const { apiVersion, kind } = object;
  const open = { ...rest, apiVersion, kind, metadata: { ...meta, name: metadata.name } };
  return { open, secret: { data, annotations } };
}

function joined(object: KubeObject, secret: Json): KubeObject {
  if (!isJsonObject(secret)) return object;
  const { data = null, annotations } = secret;
  const own = isJsonObject(annotations)
    ? Object.entries(annotations).flatMap(([key, text]) => (typeof text === 'string' ? [[key, text]] : []))
    : undefined;
  const metadata = { ...object.metadata, ...(own && { annotations: Object.fromEntries(own) }) };
  return { ...object, metadata, ...(data !== null && { data }) };
}

type Told =
  | { readonly found: 'objects'; readonly digest: string }
  | { readonly found: 'nothing'; readonly message: string };

/** Whether two answers are the same to a template. */
function isSame(one: LookupAnswer | undefined, other: Told): one is LookupAnswer {
  if (one?.found === 'objects' && other.found === 'objects') return one.digest === other.digest;
  return one?.found === 'nothing' && other.found === 'nothing' && one.message === other.message;
}

/** What was looked up for an application, as a render may ask for it. */
export class StoredLookups implements KnownLookups {
  readonly #record: LookupRecord;
  readonly #sealer: Pick<Sealer, 'unwrap' | 'decrypt'>;

  constructor(record: LookupRecord, sealer: Pick<Sealer, 'unwrap' | 'decrypt'>) {
    this.#record = record;
    this.#sealer = sealer;
  }

  get digest(): string {
    const { answers, held = false } = this.#record;
    const told = Object.entries(answers).map(([key, answer]): [string, string] => [
      key,
      answer.found === 'objects' ? answer.digest : answer.message,
    ]);
    return digestOf({ held, answers: Object.fromEntries(told) });
  }

  isHeld(made: string): boolean {
    return this.#record.held === true && this.#record.made === made;
  }

  async open(lookup: Lookup): Promise<ReadLookup | undefined> {
    const key = lookupKey(lookup);
    const { answers } = this.#record;
    const answer = Object.hasOwn(answers, key) ? answers[key] : undefined;
    return answer && openLookup(answer, this.#sealer);
  }
}
