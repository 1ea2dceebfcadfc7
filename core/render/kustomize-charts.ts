import { Stop, type Fault } from '../errors.ts';
import { chartSchema, type ChartReference } from '../model/helm.ts';
import { isJsonObject, type Json, type JsonObject } from '../model/json.ts';
import type { Worktree } from '../ports.ts';
import type { YamlDocument } from '../yaml/read-yaml.ts';
import { assertOwnSchemas, isValuesSchema } from './helm-schema.ts';
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
  const list = memberOf(document, value, 'helmcharts');
  if (!isJsonObject(value) || !Array.isArray(list)) return { charts: [], faults: [] };
  const globals = memberOf(document, value, 'helmglobals') ?? {};
  const charts: ChartFolder[] = [];
  const faults: Fault[] = [];
  const globalText = textsAt(document, globals, ['helmGlobals']);
  const home = globalText('charthome') || 'charts';
  if (globalText('confighome') !== '') {
    const message = 'a home of Helm in the tree could bring plugins; remove it';
    faults.push(faultAt(document, ['helmGlobals', 'configHome'], message));
  }
  list.forEach((chart: Json, index) => {
    const path = ['helmCharts', index] as const;
    const textOf = textsAt(document, chart, path);
    const found = isJsonObject(chart) ? chartFolder(folder, { home, chart, textOf }) : 'is no chart';
    if (typeof found === 'string') faults.push(faultAt(document, path, found));
    else charts.push({ folder: found.folder, reference: referenceOf(textOf), path });
  });
  return { charts, faults };
}

/** The text of a member; empty where there is none. Throws Stop for a member that is spelled twice. */
type TextOf = (name: string) => string;

function textsAt(document: YamlDocument, value: Json, path: readonly PropertyKey[]): TextOf {
  return (name) => {
    const member = memberOf(document, value, name, path);
    return typeof member === 'string' ? member : '';
  };
}

interface ListedChart {
  readonly home: string;
  readonly chart: JsonObject;
  readonly textOf: TextOf;
}

/** Where kustomize looks for a chart before it would fetch it; a text says why it is refused. */
function chartFolder(
  folder: string,
  { home, chart, textOf }: ListedChart,
): { readonly folder: string } | string {
  const name = textOf('name');
  if (!/^[a-zA-Z0-9][\w.-]*$/.test(name)) return 'must have a name that is that of a folder';
  // These become arguments of helm, which takes --set-file and its like anywhere.
  const option = Object.entries(chart).find(
    ([field, member]) => !isValues(field) && textsOf(member).some((text) => text.startsWith('-')),
  );
  if (option !== undefined) return `${option[0]} must not begin with -, which makes it an option of helm`;
  const [version, repository] = [textOf('version'), textOf('repo')];
  const below = version !== '' && repository !== '' ? `${name}-${version}/${name}` : name;
  const found = joinPath(folder, `${home}/${below}`);
  const isInside = found !== undefined && (folder === '.' || found.startsWith(`${folder}/`));
  if (!isInside || home.startsWith('/'))
    return `${home} is outside this folder, which kustomize does not read`;
  return { folder: found };
}

/** As `source.chart` would name it. */
function referenceOf(textOf: TextOf): ChartReference | undefined {
  const [name, version, repository] = ['name', 'version', 'repo'].map(textOf);
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

/** Looks at a chart that Helm reads from the tree itself. `prefix` stands before paths in messages. Throws Stop. */
export async function assertChartInTree(worktree: Worktree, folder: string, prefix: string): Promise<void> {
  const files = await worktree.files(folder);
  const archive = files.find((file) => /(?:^|\/)charts\/[^/]+\.tgz$/.test(file.slice(folder.length)));
  if (archive !== undefined) {
    const message =
      'is an archive in a chart of a kustomization, which Helm would read as nobody looked at it; unpack it beside';
    throw new Stop({ subject: prefix + archive, message });
  }
  const schemas = new Map<string, Uint8Array>();
  for (const file of files) if (isValuesSchema(file)) schemas.set(file, await worktree.read(file));
  assertOwnSchemas(schemas, (file) => prefix + file);
}
