import { annotations } from '../contract/kubernetes.ts';
import { isJsonObject, jsonEqual, type Json } from '../model/json.ts';
import type { KubeObject, LiveObject, ObjectRef } from '../model/object.ts';
import { isPrecious } from '../model/precious-kinds.ts';
import type { ImmutablePolicy } from '../model/rule.ts';

/** How validation says of a field that it cannot be changed: built-in kinds, and what custom kinds say by custom. */
const words = [
  /\bimmutable\b/i,
  /may not change once set/,
  /may not be changed/,
  /may not change fields other than/,
  /for fields other than/,
  /cannot (be changed|change roleRef)/,
  /updates to .{1,60} (is|are) forbidden/,
  /failed rule: self == oldSelf/,
];

/** One fault of a validation answer: a field, and what is wrong with it. */
const fault =
  /(?:^|[\s,[])([A-Za-z][\w-]*(?:\.[\w-]+|\[[^\]]*\])*): (?:Invalid value|Forbidden|Unsupported value|Required value|Duplicate value)\b/g;

/**
 * The fields that a server's answer calls unchangeable. Empty when anything else is wrong as well: an object that could
 * not be created either must not be deleted for it.
 */
export function immutableFields(message: string): readonly string[] {
  const faults = [...message.matchAll(fault)].map(({ index, 1: field = '' }) => ({ index, field }));
  const isImmutable = faults.map(({ index }, at) => {
    const text = message.slice(index, faults[at + 1]?.index);
    return words.some((pattern) => pattern.test(text));
  });
  return isImmutable.includes(false) ? [] : [...new Set(faults.map(({ field }) => field))];
}

/**
 * The same, as exact as can be told: some kinds (StatefulSet, PersistentVolumeClaim, Pod) only answer that `spec` may not
 * be changed. Then those of its members are named that Git gives another value, less what the answer allows.
 */
export function namedFields(
  fields: readonly string[],
  message: string,
  desired: KubeObject,
  live: LiveObject | undefined,
): readonly string[] {
  const exact = fields.flatMap((field) => {
    const [wanted, found] = [desired[field], live?.[field]];
    if (!isJsonObject(wanted) || !isJsonObject(found)) return [field];
    const changed = Object.entries(wanted)
      .filter(([name, value]) => !holds(found[name], value) && !message.includes(`'${name}'`))
      .map(([name]) => `${field}.${name}`);
    return changed.length === 0 ? [field] : changed;
  });
  return [...new Set(exact)];
}

/** Whether all of the wanted value is there; what the server adds by itself is no difference. */
function holds(found: Json | undefined, wanted: Json): boolean {
  if (isJsonObject(wanted) && isJsonObject(found)) {
    return Object.entries(wanted).every(([name, value]) => holds(found[name], value));
  }
  if (Array.isArray(wanted) && Array.isArray(found)) {
    const items: readonly Json[] = wanted;
    const others: readonly Json[] = found;
    return items.length === others.length && items.every((item, place) => holds(others[place], item));
  }
  return jsonEqual(found, wanted);
}

/** What to do: the policy, save that what holds other people's data is made again only where the object itself says so. */
export function recreation(policy: ImmutablePolicy, ref: ObjectRef, object: KubeObject): ImmutablePolicy {
  const isAsked = object.metadata.annotations?.[annotations.immutable] !== undefined;
  return isPrecious(ref) && !isAsked ? 'fail' : policy;
}

/** What a person can do about it. */
export function immutableText(fields: readonly string[], ref: ObjectRef): string {
  const named = `${fields.join(', ')} cannot be changed on an object that exists`;
  const orphan = ref.kind === 'StatefulSet' ? ' (or orphan-and-recreate, which leaves its pods alone)' : '';
  const how = `${annotations.immutable}: recreate`;
  if (isPrecious(ref)) {
    return `${named}; put the old value back into Git, or give the object the annotation ${how}, and all that it holds is lost`;
  }
  return (
    `${named}; put the old value back into Git, or let it be deleted and made again with the annotation ${how}${orphan}, ` +
    'or with a rule (immutable)'
  );
}
