import { base64nopad, utf8 } from '@scure/base';
import * as z from 'zod';

/** Where a value is kept: a secret of Secrets Manager, or a parameter of SSM. */
export interface SecretPlace {
  readonly store: 'awssecrets' | 'awsssm';
  /** Of a parameter with the slash that it begins with; of a secret its name or its ARN. */
  readonly name: string;
  /** A version that never changes: an id in Secrets Manager, a number in SSM. Absent: whichever is current. */
  readonly version?: string;
  /** Of a secret: a label that moves from version to version. */
  readonly stage?: string;
}

/** What a Secret holds in place of a value. */
export interface SecretReference {
  readonly place: SecretPlace;
  /** Into the value, which is a JSON object then; empty for the value as it is. */
  readonly path: readonly string[];
}

/** A value as it was read. Never store or log it. */
export interface ReferencedValue {
  readonly value: string | Uint8Array;
  readonly version: string;
}

/** Place, as `placeText` spells it, to the version that was read. */
export const secretVersionsSchema = z.record(z.string(), z.string());
export type SecretVersions = Readonly<z.infer<typeof secretVersionsSchema>>;

/** A place whose current version is not the one that was applied; that is absent where none was. */
export interface Rotation {
  readonly place: string;
  readonly current: string;
  readonly applied: string | undefined;
}

/** Fault: begins as a reference does, and is none that can be followed; never quotes what it holds. */
type Parsed =
  | { readonly kind: 'reference'; readonly reference: SecretReference }
  | { readonly kind: 'fault'; readonly fault: string };

