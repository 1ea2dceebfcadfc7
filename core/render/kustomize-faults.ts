import { Stop, type Fault } from '../errors.ts';
import { isJsonObject, type Json, type JsonObject } from '../model/json.ts';
import type { YamlDocument } from '../yaml/read-yaml.ts';
import { foldedName, isRemote, remoteMessage } from './kustomize-path.ts';

/** Everywhere that kustomize opens a path, or fetches it when it looks like an address; lists of folders apart. */
const pathFields = [
  'path',
  'paths',
  'files',
  'envs',
  'env',
  'crds',
  'configurations',
  'patchesstrategicmerge',
  'valuesfile',
  'additionalvaluesfiles',
];
const oldHelmFields = ['helmchartinflationgenerator'];
const helmFields = ['helmcharts', 'helmglobals'];

/** Whether charts in the tree may be inflated. */
export interface KustomizeRules {
  readonly helm: boolean;
}

/** What a kustomization or a plugin's configuration asks for, at any depth, that rendering does not do. */
export function fieldFaults(
  document: YamlDocument,
  rules: KustomizeRules,
  value: Json = document.value,
  path: readonly PropertyKey[] = [],
): readonly Fault[] {
  if (Array.isArray(value)) {
    return value.flatMap((item: Json, index: number) => fieldFaults(document, rules, item, [...path, index]));
  }
  if (!isJsonObject(value)) return [];
  return Object.entries(value).flatMap(([field, member]) => {
    const at = [...path, field];
    const name = foldedName(field);
    const refused = helmRefusal(name, rules);
    if (refused !== undefined) return [faultAt(document, at, refused)];
    if (!pathFields.includes(name)) return fieldFaults(document, rules, member, at);
    // A text of several lines is configuration, no path.
    return textsOf(member)
      .filter((text) => !text.includes('\n') && isRemote(text))
      .map((entry) => faultAt(document, at, remoteMessage(entry)));
  });
}

function helmRefusal(field: string, { helm }: KustomizeRules): string | undefined {
  if (oldHelmFields.includes(field)) return 'is the old form; list the chart under helmCharts';
  if (!helmFields.includes(field) || helm) return undefined;
  return 'Helm charts are not rendered here unless the Application says source.kustomize.helm: true';
}

/**
 * What else a generator, transformer or validator must not be: a program, a container, or a chart.
 * kustomize refuses the first two as well, with fewer words.
 */
export function pluginFaults(document: YamlDocument, rules: KustomizeRules): readonly Fault[] {
  const { value } = document;
  if (!isJsonObject(value)) return [faultAt(document, [], 'is no configuration of a plugin')];
  const kind = memberOf(document, value, 'kind');
  if (memberOf(document, value, 'apiversion') !== 'builtin') {
    const message = `${describe(kind)} is a plugin that runs a program or a container; only those with apiVersion: builtin are run`;
    return [faultAt(document, [], message)];
  }
  if (kind === 'HelmChartInflationGenerator') {
    return [faultAt(document, [], 'a chart as a generator is not rendered; list it under helmCharts')];
  }
  return fieldFaults(document, rules);
}

function describe(kind: Json | undefined): string {
  return typeof kind === 'string' && kind !== '' ? kind : 'this';
}

/** Fields of a folder of plugins: anything else there could write the configuration that was looked at anew. */
export function pluginFolderFaults(document: YamlDocument): readonly Fault[] {
  const known = ['apiversion', 'kind', 'metadata', 'resources'];
  const fields = isJsonObject(document.value) ? Object.keys(document.value) : [];
  return fields
    .filter((field) => !known.includes(foldedName(field)))
    .map((field) =>
      faultAt(
        document,
        [field],
        'a folder of generators, transformers or validators may list resources only',
      ),
    );
}

/** A fault of a part of a document, which is named in the message too. */
export function faultAt(document: YamlDocument, path: readonly PropertyKey[], message: string): Fault {
  const named = path.length === 0 ? message : `${path.join('.')}: ${message}`;
  return { subject: document.place(path), message: named };
}

/**
 * A member by its name, folded, as Go finds it; `path` is where the value stands. Throws Stop for a name spelled twice:
 * which of the two counts depends on who reads it, so that one could be looked at and the other be used.
 */
export function memberOf(
  document: YamlDocument,
  value: Json,
  name: string,
  path: readonly PropertyKey[] = [],
): Json | undefined {
  const fields = isJsonObject(value) ? Object.keys(value) : [];
  const [first, second] = fields.filter((field) => foldedName(field) === name);
  if (second !== undefined) {
    const message = `is spelled twice, as ${first} too, and Go takes them for one; remove one of them`;
    throw new Stop(faultAt(document, [...path, second], message));
  }
  return isJsonObject(value) && first !== undefined ? value[first] : undefined;
}

/** All members whose names Go takes for this one. */
export function membersOf(value: Json | undefined, name: string): readonly Json[] {
  const entries = isJsonObject(value) ? Object.entries(value) : [];
  return entries.flatMap(([field, member]) => (foldedName(field) === name ? [member] : []));
}

/** Every text at any depth. */
export function textsOf(value: Json): readonly string[] {
  if (typeof value === 'string') return [value];
  if (Array.isArray(value)) return value.flatMap((item: Json) => textsOf(item));
  return isJsonObject(value) ? Object.values(value).flatMap((item) => textsOf(item)) : [];
}

/** Secret values that stand in a kustomization, `key=value` and the value alone: kustomize quotes them when one is wrong. */
export function secretLiterals(kustomization: JsonObject): readonly string[] {
  const literals = membersOf(kustomization, 'secretgenerator').flatMap((list) =>
    Array.isArray(list) ? list.flatMap((generator: Json) => membersOf(generator, 'literals')) : [],
  );
  return literals.flatMap(textsOf).flatMap((text) => [text, text.slice(text.indexOf('=') + 1)]);
}
