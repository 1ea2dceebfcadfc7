import { readFile, writeFile } from 'node:fs/promises';
import { join, posix } from 'node:path';
import type { GitAccesses } from './git-access.ts';
import { fetchLfs, largestPointer, readPointer, type PlacedPointer } from './git-lfs.ts';
import { folderMode, type GitRepository, type TreeEntry } from './git-repository.ts';
import {
  submoduleMode,
  submodulesOf,
  type Part,
  type SubmoduleOptions,
  type Submodules,
} from './git-submodules.ts';

export interface GitTreeOptions extends SubmoduleOptions {
  readonly limits: { readonly bytes: number; readonly files: number };
}

/** A file of some part, by its path in the tree. */
interface Placed extends TreeEntry {
  readonly part: Part;
}

/** What a commit holds, known before any content is fetched; contents are fetched and written as they are asked for. */
export class GitTree {
  /** Mode and object id by path; of what is in a submodule too. */
  readonly ids: ReadonlyMap<string, string>;
  /** Why some paths are not there although the commit has them. */
  readonly gaps: ReadonlyMap<string, string>;
  readonly #parts: readonly Part[];
  readonly #files: readonly Placed[];
  readonly #limits: GitTreeOptions['limits'];
  readonly #directory: string;
  readonly #accesses: GitAccesses;
  readonly #taken = new Map<string, number>();

  private constructor(main: Part, { parts, gaps }: Submodules, options: GitTreeOptions) {
    this.#parts = [main, ...parts];
    const all = this.#parts.flatMap((part) =>
      part.entries.map((entry): Placed => ({ ...entry, path: part.prefix + entry.path, part })),
    );
    const ids = new Map(all.map(({ mode, id, path }) => [path, `${mode} ${id}`]));
    // The tree as a whole has an id of its own, which the commit's stands for: equal commits are equal trees.
    this.ids = ids.set('.', `${folderMode} ${main.sha}`);
    this.gaps = gaps;
    this.#files = all.filter(({ mode }) => mode !== folderMode && mode !== submoduleMode);
    this.#limits = options.limits;
    this.#directory = options.directory;
    this.#accesses = options.tools.accesses;
  }

  static async of(source: GitRepository, sha: string, options: GitTreeOptions): Promise<GitTree> {
    const main = { source, sha, prefix: '', entries: await source.entries(sha) };
    const { name, submodules } = source.repository;
    if (submodules === true) return new GitTree(main, await submodulesOf(main, options), options);
    const message = `is a submodule, and submodules are not checked out; set \`submodules: true\` for repository ${name} in the stack configuration`;
    const links = main.entries.filter(({ mode }) => mode === submoduleMode);
    const gaps = new Map(links.map(({ path }) => [path, message]));
    return new GitTree(main, { parts: [], gaps }, options);
  }

  /** Puts everything below these paths on disk; throws Stop beyond the limits, before any file of a part is written. */
  async materialize(paths: readonly string[]): Promise<void> {
    const asked = new Set(paths);
    const isWanted = (path: string): boolean =>
      asked.has(path) || (path === '.' ? false : isWanted(posix.dirname(path)));
    const wanted = this.#files.filter(({ path }) => isWanted(path));
    for (const part of this.#parts) {
      const own = wanted.filter((file) => file.part === part);
      if (own.length > 0) await this.#checkOut(part, own, paths);
    }
  }

  async #checkOut(part: Part, files: readonly Placed[], paths: readonly string[]): Promise<void> {
    const { source, sha, prefix, entries } = part;
    for (const { path } of files) this.#taken.set(path, this.#taken.get(path) ?? 0);
    if (this.#taken.size > this.#limits.files) {
      throw source.tooMuch(`has more than ${this.#limits.files} files where its applications are`);
    }
    const sizes = await source.fetchBlobs(files.map(({ id }) => id));
    for (const { path, id } of files) this.#taken.set(path, sizes.get(id) ?? 0);
    const [path = '.', ...more] = paths;
    this.#checkBytes(source, more.length === 0 ? `below ${path}` : 'where its applications are');
    const known = new Set(entries.map((entry) => entry.path));
    const within = paths.flatMap((asked) => {
      if (asked === '.' || prefix.startsWith(`${asked}/`)) return ['.'];
      const relative = asked.startsWith(prefix) ? asked.slice(prefix.length) : '';
      return known.has(relative) ? [relative] : [];
    });
    await source.checkOut(sha, within);
    if (source.repository.lfs !== undefined) await this.#fillIn(source, files, sizes);
  }

  /** Puts contents where pointers of Git LFS are. */
  async #fillIn(
    source: GitRepository,
    files: readonly Placed[],
    sizes: ReadonlyMap<string, number>,
  ): Promise<void> {
    const pointers: PlacedPointer[] = [];
    for (const { path, id, mode } of files) {
      if (!mode.startsWith('100') || (sizes.get(id) ?? 0) > largestPointer) continue;
      const pointer = readPointer(await readFile(join(this.#directory, path)));
      if (pointer === undefined) continue;
      pointers.push({ ...pointer, path });
      this.#taken.set(path, pointer.size);
    }
    if (pointers.length === 0) return;
    this.#checkBytes(source, 'where its applications are');
    const authorization = await this.#accesses.authorization(source.repository);
    await fetchLfs(source.repository, authorization, pointers, (path, content) =>
      writeFile(join(this.#directory, path), content),
    );
  }

  #checkBytes(source: GitRepository, where: string): void {
    const bytes = [...this.#taken.values()].reduce((sum, size) => sum + size, 0);
    if (bytes <= this.#limits.bytes) return;
    throw source.tooMuch(`has ${bytes} bytes ${where}, and up to ${this.#limits.bytes} are checked out`);
  }
}