const start = /^(?:secret)?ref\+([a-zA-Z0-9]*):\/\//;
const shape = /^ref\+(awssecrets|awsssm):\/\/([^?#\s]*)(?:\?([^#\s]*))?(?:#([^\s]*))?$/;
const secretName = /^(?:arn:aws[-a-z]*:secretsmanager:[-a-z0-9]+:[0-9]{12}:secret:)?[A-Za-z0-9/_=.@-]+$/;
const parameterName = /^[A-Za-z0-9/_.-]+$/;

/** Reads a value in the spelling of vals; undefined for one that is no reference. */
export function parseReference(text: string): Parsed | undefined {
  const scheme = start.exec(text)?.[1];
  if (scheme === undefined) return undefined;
  if (scheme !== 'awssecrets' && scheme !== 'awsssm') {
    return fault(`has the scheme ref+${scheme}, which is not read; use ref+awssecrets:// or ref+awsssm://`);
  }
  const [, store, name = '', query = '', fragment = ''] = shape.exec(text) ?? [];
  if (store === undefined) {
    return fault(
      'must be a reference and nothing else: no other text, no space and no line end around it, and no secretref',
    );
  }
  const options = new Map(query.split('&').flatMap((pair) => (pair === '' ? [] : [splitPair(pair)])));
  const path = pathOf(fragment);
  if (path === undefined) return fault('has a key behind # that is empty or not encoded as in a URL');
  return scheme === 'awssecrets' ? parseSecret(name, options, path) : parseParameter(name, options, path);
}

const anywhere = /ref\+aws(?:secrets|ssm):\/\//i;
/** A value in a Secret is base64 once; a template may decode it, or encode it, once more. */
const mostLayers = 4;

/** Whether a text holds a reference to a store, as it is or in base64, wherever it begins and in whatever case. */
export function holdsReference(text: string): boolean {
  let layer: string | undefined = text;
  for (let count = 0; layer !== undefined && count < mostLayers; count += 1) {
    if (anywhere.test(layer)) return true;
    layer = decoded(layer);
  }
  return false;
}

/** Of base64 with or without its padding and its line ends; undefined for anything else. */
function decoded(text: string): string | undefined {
  const bare = text.replaceAll(/\s/g, '').replace(/={1,2}$/, '');
  if (bare === '') return undefined;
  try {
    return utf8.encode(base64nopad.decode(bare));
  } catch {
    return undefined;
  }
}

function fault(text: string): Parsed {
  return { kind: 'fault', fault: text };
}

function splitPair(pair: string): [string, string] {
  const at = pair.indexOf('=');
  return at < 0 ? [pair, ''] : [pair.slice(0, at), pair.slice(at + 1)];
}

function pathOf(fragment: string): readonly string[] | undefined {
  if (fragment === '') return [];
  try {
    const path = fragment.replace(/^\//, '').split('/').map(decodeURIComponent);
    return path.includes('') ? undefined : path;
  } catch {
    return undefined;
  }
}

type Options = ReadonlyMap<string, string>;

/** Rights and regions are those of the installation: a reference cannot take on a role. */
function strangeOption(options: Options, known: readonly string[]): Parsed | undefined {
  const strange = [...options.keys()].find((option) => !known.includes(option));
  if (strange === undefined) return undefined;
  const shown = /^[a-z_]{1,30}$/.test(strange) ? `the option ${strange}` : 'an option';
  return fault(`has ${shown} that is not read; known are ${known.join(', ')}`);
}

function parseSecret(name: string, options: Options, path: readonly string[]): Parsed {
  if (!secretName.test(name)) {
    return fault('must name a secret, or give its ARN: letters, digits and / _ = . @ -');
  }
  const strange = strangeOption(options, ['version_id', 'version_stage']);
  if (strange !== undefined) return strange;
  const version = options.get('version_id');
  const stage = options.get('version_stage');
  if (version === '' || stage === '' || (version !== undefined && stage !== undefined)) {
    return fault('must name either a version_id or a version_stage, and not both');
  }
  const place = { store: 'awssecrets' as const, name, ...(version && { version }), ...(stage && { stage }) };
  return { kind: 'reference', reference: { place, path } };
}

function parseParameter(given: string, options: Options, path: readonly string[]): Parsed {
  const name = given.startsWith('/') ? given : `/${given}`;
  if (!parameterName.test(given) || name.endsWith('/')) {
    return fault('must name a parameter: letters, digits and / _ . -');
  }
  // SSM would read a secret in its place, past the list of secrets that are allowed.
  if (/^\/+aws\//i.test(name))
    return fault('must not name a parameter of AWS itself; for a secret write ref+awssecrets://');
  const strange = strangeOption(options, ['version', 'mode']);
  if (strange !== undefined) return strange;
  const version = options.get('version');
  if (version !== undefined && !/^[1-9][0-9]{0,9}$/.test(version))
    return fault('must give its version as a number');
  const isSingle = options.get('mode') === 'singleparam';
  if ((options.has('mode') && !isSingle) || (path.length > 0 && !isSingle)) {
    return fault(
      'must have ?mode=singleparam for a key behind #, which is one of the JSON in that parameter; other modes are not read',
    );
  }
  const place = { store: 'awsssm' as const, name, ...(version !== undefined && { version }) };
  return { kind: 'reference', reference: { place, path } };
}

/** Names a place in records, in the spelling of a reference. */
export function placeText({ store, name, version, stage }: SecretPlace): string {
  const fixed = store === 'awsssm' ? 'version' : 'version_id';
  const query = version === undefined ? '' : `?${fixed}=${version}`;
  return `ref+${store}://${name.replace(/^\//, '')}${stage === undefined ? query : `?version_stage=${stage}`}`;
}

/** The same place at the version that was read. */
export function pinned({ store, name }: SecretPlace, version: string): SecretPlace {
  return { store, name, version };
}

/** `ref+awssecrets://acme/db has version 2, applied is 1`. */
export function describeRotation({ place, current, applied }: Rotation): string {
  return `${place} has version ${current}, applied is ${applied ?? 'none'}`;
}

/** What was rotated from one set of versions to the other. */
export function rotationsBetween(
  applied: SecretVersions = {},
  current: SecretVersions = {},
): readonly Rotation[] {
  return Object.entries(current).flatMap(([place, version]) =>
    applied[place] === version ? [] : [{ place, current: version, applied: applied[place] }],
  );
}
