import type { Fault } from '../errors.ts';
import { chartSchema, type ChartReference } from '../model/helm.ts';
import { isJsonObject, type Json, type JsonObject } from '../model/json.ts';
import type { YamlDocument } from '../yaml/read-yaml.ts';
import { faultAt, memberOf, textsOf } from './kustomize-faults.ts';
import { joinPath } from './kustomize-path.ts';

/** A folder of the tree that holds a chart, and where the kustomization names it. */
export interface ChartFolder {
  readonly folder: string;
  /** Where else it may come from, when it says so with an exact place. */
  readonly reference: ChartReference | undefined;
  readonly path: readonly PropertyKey[];
}

/** Charts of a kustomization, as far as they can only be folders of the tree, and faults of the others. */
export function chartFolders(
  document: YamlDocument,
  folder: string,
): { readonly charts: readonly ChartFolder[]; readonly faults: readonly Fault[] } {
  const { value } = document;
  const list = memberOf(value, 'helmcharts');
  if (!isJsonObject(value) || !Array.isArray(list)) return { charts: [], faults: [] };
  const globals = memberOf(value, 'helmglobals') ?? {};
  const charts: ChartFolder[] = [];
  const faults: Fault[] = [];
  if (textAt(globals, 'confighome') !== '') {
    const message = 'a home of Helm in the tree could bring plugins; remove it';
    faults.push(faultAt(document, ['helmGlobals', 'configHome'], message));
  }
  list.forEach((chart: Json, index) => {
    const path = ['helmCharts', index] as const;
    const found = isJsonObject(chart) ? chartFolder(folder, globals, chart) : 'is no chart';
    if (typeof found === 'string') faults.push(faultAt(document, path, found));
    else charts.push({ folder: found.folder, reference: referenceOf(chart), path });
  });
  return { charts, faults };
}

/** Where kustomize looks for a chart before it would fetch it; a text says why it is refused. */
function chartFolder(folder: string, globals: Json, chart: JsonObject): { readonly folder: string } | string {
  const name = textAt(chart, 'name');
  if (!/^[a-zA-Z0-9][\w.-]*$/.test(name)) return 'must have a name that is that of a folder';
  // These become arguments of helm, which takes --set-file and its like anywhere.
  const option = Object.entries(chart).find(
    ([field, member]) => !isValues(field) && textsOf(member).some((text) => text.startsWith('-')),
  );
  if (option !== undefined) return `${option[0]} must not begin with -, which makes it an option of helm`;
  const [version, repository] = [textAt(chart, 'version'), textAt(chart, 'repo')];
  const home = textAt(globals, 'charthome') || 'charts';
  const below = version !== '' && repository !== '' ? `${name}-${version}/${name}` : name;
  const found = joinPath(folder, `${home}/${below}`);
  const isInside = found !== undefined && (folder === '.' || found.startsWith(`${folder}/`));
  if (!isInside || home.startsWith('/'))
    return `${home} is outside this folder, which kustomize does not read`;
  return { folder: found };
}

/** As `source.chart` would name it. */
function referenceOf(chart: Json): ChartReference | undefined {
  const [name, version, repository] = ['name', 'version', 'repo'].map((field) => textAt(chart, field));
  const isOci = repository?.startsWith('oci://') === true;
  const parsed = chartSchema.safeParse(
    isOci ? { oci: `${repository}/${name}`, version } : { repository, name, version },
  );
  return parsed.success ? parsed.data : undefined;
}

/** Values are handed over in a file. */
function isValues(field: string): boolean {
  return field.toLowerCase() === 'valuesinline';
}

function textAt(value: Json, name: string): string {
  const member = memberOf(value, name);
  return typeof member === 'string' ? member : '';
}
