import { RE2JS } from 're2js';
import { isJsonObject, jsonEqual, type Json, type JsonObject } from '../model/json.ts';
import { itemsOf, objectsOf } from '../model/json-parts.ts';

/** One fault of a value; `path` as `kubectl explain` has it: `spec.replicas`, empty for the whole. */
export interface SchemaFault {
  readonly path: string;
  readonly text: string;
}

/** Finds what a `$ref` names. */
export type Definitions = (name: string) => JsonObject | undefined;

/** More faults of one object help nobody. */
const mostFaults = 10;

/**
 * What an API server that validates strictly (`fieldValidation=Strict`) would say of a value: OpenAPI as Kubernetes has it,
 * in the published definitions and in CustomResourceDefinitions. A null is an absent value. Formats, and rules in CEL of
 * definitions, are not looked at.
 */
export function validate(value: Json, schema: JsonObject, definitions: Definitions): readonly SchemaFault[] {
  return faultsOf(value, schema, { path: '', definitions, isStrict: true }).slice(0, mostFaults);
}

interface Place {
  readonly path: string;
  readonly definitions: Definitions;
  /** Whether fields that the schema does not have are faults: not in the branches of `anyOf` and its like. */
  readonly isStrict: boolean;
}

function faultsOf(value: Json | undefined, schema: JsonObject, at: Place): readonly SchemaFault[] {
  if (value === null || value === undefined) return [];
  const reference = schema['$ref'];
  if (typeof reference === 'string') {
    const definition = at.definitions(reference);
    return definition === undefined ? [] : faultsOf(value, definition, at);
  }
  const wanted = typesOf(schema);
  if (wanted.length > 0 && !wanted.some((type) => isOfType(value, type))) {
    return [{ path: at.path, text: `must be ${wordsOf(wanted)}, and is ${shown(value)}` }];
  }
  return [
    ...limitFaults(value, schema, at),
    ...(Array.isArray(value) ? listFaults(value, schema, at) : []),
    ...(isJsonObject(value) ? memberFaults(value, schema, at) : []),
    ...branchFaults(value, schema, { ...at, isStrict: false }),
  ];
}

function typesOf(schema: JsonObject): readonly string[] {
  if (schema['x-kubernetes-int-or-string'] === true) return ['integer', 'string'];
  const { type } = schema;
  if (typeof type === 'string') return [type];
  return itemsOf(type).filter((each) => typeof each === 'string');
}

function isOfType(value: Json, type: string): boolean {
  if (type === 'object') return isJsonObject(value);
  if (type === 'array') return Array.isArray(value);
  // Go reads a whole number into a field of integers, however it is spelled.
  if (type === 'integer') return typeof value === 'number' && Number.isInteger(value);
  return typeof value === type;
}

function wordsOf(types: readonly string[]): string {
  const article = (type: string) => (/^[aio]/.test(type) ? `an ${type}` : `a ${type}`);
  return types.map(article).join(' or ');
}

function shown(value: Json): string {
  if (Array.isArray(value)) return 'a list';
  if (isJsonObject(value)) return 'an object';
  const text = JSON.stringify(value);
  return `${typeof value === 'string' ? 'the string ' : ''}${text.length > 60 ? `${text.slice(0, 60)}…` : text}`;
}

function listFaults(list: readonly Json[], schema: JsonObject, at: Place): readonly SchemaFault[] {
  const { items } = schema;
  if (!isJsonObject(items)) return [];
  return list.flatMap((item, index) => {
    const name = isJsonObject(item) ? item['name'] : undefined;
    const key = typeof name === 'string' && at.isStrict ? `name=${name}` : index;
    return faultsOf(item, items, { ...at, path: `${at.path}[${key}]` });
  });
}

function memberFaults(value: JsonObject, schema: JsonObject, at: Place): readonly SchemaFault[] {
  const { properties, additionalProperties, required } = schema;
  const known = isJsonObject(properties) ? properties : {};
  const isOpen =
    schema['x-kubernetes-preserve-unknown-fields'] === true ||
    schema['x-kubernetes-embedded-resource'] === true ||
    additionalProperties === true;
  const missing = itemsOf(required)
    .filter((name) => typeof name === 'string')
    .filter((name) => value[name] === undefined || value[name] === null)
    .map((name) => ({ path: memberPath(at.path, name), text: 'is required' }));
  const members = Object.entries(value).flatMap(([name, member]): readonly SchemaFault[] => {
    const path = memberPath(at.path, name);
    const own = Object.hasOwn(known, name) ? known[name] : undefined;
    if (isJsonObject(own)) return faultsOf(member, own, { ...at, path });
    if (isJsonObject(additionalProperties)) return faultsOf(member, additionalProperties, { ...at, path });
    // A schema that says nothing of members takes any.
    if (!at.isStrict || isOpen || properties === undefined) return [];
    const near = nearest(name, Object.keys(known));
    return [{ path, text: `is not a field${near === undefined ? '' : `; did you mean ${near}?`}` }];
  });
  return [...missing, ...members];
}

