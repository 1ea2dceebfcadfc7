import { Stop, faultsOf, type Fault } from '../errors.ts';
import type { ChartReference } from '../model/helm.ts';
import { isJsonObject, type Json, type JsonObject } from '../model/json.ts';
import type { Worktree } from '../ports.ts';
import { readYaml, type YamlDocument } from '../yaml/read-yaml.ts';
import type { LoadedChart } from './helm-load.ts';
import { assertChartInTree, chartFolders, type ChartFolder } from './kustomize-charts.ts';
import {
  faultAt,
  fieldFaults,
  pluginFaults,
  pluginFolderFaults,
  secretLiterals,
  type KustomizeRules,
} from './kustomize-faults.ts';
import { foldedName, isRemote, joinPath, relativePath, remoteMessage } from './kustomize-path.ts';

const fileNames = ['kustomization.yaml', 'kustomization.yml', 'Kustomization'];

/** Lists that name other folders or files to build from. Go reads field names in any case, so must we. */
const references = ['resources', 'bases', 'components', 'generators', 'transformers', 'validators'];
/** Of these, the ones that hold configuration of plugins, which names files and addresses of its own. */
const pluginLists = ['generators', 'transformers', 'validators'];

/** The kustomization file of a folder, among the files below it. */
export function kustomizationOf(folder: string, files: readonly string[]): string | undefined {
  return files.find((file) => fileNames.some((name) => file === joinPath(folder, name)));
}

/** A tree that a build reads from: the application's own, or that of a base from elsewhere. */
export interface Tree {
  readonly worktree: Worktree;
  /** Where it stands when trees are put together for a build. */
  readonly root: string;
  /** Before its paths in messages; empty for the application's own. */
  readonly prefix: string;
}

/** A folder that a build reads from. */
export interface InputFolder {
  readonly tree: Tree;
  readonly folder: string;
}

/** Finds the base that an address means. Undefined: none that is allowed. Throws Stop for one that cannot be had. */
export type FindBase = (
  address: string,
) => Promise<{ readonly tree: Tree; readonly path: string } | undefined>;

/** What a build is made of. */
export interface KustomizeInputs {
  /** Every folder that it reads from, its own first. */
  readonly folders: readonly InputFolder[];
  /** Folders of the charts that it inflates, as far as they are in a tree. */
  readonly charts: readonly InputFolder[];
  /** The other charts, by the folder where kustomize looks for them when trees are put together. */
  readonly fetched: ReadonlyMap<string, LoadedChart>;
  /** Secret values that stand in the kustomizations, and that kustomize quotes when one of them is wrong. */
  readonly secrets: readonly string[];
  /** Kustomizations that name bases from elsewhere, as they must be spelled in a build; by tree root and file. */
  readonly rewritten: ReadonlyMap<string, string>;
  /** The overlay of the Application, spelled likewise. */
  readonly overlay: JsonObject | undefined;
}

export interface InputOptions extends KustomizeRules {
  readonly findBase: FindBase;
  /** Throws Stop for a chart of a place that is not declared. */
  readonly loadChart: (reference: ChartReference) => Promise<LoadedChart>;
}

interface Start {
  readonly tree: Tree;
  readonly folder: string;
  /** The Application's own kustomization on top, which is not a file of the tree; its paths start at the folder. */
  readonly overlay: YamlDocument | undefined;
}

/**
 * Finds the inputs of a build. kustomize itself reads files only in or below these folders
 * (LoadRestrictionsRootOnly), so all their files together are the build's inputs.
 * Throws Stop for what would need a network, a plugin or a place outside the repository: kustomize runs with none.
 */
export async function kustomizeInputs(start: Start, options: InputOptions): Promise<KustomizeInputs> {
  const walk = new Walk(options);
  walk.enter({ tree: start.tree, folder: start.folder, isPlugin: false });
  const { overlay } = start;
  const rewritten = overlay === undefined ? undefined : await walk.readDocument(start, overlay);
  const value = overlay !== undefined && isJsonObject(overlay.value) ? overlay.value : undefined;
  return { ...(await walk.finish()), overlay: rewritten ?? value };
}

