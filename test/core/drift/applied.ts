import { isJsonObject, jsonEqual, type Json, type JsonObject } from '../../../core/model/json.ts';
import { kubeObjectSchema, type LiveObject } from '../../../core/model/object.ts';

/**
 * What the API server does on apply, for lists keyed by `name` and everything else atomic: enough to write a drift
 * case as three short documents. The cases on a real server show that the real rules give the same.
 */

type Named = JsonObject & { readonly name: string };

function namedItems(value: Json | undefined): readonly Named[] | undefined {
  if (!Array.isArray(value)) return undefined;
  const items: readonly Json[] = value;
  const named = items.filter((item): item is Named => isJsonObject(item) && typeof item['name'] === 'string');
  return named.length === items.length && items.length > 0 ? named : undefined;
}

/** FieldsV1 of a partial object. */
export function fieldsOf(value: Json): JsonObject {
  const items = namedItems(value);
  if (items !== undefined) {
    return Object.fromEntries(
      items.map((item) => [`k:${JSON.stringify({ name: item.name })}`, { '.': {}, ...fieldsOf(item) }]),
    );
  }
  if (!isJsonObject(value)) return {};
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [`f:${name}`, fieldsOf(member)]));
}

/** `live` after a forced apply of `desired`. */
export function merged(live: Json | undefined, desired: Json): Json {
  const [was, wanted] = [namedItems(live), namedItems(desired)];
  if (was !== undefined && wanted !== undefined) {
    const rest = was.filter(({ name }) => !wanted.some((item) => item.name === name));
    return [
      ...wanted.map((item) =>
        merged(
          was.find(({ name }) => name === item.name),
          item,
        ),
      ),
      ...rest,
    ];
  }
  if (!isJsonObject(live) || !isJsonObject(desired)) return desired;
  const members = Object.entries(desired).map(([name, member]) => [name, merged(live[name], member)]);
  return { ...live, ...Object.fromEntries(members) };
}

/** `value` without what `paths` (a partial object) names. */
export function without(value: Json, paths: Json): Json | undefined {
  if (jsonEqual(paths, {}) || !isJsonObject(paths) || !isJsonObject(value)) return undefined;
  const members = Object.entries(value).map(([name, member]) => [
    name,
    paths[name] === undefined ? member : without(member, paths[name]),
  ]);
  return Object.fromEntries(members.filter(([, member]) => member !== undefined));
}

/** One manager of a case. */
export interface Claim {
  readonly manager: string;
  readonly fields: JsonObject;
  readonly time?: string;
  readonly subresource?: string;
}

const identity = {
  apiVersion: 'example.dev/v1',
  kind: 'Thing',
  metadata: { name: 'thing', namespace: 'web' },
};

/** The server never counts these as fields of anybody. */
function withoutIdentity({ apiVersion: _version, kind: _kind, ...fields }: JsonObject): JsonObject {
  return fields;
}

/** A whole object with managedFields; `trueup` applies, all others update. */
export function liveObject(content: JsonObject, claims: readonly Claim[]): LiveObject {
  const object = kubeObjectSchema.parse(merged(identity, content));
  const managedFields = claims.map(({ fields, time = '2026-11-23T11:00:00Z', ...claim }) => ({
    ...claim,
    operation: claim.manager === 'trueup' ? 'Apply' : 'Update',
    apiVersion: object.apiVersion,
    time,
    fieldsV1: fieldsOf(withoutIdentity(fields)),
  }));
  return {
    ...object,
    metadata: { ...object.metadata, uid: 'uid-1', resourceVersion: '7', managedFields },
  };
}
