import { utf8ToBytes } from '@noble/hashes/utils.js';
import { base64, utf8 } from '@scure/base';
import { Stop, type Fault } from '../errors.ts';
import { digestOfBytes } from '../model/digest.ts';
import { isJsonObject, type Json } from '../model/json.ts';
import { everyNamespace, lookupKey, type Lookup, type LookupQuestion } from '../model/lookup.ts';
import type { KubeObject } from '../model/object.ts';
import { holdsReference } from '../model/secret-reference.ts';
import type { LookupReply } from '../ports.ts';
import { isSecret, type ReadLookup, type SeenObject } from '../read-lookup.ts';
import type { KnownLookups } from './context.ts';

/** What a render looked up, for its provenance: which objects, in which state, and never what is in them. */
export interface SeenLookup extends Lookup {
  /** Empty: there was no such object. */
  readonly seen: readonly SeenObject[];
}

interface Known {
  readonly lookup: Lookup;
  readonly answer: ReadLookup;
}

/** What is declared, all of it known, and what templates make of it. */
export class DeclaredLookups {
  readonly #known: readonly Known[];
  readonly #used = new Map<string, SeenLookup>();
  readonly #refused = new Map<string, Fault>();
  readonly #undeclared = new Map<string, LookupQuestion>();
  #servesSecrets = false;

  private constructor(known: readonly Known[]) {
    this.#known = known;
  }

  /** Throws Stop with all that is not known yet. `subject`: what the faults are about. */
  static async open(
    declared: readonly Lookup[],
    lookups: KnownLookups | undefined,
    subject: string,
  ): Promise<DeclaredLookups> {
    const known: Known[] = [];
    const faults: Fault[] = [];
    for (const lookup of declared) {
      const answer = await lookups?.open(lookup);
      if (answer !== undefined) known.push({ lookup, answer });
      else faults.push({ subject, message: notKnown(lookup) });
    }
    const [first] = faults;
    if (first !== undefined) throw new Stop(first, faults);
    return new DeclaredLookups(known);
  }

  /** For the templates; what is not declared is noted. `values`: those of Secrets, or others of the same length. */
  reply(question: LookupQuestion, values: 'true' | 'other' = 'true'): LookupReply {
    const known = this.#find(question);
    if (known === undefined) {
      this.#undeclared.set(questionKey(question), question);
      return nothing;
    }
    const { lookup, answer } = known;
    if (answer.found === 'nothing') return this.#refuse(lookup, answer.message);
    const { namespace, name } = question;
    // The API server has no object of a kind with namespaces outside of one.
    if (answer.namespaced && namespace === '' && name !== '') return nothing;
    this.#used.set(lookupKey(lookup), { ...lookup, seen: answer.seen });
    const isAnywhere = !answer.namespaced || namespace === '';
    const objects = answer.objects.filter(
      ({ metadata }) =>
        (name === '' || metadata.name === name) && (isAnywhere || metadata.namespace === namespace),
    );
    // Whoever may write to a namespace could otherwise have us read any secret that an installation may read.
    if (objects.some((object) => hasReference(object))) return this.#refuse(lookup, withReference);
    this.#servesSecrets ||= objects.some(isSecret);
    return { kind: 'objects', objects: values === 'other' ? objects.map(withOtherValues) : objects };
  }

