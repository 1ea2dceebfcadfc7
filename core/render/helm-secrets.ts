import { Stop, type Fault } from '../errors.ts';
import { isJsonObject, type Json } from '../model/json.ts';
import { describeRef, refKey, refOf, type KubeObject } from '../model/object.ts';
import { isSecret } from '../read-lookup.ts';
import type { PlacedObjects } from './manifests.ts';

/** Shorter ones stand in many a text by chance. */
const leastLength = 8;
/** Of one object. */
const mostPaths = 3;
/** As `sha256sum` and its like write them: a rollout with each change of a Secret is what they are for. */
const checksum = /^(?:[0-9a-f]{32}|[0-9a-f]{40}|[0-9a-f]{64}|[0-9a-f]{128})$/;
/** In place of what a fault must not quote. */
const hidden = '…';

/**
 * Throws Stop where a value of a looked-up Secret comes to stand outside of a Secret, where anybody may read it: in the
 * cluster, in a snapshot, in a diff. `other` is the same render with other values in these Secrets; where there could be
 * none, the values themselves are looked for.
 */
export function assertSecretsStay(
  rendered: PlacedObjects,
  other: PlacedObjects | undefined,
  values: readonly string[],
): void {
  const others = new Map((other?.objects ?? []).map((object) => [refKey(refOf(object)), object]));
  const search = searchFor(values, other !== undefined);
  const faults = rendered.objects.flatMap((object): Fault[] => {
    const key = refKey(refOf(object));
    const twin = others.get(key);
    const isAlone = other !== undefined && twin === undefined;
    const paths = isAlone
      ? ['its name, or that it is there,']
      : spilled(openParts(object), openParts(twin), search);
    const named = nameFor(object, isAlone, search);
    return paths.slice(0, mostPaths).map((path) => ({
      subject: rendered.origins[key] ?? named,
      message:
        `${named}: ${path} holds, or depends on, a value of a Secret that was looked up; ` +
        'refer to the Secret there, or render it into a Secret',
    }));
  });
  const [first] = faults;
  if (first !== undefined) throw new Stop(first, faults);
}

interface Search {
  /** Of a key or the text of a leaf; `twin`: what stands there in the other render. */
  readonly isSpilled: (text: string, twin: string | undefined) => boolean;
  /** Whether it must not be quoted. */
  readonly isKnown: (text: string) => boolean;
}

function searchFor(values: readonly string[], hasTwin: boolean): Search {
  const texts = values.filter((text) => text.length >= leastLength);
  const folded = texts.map((text) => text.toLowerCase());
  const isKnown = (text: string) => texts.some((value) => text.includes(value));
  // A token may be as many hex digits as a checksum, or be cut to them.
  const isChecksum = (text: string) =>
    checksum.test(text) && !folded.some((value) => text.includes(value) || value.includes(text));
  return { isKnown, isSpilled: hasTwin ? (text, twin) => text !== twin && !isChecksum(text) : isKnown };
}

function nameFor(object: KubeObject, isAlone: boolean, { isKnown }: Search): string {
  const { name, namespace, ...rest } = refOf(object);
  const shown = (text: string) => (isAlone || isKnown(text) ? hidden : text);
  return describeRef({
    ...rest,
    name: shown(name),
    ...(namespace !== undefined && { namespace: shown(namespace) }),
  });
}

/** Everything of a Secret but its values; the keys of them are for all to read. */
function openParts(object: KubeObject | undefined): Json | undefined {
  if (object === undefined || !isSecret(object)) return object;
  return Object.fromEntries(
    Object.entries(object).map(([key, value]) => [
      key,
      (key === 'data' || key === 'stringData') && isJsonObject(value) ? withoutValues(value) : value,
    ]),
  );
}

function withoutValues(members: { readonly [key: string]: Json }): Json {
  return Object.fromEntries(Object.keys(members).map((key) => [key, null]));
}

/** Paths of leaves, and of maps by their keys. */
function spilled(value: Json | undefined, twin: Json | undefined, search: Search, path = ''): string[] {
  if (Array.isArray(value)) {
    const items: readonly Json[] = Array.isArray(twin) ? twin : [];
    return value.flatMap((item: Json, index) => spilled(item, items[index], search, `${path}[${index}]`));
  }
  if (isJsonObject(value)) {
    const members = isJsonObject(twin) ? twin : {};
    return Object.entries(value).flatMap(([key, member]) => {
      const isShared = Object.hasOwn(members, key);
      const isHidden = search.isKnown(key) || (!isShared && search.isSpilled(key, undefined));
      const below = [path, isHidden ? hidden : key].filter((segment) => segment !== '').join('.');
      if (search.isSpilled(key, isShared ? key : undefined)) return [below];
      return spilled(member, isShared ? members[key] : undefined, search, below);
    });
  }
  return isLeaf(value) && search.isSpilled(String(value), isLeaf(twin) ? String(twin) : undefined)
    ? [path]
    : [];
}

function isLeaf(value: Json | undefined): value is string | number | boolean {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
}
