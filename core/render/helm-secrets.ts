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
  const texts = values.filter((text) => text.length >= leastLength);
  const isSpilled =
    other === undefined
      ? (text: string) => texts.some((value) => text.includes(value))
      : (text: string, twin: string | undefined) => text !== twin && !checksum.test(text);
  const faults = rendered.objects.flatMap((object): Fault[] => {
    const key = refKey(refOf(object));
    const paths = spilled(openParts(object), openParts(others.get(key)), isSpilled);
    return paths.slice(0, mostPaths).map((path) => ({
      subject: rendered.origins[key] ?? describeRef(refOf(object)),
      message:
        `${describeRef(refOf(object))}: ${path} holds, or depends on, a value of a Secret that was looked up; ` +
        'refer to the Secret there, or render it into a Secret',
    }));
  });
  const [first] = faults;
  if (first !== undefined) throw new Stop(first, faults);
}

/** Everything of a Secret but its values. */
function openParts(object: KubeObject | undefined): Json | undefined {
  if (object === undefined || !isSecret(object)) return object;
  return Object.fromEntries(Object.entries(object).filter(([key]) => key !== 'data' && key !== 'stringData'));
}

type IsSpilled = (text: string, twin: string | undefined) => boolean;

/** Paths of leaves. */
function spilled(value: Json | undefined, twin: Json | undefined, is: IsSpilled, path = ''): string[] {
  if (Array.isArray(value)) {
    const items: readonly Json[] = Array.isArray(twin) ? twin : [];
    return value.flatMap((item: Json, index) => spilled(item, items[index], is, `${path}[${index}]`));
  }
  if (isJsonObject(value)) {
    const members = isJsonObject(twin) ? twin : {};
    return Object.entries(value).flatMap(([key, member]) =>
      spilled(member, members[key], is, path === '' ? key : `${path}.${key}`),
    );
  }
  return isLeaf(value) && is(String(value), isLeaf(twin) ? String(twin) : undefined) ? [path] : [];
}

function isLeaf(value: Json | undefined): value is string | number | boolean {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
}
