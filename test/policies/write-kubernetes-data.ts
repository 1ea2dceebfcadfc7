import { globSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { root } from '../docs/documents.ts';
import { isJsonObject, type Json, type JsonObject } from '../../core/model/json.ts';

/**
 * `npm run kubernetes-data SCHEMAS API...` writes what previews know of Kubernetes, from two packages:
 *
 * - SCHEMAS: an unpacked wheel of PyPI's `kubernetes-validate` (`pip download --no-deps kubernetes-validate==1.37.0`), which
 *   holds the published OpenAPI definitions of each version of Kubernetes;
 * - API: unpacked Go modules with types of Kubernetes (`k8s.io/api`, `apiextensions-apiserver`, `kube-aggregator`), newest
 *   first: which version deprecates and removes what, as the API server itself warns by.
 */
const [wheel, ...modules] = process.argv.slice(2);
if (wheel === undefined || modules.length === 0) throw new Error('usage: kubernetes-data SCHEMAS API...');
const oldest = 30;

type Entries = readonly (readonly [string, unknown])[];
const read = readSchemas(wheel);
const lines = (entries: Entries) =>
  [...entries]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `    ${JSON.stringify(name)}: ${JSON.stringify(value)}`)
    .join(',\n');
writeFileSync(
  join(root, 'core/policies/kubernetes-schemas.json'),
  `{
  "versions": ${JSON.stringify(read.minors.map((minor) => `1.${minor}`))},
  "lives": {\n${lines(readLives(modules))}\n  },
  "kinds": {\n${lines([...read.kinds])}\n  },
  "definitions": {\n${lines([...read.definitions])}\n  }\n}\n`,
);

function readSchemas(folder: string) {
  const files = globSync(
    join(folder, 'kubernetes_validate/kubernetes-json-schema/v*-local/_definitions.json'),
  );
  const byMinor = new Map(files.map((file) => [Number(/\/v1\.(\d+)\./.exec(file)?.[1]), file]));
  const minors = [...byMinor.keys()].filter((minor) => minor >= oldest).sort((a, b) => a - b);
  const kinds = new Map<string, string>();
  const definitions = new Map<string, Record<string, JsonObject | null>>();
  for (const minor of minors) {
    const found = definitionsIn(byMinor.get(minor) ?? '');
    const reached = reachable(found, kinds);
    for (const name of new Set([...definitions.keys(), ...reached.keys()])) {
      const before = definitions.get(name) ?? {};
      const last = Object.values(before).at(-1);
      const now = reached.get(name) ?? null;
      if (JSON.stringify(last ?? null) !== JSON.stringify(now)) before[`1.${minor}`] = now;
      definitions.set(name, before);
    }
  }
  return { minors, kinds, definitions };
}

function definitionsIn(file: string): ReadonlyMap<string, JsonObject> {
  const parsed: { readonly $defs: Readonly<Record<string, JsonObject>> } = JSON.parse(
    readFileSync(file, 'utf8'),
  );
  return new Map(Object.entries(parsed.$defs));
}

/** Definitions of objects that people write, and all that these refer to; notes each kind in `noted`. */
function reachable(
  all: ReadonlyMap<string, JsonObject>,
  noted: Map<string, string>,
): ReadonlyMap<string, JsonObject> {
  const found = new Map<string, JsonObject>();
  const add = (name: string): void => {
    const definition = all.get(name);
    if (definition === undefined || found.has(name)) return;
    const { schema, references } = simplified(definition);
    found.set(name, schema);
    for (const reference of references) add(reference);
  };
  for (const [name, definition] of all) {
    const isObject = isJsonObject(definition['properties']) && 'metadata' in definition['properties'];
    const gvks: readonly Json[] = listOf(definition['x-kubernetes-group-version-kind']);
    for (const gvk of isObject ? gvks : []) {
      const { group, version, kind } = isJsonObject(gvk) ? gvk : {};
      if (typeof kind !== 'string' || kind.endsWith('List')) continue;
      noted.set(named(group, version, kind), name);
      add(name);
    }
  }
  return found;
}