  #refuse(lookup: Lookup, message: string): LookupReply {
    const fault = { subject: 'helm.lookup', message: `lookup of ${lookupKey(lookup)}: ${message}` };
    this.#refused.set(lookupKey(lookup), fault);
    return { kind: 'refused' };
  }

  #find({ apiVersion, kind, namespace, name }: LookupQuestion): Known | undefined {
    return this.#known.find(({ lookup, answer }) => {
      if (lookup.apiVersion !== apiVersion || lookup.kind !== kind) return false;
      if (lookup.name !== undefined && lookup.name !== name) return false;
      const isPlaced = answer.found === 'nothing' || answer.namespaced;
      const isElsewhere = isPlaced && ![namespace, everyNamespace].includes(lookup.namespace);
      return !isElsewhere || (namespace === '' && name !== '');
    });
  }

  get used(): readonly SeenLookup[] {
    return [...this.#used].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, seen]) => seen);
  }

  get refused(): readonly Fault[] {
    return [...this.#refused.values()];
  }

  get undeclared(): readonly LookupQuestion[] {
    return [...this.#undeclared.values()];
  }

  /** Whether templates were given any Secret. */
  get servesSecrets(): boolean {
    return this.#servesSecrets;
  }

  /** Values of Secrets, in the clear and as they stand in `data`. */
  get secretTexts(): readonly string[] {
    const objects = this.#known.flatMap(({ answer }) => (answer.found === 'objects' ? answer.objects : []));
    return objects
      .filter(isSecret)
      .flatMap(({ data }) => textsIn(data).flatMap((text) => [text, plain(text)]));
  }
}

const nothing: LookupReply = { kind: 'objects', objects: [] };

const withReference =
  'what was found holds a reference to Secrets Manager or SSM, which rendering could make one of the application; ' +
  'write that reference into the repository, or take it out of the cluster';

function hasReference(value: Json): boolean {
  if (typeof value === 'string') return holdsReference(value);
  if (typeof value !== 'object' || value === null) return false;
  return Object.entries(value).some(([key, member]) => holdsReference(key) || hasReference(member));
}

function notKnown(lookup: Lookup): string {
  return (
    `${lookupKey(lookup)} is not known yet: the next sweep of the cluster reads it, and then this is rendered by itself; ` +
    'where there is no sweep, name a kubeconfig'
  );
}

function questionKey({ apiVersion, kind, namespace, name }: LookupQuestion): string {
  return `${apiVersion} ${kind} ${namespace}/${name}`;
}

/** What to write into the Application for what templates asked. */
export function declarationOf(
  { apiVersion, kind, namespace, name }: LookupQuestion,
  namespaceOfApplication: string,
): string {
  if (namespace === '' && name === '')
    return `{ apiVersion: ${apiVersion}, kind: ${kind}, namespace: "${everyNamespace}" }`;
  const place = namespace === '' || namespace === namespaceOfApplication ? '' : `, namespace: ${namespace}`;
  return `{ apiVersion: ${apiVersion}, kind: ${kind}${place}${name === '' ? '' : `, name: ${name}`} }`;
}

/**
 * The same Secret with other values of the same length: what differs in a render depends on them. Annotations too, since
 * tools keep copies there.
 */
function withOtherValues(object: KubeObject): KubeObject {
  if (!isSecret(object)) return object;
  const { data, metadata } = object;
  const others = Object.entries(isJsonObject(data) ? data : {}).map(([key, value]): [string, Json] => {
    const text = typeof value === 'string' ? plain(value) : '';
    return [key, base64.encode(utf8ToBytes(otherText(key, text)))];
  });
  const annotations = Object.entries(metadata.annotations ?? {}).map(([key, text]): [string, string] => [
    key,
    otherText(key, text),
  ]);
  return {
    ...object,
    ...(isJsonObject(data) && { data: Object.fromEntries(others) }),
    metadata: { ...metadata, ...(metadata.annotations && { annotations: Object.fromEntries(annotations) }) },
  };
}

function otherText(key: string, text: string): string {
  const hex = digestOfBytes(utf8ToBytes(`${key} ${text}`)).slice('sha256:'.length);
  return hex.repeat(Math.ceil(text.length / hex.length)).slice(0, text.length);
}

function textsIn(data: Json | undefined): string[] {
  return isJsonObject(data) ? Object.values(data).filter((text) => typeof text === 'string') : [];
}

/** Of base64 as a Secret has it; what is no text stays as it is. */
function plain(text: string): string {
  try {
    return utf8.encode(base64.decode(text));
  } catch {
    return text;
  }
}
