import { Stop, type Fault } from '../errors.ts';
import { isJsonObject, type Json } from '../model/json.ts';
import { describeRef, kubeObjectSchema, refKey, refOf, type KubeObject } from '../model/object.ts';
import type { Substitution } from '../model/substitute.ts';
import type { AskedFacts } from './context.ts';
import { BadExpression, MissingVariable, expand, isWhole, type Lookup } from './expand.ts';

/** An object that carries one of these, as label or annotation, is left as it is. */
const switches = ['trueup.dev/substitute', 'kustomize.toolkit.fluxcd.io/substitute'];

/** Fields whose members, or items, are text whatever they look like. */
const textFields = new Set([
  'labels',
  'annotations',
  'matchLabels',
  'nodeSelector',
  'args',
  'command',
  'value',
]);
const textFieldsOf: Readonly<Record<string, readonly string[]>> = {
  ConfigMap: ['data'],
  Secret: ['data', 'stringData'],
};

interface Placed {
  readonly objects: readonly KubeObject[];
  readonly origins: { readonly [objectKey: string]: string };
}

/**
 * Replaces the variables of rendered objects. Only variables that are used are asked for. Throws Stop with every fault:
 * a variable that is not there and has no default is one.
 */
export function substitute<R extends Placed>(rendered: R, wanted: Substitution, facts: AskedFacts): R {
  const lookup = lookupOf(wanted, facts);
  const faults: Fault[] = [];
  const origins: Record<string, string> = {};
  const objects = rendered.objects.map((object) => {
    const place = rendered.origins[refKey(refOf(object))];
    const changed = isSwitchedOff(object) ? object : changedObject(object, place, { lookup, facts, faults });
    const key = refKey(refOf(changed));
    if (place !== undefined) origins[key] = place;
    return changed;
  });
  faults.push(...twice(objects));
  const [first] = faults;
  if (first !== undefined) throw new Stop(first, faults);
  return { ...rendered, objects, origins };
}

function lookupOf({ variables, labels }: Substitution, facts: AskedFacts): Lookup {
  return (name) => {
    if (Object.hasOwn(variables, name)) return variables[name];
    const label = Object.hasOwn(labels, name) ? labels[name] : undefined;
    return (label === undefined ? undefined : facts.label(label)) ?? facts.variable(name);
  };
}

function isSwitchedOff({ metadata: { labels = {}, annotations = {} } }: KubeObject): boolean {
  return switches.some((name) => labels[name] === 'disabled' || annotations[name] === 'disabled');
}

interface Changing {
  readonly lookup: Lookup;
  readonly facts: AskedFacts;
  readonly faults: Fault[];
}

function changedObject(
  object: KubeObject,
  place: string | undefined,
  { lookup, facts, faults }: Changing,
): KubeObject {
  const subject = place ?? describeRef(refOf(object));
  const texts = new Set([...textFields, ...(textFieldsOf[object.kind] ?? [])]);
  const change = (value: Json, path: readonly string[], isText: boolean): Json => {
    if (typeof value === 'string') return changedText(value, path, isText);
    if (Array.isArray(value)) {
      return value.map((item: Json, index) => change(item, [...path, String(index)], isText));
    }
    if (!isJsonObject(value)) return value;
    const members = Object.entries(value).map(([key, member]): [string, Json] => {
      const at = [...path, key];
      return [expanded(key, at) ?? key, change(member, at, isText || texts.has(key))];
    });
    return Object.fromEntries(members);
  };
  const changedText = (text: string, path: readonly string[], isText: boolean): Json => {
    const value = expanded(text, path);
    if (value === undefined) return text;
    return isText || !isWhole(text) ? value : scalarOf(value);
  };
  /** Undefined where there is nothing to replace, or a fault. */
  const expanded = (text: string, path: readonly string[]): string | undefined => {
    if (!text.includes('${')) return undefined;
    try {
      return expand(text, lookup);
    } catch (error) {
      if (!(error instanceof BadExpression)) throw error;
      const where = facts.name() === undefined ? '' : ` for cluster ${facts.name()}`;
      const help = `${where}; give it in spec.source.substitute or in the stack configuration, or with a default`;
      const message = error instanceof MissingVariable ? error.message + help : error.message;
      faults.push({ subject, message: `${path.join('.')}: ${message}` });
      return undefined;
    }
  };
  const parsed = kubeObjectSchema.safeParse(change(object, [], false));
  if (parsed.success) return parsed.data;
  faults.push({ subject, message: 'is no object any more once its variables are replaced' });
  return object;
}

/** What YAML makes of a value that stands alone and has no quotes around it; never more than a scalar. */
function scalarOf(value: string): Json {
  const isJson = /^(?:true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?|"(?:[^"\\]|\\.)*")$/.test(
    value,
  );
  if (!isJson) return value;
  const parsed: Json = JSON.parse(value);
  return parsed;
}

/** Objects that only their variables made the same. */
function twice(objects: readonly KubeObject[]): Fault[] {
  const keys = objects.map((object) => refKey(refOf(object)));
  return objects.flatMap((object, index) => {
    if (keys.indexOf(keys[index] ?? '') === index) return [];
    const message = 'is there twice once variables are replaced; every object must have a name of its own';
    return [{ subject: describeRef(refOf(object)), message }];
  });
}
