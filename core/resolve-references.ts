import { utf8ToBytes } from '@noble/hashes/utils.js';
import { base64, utf8 } from '@scure/base';
import { Blocked, Retry, messageOf } from './errors.ts';
import { isJsonObject } from './model/json.ts';
import type { KubeObject } from './model/object.ts';
import {
  parseReference,
  pinned,
  placeText,
  type ReferencedValue,
  type Rotation,
  type SecretPlace,
  type SecretReference,
  type SecretVersions,
} from './model/secret-reference.ts';
import type { ReferencedValues } from './ports.ts';

/** A reference and the key of `data` that holds it. */
export interface KeyedReference {
  readonly key: string;
  readonly reference: SecretReference;
}

/** How every value begins, in base64, that begins with `ref+`: most Secrets are not even decoded. */
const begins = 'cmVmK';

/** What a canonical Secret refers to, by key of its `data`. */
export function referencesIn({ apiVersion, kind, data }: KubeObject): readonly KeyedReference[] {
  if (apiVersion !== 'v1' || kind !== 'Secret' || !isJsonObject(data)) return [];
  return Object.entries(data).flatMap(([key, value]) => {
    if (typeof value !== 'string' || !value.startsWith(begins)) return [];
    // What no render of now lets pass is left as it is: it was applied so before references were read.
    const parsed = parseReference(utf8.encode(base64.decode(value)));
    return parsed?.kind === 'reference' ? [{ key, reference: parsed.reference }] : [];
  });
}

/** Values of one run or one sweep: each is asked for once, whoever refers to it, and all see the same version. */
export class SharedValues implements ReferencedValues {
  readonly #values: ReferencedValues | undefined;
  readonly #asked = new Map<string, Promise<ReferencedValue>>();

  constructor(values: ReferencedValues | undefined) {
    this.#values = values;
  }

  async read(place: SecretPlace): Promise<ReferencedValue> {
    const name = placeText(place);
    const asked = this.#asked.get(name) ?? this.#ask(place);
    this.#asked.set(name, asked);
    return asked;
  }

  async #ask(place: SecretPlace): Promise<ReferencedValue> {
    if (this.#values !== undefined) return this.#values.read(place);
    throw new Blocked({
      subject: placeText(place),
      message: 'cannot be read: nothing here reads references',
    });
  }
}

/** An object that refers to values; `subject` is what faults are about. */
interface Referring {
  readonly object: KubeObject;
  readonly references: readonly KeyedReference[];
  readonly subject: string;
}

/** An object with its values in the clear. Never store or log it. */
export interface ResolvedValues {
  readonly object: KubeObject;
  readonly versions: SecretVersions;
}

/**
 * Puts the values in place of the references: those of now, save where `kept` names the version that was applied. Throws
 * Blocked and Retry, naming object, key and place.
 */
export async function resolveReferences(
  referring: Referring,
  values: ReferencedValues,
  kept: SecretVersions = {},
): Promise<ResolvedValues> {
  const data: Record<string, string> = {};
  const versions: Record<string, string> = {};
  for (const { key, reference } of referring.references) {
    const { place, path } = reference;
    const name = placeText(place);
    const version = kept[name];
    const about = `${referring.subject}: data.${key}: ${name}`;
    const read = await readFor(about, values, version === undefined ? place : pinned(place, version));
    data[key] = valueAt(path, read, about);
    versions[name] = read.version;
  }
  const before = isJsonObject(referring.object['data']) ? referring.object['data'] : {};
  return { object: { ...referring.object, data: { ...before, ...data } }, versions };
}

/** What an exact check compares an object with. */
export interface AppliedValues {
  /** With the versions that were applied; the reason in words where those cannot be had. */
  readonly applied: KubeObject | string;
  /** Whatever has another version by now. */
  readonly rotations: readonly Rotation[];
}

/**
 * An object as it was applied, and what was rotated since: that is a change which waits, and nobody's drift. Asks for an
 * earlier version only where the current one is another.
 */
export async function resolveAsApplied(
  referring: Referring,
  values: ReferencedValues,
  versions: SecretVersions = {},
): Promise<AppliedValues> {
  const rotations: Rotation[] = [];
  try {
    const kept: Record<string, string> = {};
    for (const { key, reference } of referring.references) {
      const place = placeText(reference.place);
      const { version: current } = await readFor(
        `${referring.subject}: data.${key}: ${place}`,
        values,
        reference.place,
      );
      const applied = versions[place];
      if (applied === current) continue;
      if (!rotations.some((rotation) => rotation.place === place))
        rotations.push({ place, current, applied });
      if (applied !== undefined) kept[place] = applied;
    }
    const { object } = await resolveReferences(referring, values, kept);
    return { applied: object, rotations };
  } catch (error) {
    if (!(error instanceof Blocked) && !(error instanceof Retry)) throw error;
    return { applied: messageOf(error), rotations };
  }
}

/** Faults of the port name the place; here they name who needs it as well. */
async function readFor(
  subject: string,
  values: ReferencedValues,
  place: SecretPlace,
): Promise<ReferencedValue> {
  try {
    return await values.read(place);
  } catch (error) {
    const message = messageOf(error).replace(/^ref\+\S+: /, '');
    if (error instanceof Retry) {
      const { afterSeconds } = error;
      throw new Retry({
        subject,
        message,
        cause: error,
        ...(afterSeconds !== undefined && { afterSeconds }),
      });
    }
    if (error instanceof Blocked) throw new Blocked({ subject, message, cause: error });
    throw error;
  }
}

/** As `data` holds it. Never quotes the value, nor what a parser says of it. */
function valueAt(path: readonly string[], { value }: ReferencedValue, subject: string): string {
  if (path.length === 0) return base64.encode(typeof value === 'string' ? utf8ToBytes(value) : value);
  const refuse = (message: string) => new Blocked({ subject, message });
  if (typeof value !== 'string') throw refuse('is binary, and has no keys; leave out what stands behind #');
  let found: unknown;
  try {
    found = JSON.parse(value, asWritten);
  } catch {
    throw refuse('is no JSON, and has no keys; leave out what stands behind #, or store a JSON object');
  }
  for (const [index, key] of path.entries()) {
    const shown = `/${path.slice(0, index + 1).join('/')}`;
    if (!isObject(found)) throw refuse(`has no ${shown}: what is above it is no JSON object`);
    if (!Object.hasOwn(found, key))
      throw refuse(`has no key ${shown}; mend the key behind #, or add it there`);
    found = found[key];
  }
  const text = textOf(found);
  if (text === undefined) throw refuse(`has no text at /${path.join('/')}; store it as a string`);
  return base64.encode(utf8ToBytes(text));
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Numbers as they stand in the JSON: JavaScript would make 1 of a version 1.0, and drop digits of long ones. */
function asWritten(_key: string, value: unknown, context?: { readonly source?: string }): unknown {
  return typeof value === 'number' ? context?.source : value;
}

/** Ports and flags are stored as they stand there. */
function textOf(value: unknown): string | undefined {
  return typeof value === 'boolean' ? String(value) : typeof value === 'string' ? value : undefined;
}
