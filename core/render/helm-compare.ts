import type { Fault } from '../errors.ts';
import { isJsonObject, jsonEqual, type Json } from '../model/json.ts';
import { describeRef, refKey, refOf, type KubeObject } from '../model/object.ts';
import { findingWords, type Finding } from './helm-lint.ts';
import type { PlacedObjects } from './manifests.ts';

const maxPaths = 5;
const maxFunctions = 4;

/**
 * Objects that two renderings of one input do not agree on, with the paths, never the values, and with the functions
 * that are to blame as far as templates tell.
 */
export function differences(one: PlacedObjects, other: PlacedObjects, findings: readonly Finding[]): readonly Fault[] {
  const others = new Map(other.objects.map((object) => [refKey(refOf(object)), object]));
  const seen = new Set(one.objects.map((object) => refKey(refOf(object))));
  const changed = one.objects.flatMap((object) => {
    const key = refKey(refOf(object));
    const twin = others.get(key);
    if (twin === undefined) return [faultOf(object, one.origins[key], 'is there in one rendering and not in the next', findings)];
    const paths = changedPaths(object, twin);
    if (paths.length === 0) return [];
    const more = paths.length > maxPaths ? ` and ${paths.length - maxPaths} more` : '';
    const what = `${paths.slice(0, maxPaths).join(', ')}${more} differ${paths.length === 1 ? 's' : ''} from one rendering to the next`;
    return [faultOf(object, one.origins[key], what, findings)];
  });
  const added = other.objects.filter((object) => !seen.has(refKey(refOf(object))));
  // Of a name that is random, the two are one and the same object.
  return changed.length > 0 ? changed : added.map((object) => faultOf(object, undefined, 'is there in one rendering only', findings));
}

function faultOf(object: KubeObject, origin: string | undefined, what: string, findings: readonly Finding[]): Fault {
  const subject = origin ?? describeRef(refOf(object));
  const volatile = findings.filter(({ kind }) => kind === 'random' || kind === 'time');
  const own = volatile.filter(({ place }) => place.startsWith(`${subject}:`));
  const blamed = own.length > 0 ? own : volatile;
  const names = blamed.slice(0, maxFunctions).map(({ name, place }) => `${name} in ${place}`);
  const why = names.length === 0 ? '' : ` (${names.join('; ')}${blamed.length > maxFunctions ? '; …' : ''})`;
  const message =
    `${describeRef(refOf(object))}: ${what}${why}; set the value that the chart would generate, ` +
    'or helm.nondeterministic: ignore where a change at each rendering does no harm';
  return { subject, message };
}

function changedPaths(one: Json, other: Json, path = ''): string[] {
  if (jsonEqual(one, other)) return [];
  if (isJsonObject(one) && isJsonObject(other)) {
    return [...new Set([...Object.keys(one), ...Object.keys(other)])].flatMap((name) =>
      changedMembers(one[name], other[name], path === '' ? name : `${path}.${name}`),
    );
  }
  if (Array.isArray(one) && Array.isArray(other) && one.length === other.length) {
    return one.flatMap((item: Json, index) => changedMembers(item, other[index], `${path}[${index}]`));
  }
  return [path];
}

function changedMembers(one: Json | undefined, other: Json | undefined, path: string): string[] {
  return one === undefined || other === undefined
    ? one === other ? [] : [path]
    : changedPaths(one, other, path);
}

/** What the lint found, for people: once for each function and file. */
export function lintWarnings(findings: readonly Finding[]): readonly Fault[] {
  return findings.map(({ kind, name, place }) => ({ subject: place, message: `${name} ${findingWords[kind]}` }));
}
