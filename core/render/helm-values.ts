import { Stop } from '../errors.ts';
import type { HelmOptions } from '../model/helm.ts';
import { isJsonObject, type JsonObject } from '../model/json.ts';
import type { Worktree } from '../ports.ts';
import { readYaml } from '../yaml/read-yaml.ts';
import type { RenderContext } from './context.ts';
import { textOf } from './helm-chart.ts';
import type { LoadedChart } from './helm-load.ts';
import { joinPath } from './kustomize-path.ts';
import { matchesGlob } from './matches-glob.ts';

/** Values on top of the chart's own, and where they were read. */
export interface HelmValues {
  /** As texts, later ones win; what is not given is not there. */
  readonly texts: readonly string[];
  /** The same, parsed: to know what must not be quoted. */
  readonly parsed: readonly JsonObject[];
  readonly inputs: readonly ValueFile[];
}

/** A value file of a tree: of this repository, or of another source by its name. */
export interface ValueFile {
  readonly reference: string | undefined;
  readonly path: string;
}

/** Reads value files in their order, then the values of the Application itself. Throws Stop for what is not there. */
export async function readValues(
  path: string,
  { valueFiles, values, ignoreMissingValueFiles }: HelmOptions,
  chart: LoadedChart,
  context: Pick<RenderContext, 'worktree' | 'references'>,
): Promise<HelmValues> {
  const texts: string[] = [];
  const parsed: JsonObject[] = [];
  const inputs: ValueFile[] = [];
  for (const spelled of valueFiles) {
    const { place, files } = await find(spelled, path, chart, context);
    if (files.length === 0 && !ignoreMissingValueFiles) {
      const message = `${spelled} of helm.valueFiles is not there; mend it, or set helm.ignoreMissingValueFiles`;
      throw new Stop({ subject: place, message });
    }
    for (const file of files) {
      if (file.input !== undefined) inputs.push(file.input);
      texts.push(file.text);
      parsed.push(readValueFile(file.place, file.text));
    }
  }
  if (Object.keys(values).length > 0) {
    // JSON is YAML.
    texts.push(JSON.stringify(values));
    parsed.push(values);
  }
  return { texts, parsed, inputs };
}

interface Found {
  readonly place: string;
  /** Of a pattern, in the order of their paths; none when nothing is there. */
  readonly files: readonly { readonly place: string; readonly text: string; readonly input?: ValueFile }[];
}

async function find(
  spelled: string,
  folder: string,
  chart: LoadedChart,
  { worktree, references }: Pick<RenderContext, 'worktree' | 'references'>,
): Promise<Found> {
  const fault = (message: string) =>
    new Stop({ subject: `folder ${folder}`, message: `${spelled} of helm.valueFiles ${message}` });
  const [, name, below = ''] = /^\$([^/]+)\/(.*)$/.exec(spelled) ?? [];
  const place = name === undefined ? spelled : below;
  if (name === 'chart') return findInChart(place, chart);
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(place)) throw fault('is an address; keep the file in a repository');
  const tree = name === undefined ? worktree : references.get(name);
  if (tree === undefined) throw fault(`names the source ${name}, and none of spec.sources has that ref`);
  const isFromRoot = name !== undefined || place.startsWith('/');
  const path = joinPath(isFromRoot ? '.' : folder, place.replace(/^\/+/, ''));
  if (path === undefined) throw fault('leads out of the repository');
  const files: { place: string; text: string; input: ValueFile }[] = [];
  for (const file of await pathsOf(tree, path)) {
    files.push({ place: file, text: await tree.text(file), input: { reference: name, path: file } });
  }
  return { place: path, files };
}

function findInChart(place: string, { files, placeOf }: LoadedChart): Found {
  const found = [...files].filter(([path]) => path === place || (isGlob(place) && matchesGlob(place, path)));
  const read = found.map(([path, bytes]) => ({ place: placeOf(path), text: textOf(placeOf(path), bytes) }));
  return { place: placeOf(place), files: read.sort((a, b) => (a.place < b.place ? -1 : 1)) };
}

/** The file itself, or those that a pattern names, sorted. */
async function pathsOf(tree: Worktree, path: string): Promise<readonly string[]> {
  // A regular file is not listed: a folder would be an input of the render with all the names in it.
  if (tree.ids.get(path)?.startsWith('100') === true) return [path];
  const parts = path.split('/');
  const fixed = parts.slice(0, isGlob(path) ? parts.findIndex(isGlob) : -1).join('/') || '.';
  const listed = await tree.files(fixed);
  return listed.filter((file) => file === path || (isGlob(path) && matchesGlob(path, file))).toSorted();
}

function isGlob(text: string): boolean {
  return /[*?]/.test(text);
}

function readValueFile(file: string, text: string): JsonObject {
  const documents = readYaml(file, text);
  const [document] = documents;
  if (document === undefined) return {};
  if (documents.length === 1 && isJsonObject(document.value)) return document.value;
  throw new Stop({
    subject: document.place(),
    message: 'is no map of values; Helm reads one document of one map',
  });
}
