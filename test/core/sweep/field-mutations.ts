import { isJsonObject, type Json, type JsonObject } from '../../../core/model/json.ts';
import type { OpenApi } from './open-api.ts';

/** One field that the schema names, and the objects that come of changing it, until the server takes one. */
export interface Mutation {
  readonly path: string;
  readonly candidates: readonly JsonObject[];
}

/** Gives the whole object with another value at a place; without the member where there is none. */
type Put = (value: Json | undefined) => JsonObject;

interface Place {
  readonly path: string;
  readonly name: string;
  readonly value: Json | undefined;
  readonly put: Put;
  readonly required: boolean;
  /** Names of the schemas above, against those that hold themselves. */
  readonly above: readonly string[];
}

/** A changed object for every field that the schema of a kind names, metadata and status left out. */
export function mutationsOf(api: OpenApi, schema: JsonObject, live: JsonObject): readonly Mutation[] {
  const root: Put = (value) => (isJsonObject(value) ? value : {});
  const place = { path: '', name: '', value: live, put: root, required: true, above: [] };
  const skipped = new Set(['apiVersion', 'kind', 'metadata', 'status']);
  return members(api, schema, place).filter(({ path }) => !skipped.has(path.split(/[.[]/)[1] ?? ''));
}

function visit(api: OpenApi, given: Json | undefined, place: Place): readonly Mutation[] {
  const { schema, name } = api.resolve(given);
  // Once more is enough for schemas that hold themselves.
  if (name !== undefined && place.above.filter((each) => each === name).length > 1) return [];
  const inner = name === undefined ? place : { ...place, above: [...place.above, name] };
  if (isJsonObject(schema['properties'])) {
    return [...members(api, schema, inner), ...removal(inner)];
  }
  if (schema['type'] === 'array') return items(api, schema, inner);
  return leaf(api, schema, inner);
}

function members(api: OpenApi, schema: JsonObject, place: Place): readonly Mutation[] {
  const properties = isJsonObject(schema['properties']) ? schema['properties'] : {};
  const required = requiredOf(schema);
  const current = isJsonObject(place.value) ? place.value : undefined;
  return Object.entries(properties).flatMap(([name, property]) => {
    const put: Put = (value) => {
      const { [name]: _, ...others } = current ?? smallest(api, schema, [name]);
      return place.put(value === undefined ? others : { ...others, [name]: value });
    };
    return visit(api, property, {
      path: `${place.path}.${name}`,
      name,
      value: current?.[name],
      put,
      required: required.includes(name),
      above: place.above,
    });
  });
}

/** The first item changed, one more with each of its fields, and the list without its last item. */
function items(api: OpenApi, schema: JsonObject, place: Place): readonly Mutation[] {
  const current: readonly Json[] = Array.isArray(place.value) ? place.value : [];
  const { schema: item } = api.resolve(schema['items']);
  if (!isJsonObject(item['properties'])) {
    const more = samples(place.name, item, undefined).map((value) => place.put([...current, value]));
    return [{ path: place.path, candidates: more }, ...removal(place)];
  }
  const shared = { name: place.name, required: true, above: place.above };
  const added: Place = {
    ...shared,
    path: `${place.path}[+]`,
    value: undefined,
    put: (value) => place.put([...current, ...(value === undefined ? [] : [value])]),
  };
  const mutations = [...visit(api, schema['items'], added), ...removal(place)];
  if (current.length === 0) return mutations;
  const first: Place = {
    ...shared,
    path: `${place.path}[0]`,
    value: current[0],
    put: (value) => place.put([...(value === undefined ? [] : [value]), ...current.slice(1)]),
  };
  return [...visit(api, schema['items'], first), ...mutations];
}

function leaf(api: OpenApi, schema: JsonObject, place: Place): readonly Mutation[] {
  const map = schema['additionalProperties'];
  if (map !== undefined) {
    const current = isJsonObject(place.value) ? place.value : {};
    const { schema: inner } = api.resolve(map);
    const values = isJsonObject(inner['properties'])
      ? [smallest(api, inner, [])]
      : samples(place.name, inner, undefined);
    const candidates = values.flatMap((value) =>
      ['other', 'cpu', 'example.com/other'].map((key) => place.put({ ...current, [key]: value })),
    );
    return [{ path: place.path, candidates }, ...removal(place)];
  }
  const candidates = samples(place.name, schema, place.value).map((value) => place.put(value));
  return [{ path: place.path, candidates }, ...removal(place)];
}

function removal({ path, value, put, required }: Place): readonly Mutation[] {
  return value === undefined || required ? [] : [{ path: `${path} (removed)`, candidates: [put(undefined)] }];
}

/** The least that a schema lets stand: required members, `but` those that the caller puts there. */
function smallest(api: OpenApi, schema: JsonObject, but: readonly string[]): JsonObject {
  const properties = isJsonObject(schema['properties']) ? schema['properties'] : {};
  const names = requiredOf(schema).filter((name) => !but.includes(name));
  return Object.fromEntries(
    names.map((name): [string, Json] => {
      const { schema: inner } = api.resolve(properties[name]);
      if (isJsonObject(inner['properties'])) return [name, smallest(api, inner, [])];
      if (inner['type'] === 'array') {
        const { schema: item } = api.resolve(inner['items']);
        const one = isJsonObject(item['properties'])
          ? smallest(api, item, [])
          : (samples(name, item, undefined)[0] ?? 'other');
        return [name, [one]];
      }
      if (inner['additionalProperties'] !== undefined) return [name, {}];
      return [name, samples(name, inner, undefined)[0] ?? 'other'];
    }),
  );
}

function requiredOf(schema: JsonObject): readonly string[] {
  const required = schema['required'];
  const names: readonly Json[] = Array.isArray(required) ? required : [];
  return names.filter((name) => typeof name === 'string');
}

const texts = [
  'other',
  'example.com/other',
  '/other',
  '10m',
  '10.1.2.3',
  '10.9.0.0/16',
  '2026-11-23T00:00:00.000000Z',
  'eHg=',
  '*/7 * * * *',
  'Europe/Berlin',
];

/** Values that a field of this type may take, the likely ones first, none of them the one that it has. */
function samples(name: string, schema: JsonObject, current: Json | undefined): readonly Json[] {
  const { type, format } = schema;
  const choices = schema['enum'];
  if (Array.isArray(choices)) {
    const all: readonly Json[] = choices;
    return all.filter((choice) => choice !== current && choice !== '');
  }
  if (type === 'boolean') return current === true ? [false] : current === false ? [true] : [true, false];
  if (type === 'integer' || type === 'number') {
    const near = typeof current === 'number' ? [current + 1, current - 1] : [];
    return [...near, 1, 2, 50, 8080].filter((value) => value !== current);
  }
  if (type === 'object') return [{ other: 'other' }, {}];
  const likely =
    format === 'date-time'
      ? ['2026-11-23T00:00:00.000000Z', '2026-11-23T00:00:00Z']
      : format === 'byte'
        ? ['eHg=']
        : /cidr/i.test(name)
          ? ['10.9.0.0/16']
          : /ips?$|address/i.test(name)
            ? ['10.1.2.3']
            : [];
  const numbers = type === undefined || schema['oneOf'] !== undefined ? [7, '50%'] : [];
  const longer = typeof current === 'string' ? [`${current}x`] : [];
  return [...likely, ...longer, ...numbers, ...texts].filter((value) => value !== current);
}
