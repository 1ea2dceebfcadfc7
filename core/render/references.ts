import { base64, utf8 } from '@scure/base';
import { Stop, type Fault } from '../errors.ts';
import { isJsonObject, type Json } from '../model/json.ts';
import { describeRef, refKey, refOf, type KubeObject } from '../model/object.ts';
import { parseReference } from '../model/secret-reference.ts';
import type { SopsFiles } from '../model/sops.ts';

interface Placed {
  readonly objects: readonly KubeObject[];
  readonly origins: { readonly [objectKey: string]: string };
  readonly sops?: SopsFiles;
}

const ours = /ref\+aws(?:secrets|ssm):\/\//;
const isOurs = /^ref\+aws(?:secrets|ssm):\/\/\S+$/;

/**
 * Throws Stop with every reference that could not be followed when it is applied: misspelt ones, and those that stand
 * where a value would show. What SOPS encrypted is opened later, and never read as a reference.
 */
export function assertReferences({ objects, origins, sops = {} }: Placed): void {
  const faults = objects.flatMap((object): readonly Fault[] => {
    const key = refKey(refOf(object));
    const subject = origins[key] ?? describeRef(refOf(object));
    return faultsIn(object, sops[key] !== undefined).map((message) => ({
      subject,
      message: `${describeRef(refOf(object))}: ${message}`,
    }));
  });
  const [first] = faults;
  if (first !== undefined) throw new Stop(first, faults);
}

function faultsIn(object: KubeObject, isSealed: boolean): readonly string[] {
  if (object.apiVersion !== 'v1' || object.kind !== 'Secret') return misplaced(object);
  const { data, stringData, ...rest } = object;
  if (isSealed) return misplaced(rest);
  return [
    ...misplaced(rest),
    ...valuesOf(data, decoded).flatMap(([key, text]) => misspelt(`data.${key}`, text)),
    ...valuesOf(stringData, (text) => text).flatMap(([key, text]) => misspelt(`stringData.${key}`, text)),
  ];
}

function valuesOf(
  members: Json | undefined,
  textOf: (value: string) => string,
): readonly (readonly [string, string])[] {
  if (!isJsonObject(members)) return [];
  return Object.entries(members).flatMap(([key, value]) =>
    typeof value === 'string' ? [[key, textOf(value)] as const] : [],
  );
}

/** What is no base64 has been refused, or will be. */
function decoded(value: string): string {
  try {
    return utf8.encode(base64.decode(value.replaceAll(/[\r\n]/g, '')));
  } catch {
    return '';
  }
}

function misspelt(path: string, text: string): readonly string[] {
  const parsed = parseReference(text);
  if (parsed?.kind === 'fault') return [`${path} ${parsed.fault}`];
  // A whole file in a Secret may be for another tool, which reads its references itself.
  if (parsed !== undefined || !ours.test(text) || text.trim().includes('\n')) return [];
  return [
    `${path} holds a reference among other text, which is not put in; refer to a whole value, or keep the whole text there`,
  ];
}

function misplaced(value: Json): readonly string[] {
  return pathsOf(value, []).map(
    (path) =>
      `${path} is a reference, which is read in data and stringData of a Secret alone: elsewhere the value would show in the cluster`,
  );
}

function pathsOf(value: Json, path: readonly string[]): readonly string[] {
  if (typeof value === 'string') return isOurs.test(value) ? [path.join('.')] : [];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, member]) => pathsOf(member, [...path, key]));
}
