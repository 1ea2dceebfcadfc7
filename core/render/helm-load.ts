import { Stop } from '../errors.ts';
import type { ChartReference } from '../model/helm.ts';
import type { ChartFiles, FetchedChart, Worktree } from '../ports.ts';
import type { RenderContext } from './context.ts';
import { lockDigest, readChart, readLock, type ChartDependency, type ChartMetadata } from './helm-chart.ts';
import { joinPath } from './kustomize-path.ts';

/** A chart that came from a repository or registry: what a version or range resolved to. */
export interface ResolvedChart {
  readonly from: string;
  readonly name: string;
  readonly version: string;
  readonly digest: string;
}

/** A chart with all of its dependencies in `charts/` as folders, and what it was made of. */
export interface LoadedChart {
  readonly metadata: ChartMetadata;
  readonly files: ChartFiles;
  /** Where a file of it is kept, for people: `charts/web/templates/a.yaml`, `podinfo-6.14.1/templates/a.yaml`. */
  readonly placeOf: (path: string) => string;
  /** Files of the repository that it was read from. */
  readonly inputs: readonly string[];
  readonly resolved: readonly ResolvedChart[];
}

/** Archives within archives, and charts that name each other by file://. */
const maxDepth = 8;
const maxBytes = 100 * 1024 * 1024;

/** Loads a chart from a folder of the repository, or from where `chart` says. Throws Stop with what to do. */
export async function loadChart(
  { path, chart }: { readonly path: string; readonly chart?: ChartReference | undefined },
  context: Pick<RenderContext, 'worktree' | 'charts'>,
): Promise<LoadedChart> {
  const loader = new Loader(context);
  const { root, place } =
    chart === undefined ? await loader.fromTree(path, '', 0) : await loader.fromRegistry(chart, '');
  const { files } = loader;
  return {
    metadata: readChart(place, files),
    files,
    placeOf: (inside) => loader.places.get(inside) ?? `${root}/${inside}`,
    inputs: [...loader.inputs],
    resolved: loader.resolved,
  };
}

interface Loaded {
  readonly metadata: ChartMetadata;
  readonly root: string;
  readonly place: string;
}

/** Puts one chart together, its dependencies below `charts/`. */
class Loader {
  readonly files = new Map<string, Uint8Array>();
  readonly places = new Map<string, string>();
  readonly inputs = new Set<string>();
  readonly resolved: ResolvedChart[] = [];
  readonly #worktree: Worktree;
  readonly #charts: RenderContext['charts'];
  #bytes = 0;

  constructor({ worktree, charts }: Pick<RenderContext, 'worktree' | 'charts'>) {
    this.#worktree = worktree;
    this.#charts = charts;
  }

  /** `prefix`: where in the chart it goes, empty or `charts/NAME/`. */
  async fromTree(folder: string, prefix: string, depth: number): Promise<Loaded> {
    if (depth > maxDepth) {
      throw new Stop({
        subject: `folder ${folder}`,
        message: `is a chart ${maxDepth} deep below another; charts may name each other`,
      });
    }
    const own = new Map<string, Uint8Array>();
    for (const file of await this.#worktree.files(folder)) {
      const inside = folder === '.' ? file : file.slice(folder.length + 1);
      own.set(inside, await this.#worktree.read(file));
      this.inputs.add(file);
    }
    const metadata = readChart(folder, own);
    await this.#add(prefix, own, folder === '.' ? '' : `${folder}/`, depth);
    await this.#addDependencies({ metadata, folder, prefix, own, depth });
    return { metadata, root: folder, place: folder };
  }

  async fromRegistry(reference: ChartReference, prefix: string): Promise<Loaded> {
    const chart = await this.#charts.fetch(reference);
    const root = await this.#addFetched(chart, sourceOf(reference), prefix);
    return { metadata: readChart(root, chart.files), root, place: root };
  }

  async #addFetched(chart: FetchedChart, from: string, prefix: string): Promise<string> {
    const { name, version, digest } = chart;
    const root = `${name}-${version}`;
    this.resolved.push({ from, name, version, digest });
    // What was left out of the archive is gone; what is in it counts, as Helm reads archives.
    const files = new Map([...chart.files].filter(([path]) => !path.endsWith('.helmignore')));
    await this.#add(prefix, files, `${root}/`, 0);
    return root;
  }

