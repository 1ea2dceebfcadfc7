import type { Fault } from '../errors.ts';
import { isJsonObject, jsonEqual, type Json } from '../model/json.ts';
import type { LookupQuestion } from '../model/lookup.ts';
import { describeRef, refKey, refOf, type KubeObject } from '../model/object.ts';
import type { Finding } from './helm-lint.ts';
import { declarationOf } from './helm-lookups.ts';
import type { PlacedObjects } from './manifests.ts';

const maxPaths = 5;
const maxFunctions = 4;

/** An object that two renderings do not agree on. */
export interface Difference {
  readonly key: string;
  /** `Secret web` */
  readonly name: string;
  readonly place: string;
  /** Never the values; absent where the object itself is there in one rendering only. */
  readonly paths?: readonly string[];
}

export function differencesOf(one: PlacedObjects, other: PlacedObjects): readonly Difference[] {
  const others = new Map(other.objects.map((object) => [keyOf(object), object]));
  const keys = new Set(one.objects.map(keyOf));
  const changed = one.objects.flatMap((object) => {
    const twin = others.get(keyOf(object));
    if (twin === undefined) return [differenceOf(object, one)];
    const paths = changedPaths(object, twin);
    return paths.length === 0 ? [] : [{ ...differenceOf(object, one), paths }];
  });
  const added = other.objects.filter((object) => !keys.has(keyOf(object)));
  return [...changed, ...added.map((object) => differenceOf(object, other))];
}

function keyOf(object: KubeObject): string {
  return refKey(refOf(object));
}

function differenceOf(object: KubeObject, { origins }: PlacedObjects): Difference {
  const name = describeRef(refOf(object));
  return { key: keyOf(object), name, place: origins[keyOf(object)] ?? name };
}

/** What two renderings of one input differ in, with the functions that are to blame as far as templates tell. */
export function unstableFaults(
  differences: readonly Difference[],
  findings: readonly Finding[],
): readonly Fault[] {
  const volatile = findings.filter(({ kind }) => kind === 'random' || kind === 'time');
  return differences.map(({ name, place, paths }) => {
    const own = volatile.filter((finding) => finding.place.startsWith(`${place}:`));
    const why = blame(own.length > 0 ? own : volatile);
    const message =
      `${name}: ${what(paths)} from one rendering to the next${why}; set the value that the chart would generate, ` +
      'or helm.nondeterministic: ignore where a change at each rendering does no harm';
    return { subject: place, message };
  });
}

/** What depends on the answer of a cluster. `wished`: what templates ask it, as an Application would declare it. */
export function lookupFault(
  differences: readonly Difference[],
  lookups: readonly Finding[],
  wished: readonly string[],
): Fault {
  const [first] = lookups;
  const declare = wished.length === 0 ? 'what it looks up' : shortList(wished);
  const message =
    `lookup asks a cluster, which rendering has none of, and the answer decides over ${decided(differences)}${blame(lookups.slice(1))}; ` +
    `set the values that the chart looks for, declare ${declare} under helm.lookup, or say helm.lookup: empty to render as if nothing were found`;
  return { subject: first?.place ?? 'chart', message };
}

/** What templates ask that the Application does not declare. */
export function undeclaredFault(asked: readonly LookupQuestion[], namespace: string): Fault {
  const wished = asked.map((question) => declarationOf(question, namespace));
  return {
    subject: 'helm.lookup',
    message: `does not declare all that the chart looks up; add ${shortList(wished)}`,
  };
}

function decided(differences: readonly Difference[]): string {
  const shown = differences.slice(0, maxPaths).map(({ name }) => name);
  return shown.length === 0 ? 'whether it renders at all' : shown.join(', ');
}

const maxWished = 10;

function shortList(items: readonly string[]): string {
  return `${items.slice(0, maxWished).join(', ')}${items.length > maxWished ? ', …' : ''}`;
}

function blame(findings: readonly Finding[]): string {
  const names = findings.slice(0, maxFunctions).map(({ name, place }) => `${name} in ${place}`);
  if (names.length === 0) return '';
  return ` (${names.join('; ')}${findings.length > maxFunctions ? '; …' : ''})`;
}

function what(paths: readonly string[] | undefined): string {
  if (paths === undefined) return 'is there or not';
  const more = paths.length > maxPaths ? ` and ${paths.length - maxPaths} more` : '';
  return `${paths.slice(0, maxPaths).join(', ')}${more} differ${paths.length === 1 ? 's' : ''}`;
}

function changedPaths(one: Json | undefined, other: Json | undefined, path = ''): string[] {
  if (jsonEqual(one, other)) return [];
  if (isJsonObject(one) && isJsonObject(other)) {
    return [...new Set([...Object.keys(one), ...Object.keys(other)])].flatMap((name) =>
      changedPaths(one[name], other[name], path === '' ? name : `${path}.${name}`),
    );
  }
  if (Array.isArray(one) && Array.isArray(other) && one.length === other.length) {
    return one.flatMap((item: Json, index) => changedPaths(item, other[index], `${path}[${index}]`));
  }
  return [path];
}