interface Place extends InputFolder {
  /** What stands there configures plugins. */
  readonly isPlugin: boolean;
}

interface Reference {
  readonly field: string;
  readonly index: number;
  readonly entry: string;
  readonly isPlugin: boolean;
}

/** Breadth first, each folder once. */
class Walk {
  readonly #options: InputOptions;
  readonly #places: Place[] = [];
  readonly #charts: InputFolder[] = [];
  readonly #fetched = new Map<string, LoadedChart>();
  readonly #secrets: string[] = [];
  readonly #faults: Fault[] = [];
  readonly #rewritten = new Map<string, string>();

  constructor(options: InputOptions) {
    this.#options = options;
  }

  enter(place: Place): void {
    const isKnown = this.#places.some(
      ({ tree, folder, isPlugin }) =>
        tree.root === place.tree.root && folder === place.folder && isPlugin === place.isPlugin,
    );
    if (!isKnown) this.#places.push(place);
  }

  async finish(): Promise<Omit<KustomizeInputs, 'overlay'>> {
    // Grows as it is walked.
    for (const place of this.#places) await this.#collecting(() => this.#readFolder(place));
    const [first] = this.#faults;
    if (first !== undefined) throw new Stop(first, this.#faults);
    return {
      folders: this.#places.map(({ tree, folder }) => ({ tree, folder })),
      charts: this.#charts,
      fetched: this.#fetched,
      secrets: this.#secrets,
      rewritten: this.#rewritten,
    };
  }

  /** A fault of one file is kept, so that the next file's is found too. */
  async #collecting<T>(read: () => Promise<T>): Promise<T | undefined> {
    try {
      return await read();
    } catch (error) {
      const faults = faultsOf(error);
      if (faults === undefined) throw error;
      this.#faults.push(...faults);
      return undefined;
    }
  }

  async #readFolder(place: Place): Promise<void> {
    const { tree, folder, isPlugin } = place;
    const file = kustomizationOf(folder, await tree.worktree.files(folder));
    if (file === undefined) {
      const message = `is built from, but has no ${fileNames[0]}`;
      throw new Stop({ subject: `folder ${tree.prefix}${folder}`, message });
    }
    for (const document of readYaml(`${tree.prefix}${file}`, await tree.worktree.text(file))) {
      if (isPlugin) this.#faults.push(...pluginFolderFaults(document));
      const rewritten = await this.readDocument(place, document, isPlugin);
      if (rewritten !== undefined) this.#rewritten.set(`${tree.root}/${file}`, JSON.stringify(rewritten));
    }
  }

  /** Answers the kustomization as it must be spelled, when that differs. */
  async readDocument(
    at: InputFolder,
    document: YamlDocument,
    isPlugin = false,
  ): Promise<JsonObject | undefined> {
    const { value } = document;
    if (!isJsonObject(value)) throw new Stop({ subject: document.place(), message: 'is no kustomization' });
    this.#secrets.push(...secretLiterals(value));
    this.#faults.push(...fieldFaults(document, this.#options));
    if (this.#options.helm) await this.#readCharts(at, document);
    const replaced = new Map<string, string>();
    for (const reference of referencesOf(value, isPlugin)) {
      const other = await this.#collecting(() => this.#follow(at, document, reference));
      if (other !== undefined) replaced.set(`${reference.field}.${reference.index}`, other);
    }
    return replaced.size === 0 ? undefined : respelled(value, replaced);
  }

  async #readCharts({ tree, folder }: InputFolder, document: YamlDocument): Promise<void> {
    const { charts, faults } = chartFolders(document, folder);
    this.#faults.push(...faults);
    for (const chart of charts) await this.#collecting(() => this.#readChart(tree, document, chart));
  }

  async #readChart(tree: Tree, document: YamlDocument, chart: ChartFolder): Promise<void> {
    const { folder, reference, path } = chart;
    const fault = (message: string) => new Stop(faultAt(document, path, message));
    if ((await tree.worktree.files(folder)).length > 0) {
      await assertChartInTree(tree.worktree, folder, tree.prefix);
      this.#charts.push({ tree, folder });
    } else if (reference === undefined) {
      throw fault(`there is no chart in ${folder}; keep it there, or name its repo and version`);
    } else {
      const loaded = await this.#options.loadChart(reference).catch(placedAt(fault));
      this.#fetched.set(`${tree.root}/${folder}`, loaded);
    }
  }

  /** Enters what is named. Answers how it must be spelled, when that differs. Throws Stop. */
  async #follow(at: InputFolder, document: YamlDocument, reference: Reference): Promise<string | undefined> {
    const { entry, isPlugin } = reference;
    const { tree, folder } = at;
    const fault = (message: string) =>
      new Stop(faultAt(document, [reference.field, reference.index], message));
    // A list of plugins may hold the configuration itself, as a text of several lines.
    if (entry.includes('\n')) {
      this.#readResource(document.place([reference.field, reference.index]), entry, isPlugin);
      return undefined;
    }
    if (isRemote(entry)) {
      const base = isPlugin ? undefined : await this.#options.findBase(entry).catch(placedAt(fault));
      if (base === undefined) throw fault(remoteMessage(entry));
      this.enter({ tree: base.tree, folder: base.path, isPlugin });
      return relativePath(`${tree.root}/${folder}`, `${base.tree.root}/${base.path}`);
    }
    const path = joinPath(folder, entry);
    if (path === undefined) throw fault(`${entry} leads out of the repository`);
    if ((await tree.worktree.files(path)).length > 0) {
      const real = await tree.worktree.realPath(path);
      this.enter({ tree, folder: real, isPlugin });
      // A copy has no symlinks.
      return real === path ? undefined : relativePath(folder, real);
    }
    const parent = joinPath(path, '..') ?? '.';
    if (!(await tree.worktree.files(parent)).includes(path)) throw fault(`${entry} is not in this commit`);
    if (folder !== '.' && !path.startsWith(`${folder}/`)) {
      throw fault(
        `${entry} is a file outside this folder, which kustomize does not read; make its folder a base`,
      );
    }
    this.#readResource(`${tree.prefix}${path}`, await tree.worktree.text(path), isPlugin);
    return undefined;
  }

  /** Reads a file now, since kustomize's own words on a YAML error name no line of the repository. */
  #readResource(file: string, text: string, isPlugin: boolean): void {
    for (const document of readYaml(file, text)) {
      if (isPlugin) this.#faults.push(...pluginFaults(document, this.#options));
    }
  }
}

/** Says of a base that cannot be had which line asked for it; whatever else went wrong stays as it is. */
function placedAt(fault: (message: string) => Stop): (error: unknown) => never {
  return (error) => {
    if (!(error instanceof Stop)) throw error;
    throw fault(error.message);
  };
}

/** `isPlugin`: everything in the folder is. */
function referencesOf(kustomization: JsonObject, isPlugin: boolean): readonly Reference[] {
  return Object.entries(kustomization).flatMap(([field, value]) => {
    const name = foldedName(field);
    if (!references.includes(name) || !Array.isArray(value)) return [];
    return value.flatMap((entry: Json, index: number) =>
      typeof entry === 'string'
        ? [{ field, index, entry, isPlugin: isPlugin || pluginLists.includes(name) }]
        : [],
    );
  });
}

/** `replaced`: new entries by `field.index`. */
function respelled(kustomization: JsonObject, replaced: ReadonlyMap<string, string>): JsonObject {
  const entries = Object.entries(kustomization).map(([field, value]) => [
    field,
    Array.isArray(value)
      ? value.map((entry: Json, index: number) => replaced.get(`${field}.${index}`) ?? entry)
      : value,
  ]);
  return Object.fromEntries(entries);
}