  /** Archives below `charts/` become folders, so that their templates are looked at like all others. */
  async #add(prefix: string, files: ChartFiles, place: string, depth: number): Promise<void> {
    for (const [path, bytes] of files) {
      const archive = /^((?:.*\/)?charts\/([^/]+))\.tgz$/.exec(path);
      if (archive === null) {
        this.#count(bytes, place + path);
        this.files.set(prefix + path, bytes);
        this.places.set(prefix + path, place + path);
        continue;
      }
      if (depth > maxDepth)
        throw new Stop({ subject: place + path, message: `is an archive ${maxDepth} deep in others` });
      const unpacked = await this.#charts.unpack(bytes, place + path);
      const { name } = readChart(place + path, unpacked);
      await this.#add(
        `${prefix}${dirOf(path)}/${name}/`,
        unpacked,
        `${place}${archive[1] ?? ''}/`,
        depth + 1,
      );
    }
  }

  #count(bytes: Uint8Array, subject: string): void {
    this.#bytes += bytes.length;
    if (this.#bytes <= maxBytes) return;
    throw new Stop({
      subject,
      message: `is of a chart that holds more than ${maxBytes} bytes with all of its dependencies`,
    });
  }

  /** What `charts/` does not hold is taken from file://, or from where Chart.lock pins it. */
  async #addDependencies(chart: {
    readonly metadata: ChartMetadata;
    readonly folder: string;
    readonly prefix: string;
    readonly own: ChartFiles;
    readonly depth: number;
  }): Promise<void> {
    const { metadata, folder, prefix, own, depth } = chart;
    const vendored = this.#vendored(prefix);
    for (const [index, wanted] of metadata.dependencies.entries()) {
      if (vendored.has(wanted.name)) continue;
      vendored.add(wanted.name);
      const below = `${prefix}charts/${wanted.name}/`;
      const { repository, name } = wanted;
      const subject = `${folder === '.' ? '' : `${folder}/`}Chart.yaml`;
      if (repository === '') {
        const message = `depends on ${name}, which is not in charts/ and has no repository; keep it in charts/`;
        throw new Stop({ subject, message });
      }
      if (repository.startsWith('file://')) {
        const beside = joinPath(folder, repository.slice('file://'.length));
        if (beside === undefined)
          throw new Stop({ subject, message: `depends on ${name} at ${repository}, out of the repository` });
        await this.fromTree(beside, below, depth + 1);
        continue;
      }
      const reference = lockedReference({ subject, folder, own, metadata, index, wanted });
      await this.fromRegistry(reference, below);
    }
  }

  /** Names of the charts that are in `charts/` already. */
  #vendored(prefix: string): Set<string> {
    const names = [...this.files.keys()].flatMap((path) => {
      const folder = /^charts\/([^/]+)\/Chart\.yaml$/.exec(
        path.startsWith(prefix) ? path.slice(prefix.length) : '',
      )?.[1];
      if (folder === undefined) return [];
      const inside = new Map([['Chart.yaml', this.files.get(path) ?? new Uint8Array()]]);
      return [readChart(this.places.get(path)?.replace(/\/Chart\.yaml$/, '') ?? folder, inside).name];
    });
    return new Set(names);
  }
}

function dirOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/'));
}

/** For people and for the record. */
function sourceOf(reference: ChartReference): string {
  return 'oci' in reference ? reference.oci : reference.repository;
}

/** The exact version that Chart.lock pins; never a range, which would move without a commit. */
function lockedReference({
  subject,
  folder,
  own,
  metadata,
  index,
  wanted,
}: {
  readonly subject: string;
  readonly folder: string;
  readonly own: ChartFiles;
  readonly metadata: ChartMetadata;
  readonly index: number;
  readonly wanted: ChartDependency;
}): ChartReference {
  const { name, repository } = wanted;
  const lock = readLock(folder, own);
  if (lock === undefined) {
    const message = `depends on ${name} at ${repository} without Chart.lock, so nothing says which version; run \`helm dependency update\` and commit Chart.lock`;
    throw new Stop({ subject, message });
  }
  const locked = lock.dependencies[index];
  if (locked?.name !== name || lock.digest !== lockDigest(metadata.dependencies, lock.dependencies)) {
    const message = `has dependencies that Chart.lock does not know; run \`helm dependency update\` and commit Chart.lock`;
    throw new Stop({ subject, message });
  }
  if (repository.startsWith('oci://'))
    return { oci: `${repository.replace(/\/+$/, '')}/${name}`, version: locked.version };
  if (/^https?:\/\//.test(repository)) return { repository, name, version: locked.version };
  const message = `depends on ${name} at ${repository}; name the repository by its address`;
  throw new Stop({ subject, message });
}
