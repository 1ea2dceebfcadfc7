import { Stop } from '../errors.ts';
import type { HelmOptions } from '../model/helm.ts';
import { isJsonObject, type JsonObject } from '../model/json.ts';
import type { Worktree } from '../ports.ts';
import { readYaml } from '../yaml/read-yaml.ts';
import type { RenderContext } from './context.ts';
import { textOf } from './helm-chart.ts';
import type { LoadedChart } from './helm-load.ts';
import { joinPath } from './kustomize-path.ts';

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
    const found = await find(spelled, path, chart, context);
    if (found.text === undefined) {
      if (ignoreMissingValueFiles) continue;
      const message = `${spelled} of helm.valueFiles is not there; mend it, or set helm.ignoreMissingValueFiles`;
      throw new Stop({ subject: found.place, message });
    }
    if (found.input !== undefined) inputs.push(found.input);
    texts.push(found.text);
    parsed.push(readValueFile(found.place, found.text));
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
  readonly text: string | undefined;
  readonly input?: ValueFile;
}

async function find(
  spelled: string,
  folder: string,
  chart: LoadedChart,
  { worktree, references }: Pick<RenderContext, 'worktree' | 'references'>,
): Promise<Found> {
  const [, name, below = ''] = /^\$([^/]+)\/(.*)$/.exec(spelled) ?? [];
  const place = name === undefined ? spelled : below;
  if (name === 'chart') {
    const bytes = chart.files.get(place);
    const shown = chart.placeOf(place);
    return { place: shown, text: bytes === undefined ? undefined : textOf(shown, bytes) };
  }
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(place)) {
    const message = `${spelled} of helm.valueFiles is an address; keep the file in a repository`;
    throw new Stop({ subject: `folder ${folder}`, message });
  }
  const tree = name === undefined ? worktree : references.get(name);
  if (tree === undefined) {
    const message = `${spelled} of helm.valueFiles names the source ${name}, and none of spec.sources has that ref`;
    throw new Stop({ subject: `folder ${folder}`, message });
  }
  const isFromRoot = name !== undefined || place.startsWith('/');
  const path = joinPath(isFromRoot ? '.' : folder, place.replace(/^\/+/, ''));
  if (path === undefined) {
    throw new Stop({
      subject: `folder ${folder}`,
      message: `${spelled} of helm.valueFiles leads out of the repository`,
    });
  }
  const input = { reference: name, path };
  return { place: path, text: (await isThere(tree, path)) ? await tree.text(path) : undefined, input };
}

async function isThere(tree: Worktree, path: string): Promise<boolean> {
  if (tree.ids.size > 0) return tree.ids.has(path) || (await isListed(tree, path));
  return isListed(tree, path);
}

async function isListed(tree: Worktree, path: string): Promise<boolean> {
  return (await tree.files(joinPath(path, '..') ?? '.')).includes(path);
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