function simplified(definition: JsonObject): { schema: JsonObject; references: readonly string[] } {
  const references: string[] = [];
  const isKind = 'x-kubernetes-group-version-kind' in definition;
  const simple = (node: JsonObject, isTop = false): JsonObject => {
    const reference = node['$ref'];
    if (typeof reference === 'string') {
      const name = reference.replace('#/$defs/', '');
      references.push(name);
      return { $ref: name };
    }
    const choices = listOf(node['oneOf']).flatMap((choice) =>
      isJsonObject(choice) ? typesOf(choice['type']) : [],
    );
    const types = choices.length > 0 ? choices : typesOf(node['type']);
    const { properties, items, additionalProperties, required } = node;
    return {
      ...(types.length > 0 && { type: types.length === 1 ? (types[0] ?? null) : types }),
      ...(isJsonObject(properties) && {
        properties: Object.fromEntries(
          Object.entries(properties).map(([name, member]) => {
            // What a controller writes is nobody's to declare, and what names the kind was matched by it.
            const isGiven = isTop && isKind && ['apiVersion', 'kind', 'status'].includes(name);
            return [name, isGiven || !isJsonObject(member) ? {} : simple(member)];
          }),
        ),
      }),
      ...(isJsonObject(items) && { items: simple(items) }),
      ...(isJsonObject(additionalProperties) && { additionalProperties: simple(additionalProperties) }),
      ...(required !== undefined && { required }),
    };
  };
  return { schema: simple(definition, true), references };
}

function typesOf(type: Json | undefined): readonly Json[] {
  return listOf(typeof type === 'string' ? [type] : type).filter((each) => each !== 'null');
}

function listOf(value: Json | undefined): readonly Json[] {
  return Array.isArray(value) ? value : [];
}

function readLives(folders: readonly string[]): Entries {
  const rows = new Map<string, unknown>();
  for (const folder of folders) {
    for (const file of globSync(join(folder, '**/zz_generated.prerelease-lifecycle.go'))) {
      for (const [key, row] of livesIn(file)) if (!rows.has(key)) rows.set(key, row);
    }
  }
  return [...rows];
}

function livesIn(file: string): Entries {
  const text = readFileSync(file, 'utf8');
  const groupVersion = groupVersionOf(file);
  const deprecated = text.matchAll(/func \(in \*(\w+)\) APILifecycleDeprecated/g);
  const names = [...deprecated].map(([, kind = '']) => kind);
  return names
    .filter((kind) => !/(?:List|Options|Review)$/.test(kind))
    .map((kind) => {
      const answer = (name: string): string | undefined =>
        new RegExp(`\\*${kind}\\) APILifecycle${name}\\(\\)[^{]*\\{\\s*return (.*)`).exec(text)?.[1];
      const when = (name: string) => answer(name)?.replace(', ', '.');
      const [, group, version, instead] =
        /Group: "([^"]*)", Version: "([^"]*)", Kind: "([^"]*)"/.exec(answer('Replacement') ?? '') ?? [];
      return [
        `${groupVersion}/${kind}`,
        {
          deprecated: when('Deprecated'),
          removed: when('Removed'),
          ...(instead !== undefined && {
            instead: `${named(group, version)} ${instead.replace(/List$/, '')}`,
          }),
        },
      ] as const;
    });
}

function named(...parts: readonly (Json | undefined)[]): string {
  return parts.filter((part): part is string => typeof part === 'string' && part !== '').join('/');
}

/** From the register.go beside it and the name of the folder. */
function groupVersionOf(file: string): string {
  const register = readFileSync(join(file, '../register.go'), 'utf8');
  return named(/GroupName = "([^"]*)"/.exec(register)?.[1], basename(join(file, '..')));
}