/** The field that a typing error was made in: a letter more, less or other, or two in the wrong order. */
function nearest(name: string, known: readonly string[]): string | undefined {
  const plain = name.toLowerCase();
  return known.find((field) => isNear(plain, field.toLowerCase()));
}

function isNear(a: string, b: string): boolean {
  if (a.length < 4 || Math.abs(a.length - b.length) > 1) return false;
  let same = 0;
  while (same < a.length && a[same] === b[same]) same += 1;
  const [left, right] = [a.slice(same), b.slice(same)];
  const isSwapped = left[0] === right[1] && left[1] === right[0] && left.slice(2) === right.slice(2);
  return isSwapped || left.slice(1) === right.slice(1) || left.slice(1) === right || left === right.slice(1);
}

/** What definitions of custom kinds combine schemas by; fields that a branch does not name are no fault of it. */
function branchFaults(value: Json, schema: JsonObject, at: Place): readonly SchemaFault[] {
  const { allOf, anyOf, oneOf, not } = schema;
  const texts: string[] = [];
  const fitting = (branches: Json): number =>
    objectsOf(branches).filter((branch) => faultsOf(value, branch, at).length === 0).length;
  if (anyOf !== undefined && fitting(anyOf) === 0) texts.push('fits none of what the definition allows here');
  // Once: a definition may nest them as deep as it likes.
  const fits = oneOf === undefined ? 1 : fitting(oneOf);
  if (fits === 0) texts.push('fits none of what the definition allows here');
  if (fits > 1) texts.push('fits several of what the definition allows one of here');
  if (isJsonObject(not) && faultsOf(value, not, at).length === 0)
    texts.push('is what the definition rules out');
  const ofAll = objectsOf(allOf).flatMap((branch) => faultsOf(value, branch, at));
  return [...ofAll, ...texts.map((text) => ({ path: at.path, text }))];
}

function limitFaults(value: Json, schema: JsonObject, { path }: Place): readonly SchemaFault[] {
  const texts: string[] = [];
  const { enum: choices } = schema;
  if (Array.isArray(choices) && !choices.some((choice: Json) => jsonEqual(choice, value)))
    texts.push(
      `must be one of ${choices.map((choice: Json) => JSON.stringify(choice)).join(', ')}, and is ${shown(value)}`,
    );
  if (typeof value === 'number') texts.push(...numberLimits(value, schema));
  texts.push(...sizeLimits(value, schema));
  const { pattern } = schema;
  if (typeof value === 'string' && typeof pattern === 'string' && !fitsPattern(value, pattern))
    texts.push(`must fit ${pattern}, and is ${shown(value)}`);
  return texts.map((text) => ({ path, text }));
}

function sizeLimits(value: Json, schema: JsonObject): readonly string[] {
  if (typeof value === 'string')
    return outside(() => Array.from(value).length, schema['minLength'], schema['maxLength'], 'characters');
  if (Array.isArray(value))
    return outside(() => value.length, schema['minItems'], schema['maxItems'], 'items');
  if (!isJsonObject(value)) return [];
  return outside(
    () => Object.keys(value).length,
    schema['minProperties'],
    schema['maxProperties'],
    'members',
  );
}

/** `size` is only asked for where there is a limit: most values have none. */
function outside(
  size: () => number,
  least: Json | undefined,
  most: Json | undefined,
  noun: string,
): readonly string[] {
  if (typeof least === 'number' && size() < least) return [`must have at least ${least} ${noun}`];
  if (typeof most === 'number' && size() > most) return [`must have ${most} ${noun} at most`];
  return [];
}

function numberLimits(value: number, schema: JsonObject): readonly string[] {
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum } = schema;
  const isBelow =
    typeof minimum === 'number' && (value < minimum || (exclusiveMinimum === true && value === minimum));
  const isAbove =
    typeof maximum === 'number' && (value > maximum || (exclusiveMaximum === true && value === maximum));
  return [
    ...(isBelow
      ? [`must be ${exclusiveMinimum === true ? 'above' : 'at least'} ${minimum}, and is ${value}`]
      : []),
    ...(isAbove
      ? [`must be ${exclusiveMaximum === true ? 'below' : 'at most'} ${maximum}, and is ${value}`]
      : []),
  ];
}

/** RE2, as the API server has it: a pattern of a stranger's definition cannot take for ever. */
function fitsPattern(value: string, pattern: string): boolean {
  try {
    return RE2JS.compile(pattern).test(value);
  } catch {
    // The server refuses the definition; that is told of the definition, and not of each of its objects.
    return true;
  }
}

function memberPath(path: string, name: string): string {
  if (!/^[\w-]+$/.test(name)) return `${path}["${name}"]`;
  return path === '' ? name : `${path}.${name}`;
}
