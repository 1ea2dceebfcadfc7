import { isJsonObject, type Json } from '../model/json.ts';
import { digestOf } from '../model/digest.ts';
import type { KubeObject } from '../model/object.ts';
import type { FieldPath } from '../field-set.ts';

/** Keyed digest of a secret text (rule 9): equal texts give equal digests, and the text cannot be guessed from it. */
export type Mask = (secret: string) => string;

/** Longest value that goes into a record as it is, in characters of JSON: a definition's schema may have a megabyte. */
const longest = 1000;

const lastApplied = 'f:kubectl.kubernetes.io/last-applied-configuration';

/** Two values of one path, and the path. */
export interface Difference {
  readonly path: FieldPath;
  readonly desired?: Json | undefined;
  readonly live?: Json | undefined;
}

/** The difference as it may be recorded: secret values as keyed digests, long values narrowed to what differs or cut. */
export function showDifference(object: KubeObject, difference: Difference, mask: Mask): Difference {
  if (isSecret(object, difference.path)) {
    return { path: difference.path, ...mapValues(difference, (value) => masked(value, mask)) };
  }
  const narrowed = narrow(difference);
  return { path: narrowed.path, ...mapValues(narrowed, cut) };
}

function mapValues(
  { desired, live }: Difference,
  change: (value: Json) => Json,
): { desired?: Json; live?: Json } {
  return {
    ...(desired === undefined ? {} : { desired: change(desired) }),
    ...(live === undefined ? {} : { live: change(live) }),
  };
}

/**
 * Data of Secrets, and their annotations: tools keep a copy of the whole manifest there, each under its own name. Of
 * other kinds kubectl's copy alone is kept back: whatever it was applied with is in it.
 */
function isSecret({ apiVersion, kind }: KubeObject, path: FieldPath): boolean {
  const [root, part, annotation] = path;
  if (annotation === lastApplied) return true;
  if (apiVersion !== 'v1' || kind !== 'Secret') return false;
  return root === 'f:data' || root === 'f:stringData' || (root === 'f:metadata' && part === 'f:annotations');
}

function masked(value: Json, mask: Mask): Json {
  if (isJsonObject(value)) {
    return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, masked(member, mask)]));
  }
  return mask(typeof value === 'string' ? value : JSON.stringify(value));
}

/** Goes down into a long value as long as a single member of it differs: the path grows, the values shrink. */
function narrow(difference: Difference): Difference {
  const { path, desired, live } = difference;
  if (isShort(desired) && isShort(live)) return difference;
  const [differing, ...more] = membersOf(desired, live).filter(
    ([, a, b]) => JSON.stringify(a) !== JSON.stringify(b),
  );
  if (differing === undefined || more.length > 0) return difference;
  const [edge, a, b] = differing;
  return narrow({ path: [...path, edge], desired: a, live: b });
}

type Member = readonly [edge: string, desired: Json | undefined, live: Json | undefined];

function membersOf(desired: Json | undefined, live: Json | undefined): Member[] {
  if (isJsonObject(desired) && isJsonObject(live)) {
    const names = new Set([...Object.keys(desired), ...Object.keys(live)]);
    return [...names].map((name) => [`f:${name}`, desired[name], live[name]]);
  }
  if (isList(desired) && isList(live) && desired.length === live.length) {
    return desired.map((item, index) => [`i:${index}`, item, live[index]]);
  }
  return [];
}

function isList(value: Json | undefined): value is readonly Json[] {
  return Array.isArray(value);
}

function isShort(value: Json | undefined): boolean {
  return value === undefined || JSON.stringify(value).length <= longest;
}

function cut(value: Json): Json {
  const text = JSON.stringify(value);
  if (text.length <= longest) return value;
  return `${text.slice(0, longest)}… (${text.length} characters, ${digestOf(value)})`;
}
