import { posix } from 'node:path';
import type { RepositoryConfig } from '../core/contract/config.ts';
import type { GitRepository, GitTools, TreeEntry } from './git-repository.ts';

export interface GitTreeOptions {
  /** Scratch folder of the checkout, and the folder for its files. */
  readonly root: string;
  readonly directory: string;
  /** Repositories that submodules may lead to. */
  readonly declared: readonly RepositoryConfig[];
  readonly tools: GitTools;
  readonly limits: { readonly bytes: number; readonly files: number };
}

const folderMode = '040000';
const submoduleMode = '160000';

/** A commit, and where it goes in the tree. */
interface Part {
  readonly source: GitRepository;
  readonly sha: string;
  readonly entries: readonly TreeEntry[];
}

/** What a commit holds, known before any content is fetched; contents are fetched and written as they are asked for. */
export class GitTree {
  /** Mode and object id by path. */
  readonly ids: ReadonlyMap<string, string>;
  /** Why some paths are not there although the commit has them. */
  readonly gaps: ReadonlyMap<string, string>;
  readonly #part: Part;
  readonly #limits: GitTreeOptions['limits'];
  readonly #taken = new Map<string, TreeEntry>();

  private constructor(part: Part, gaps: ReadonlyMap<string, string>, { limits }: GitTreeOptions) {
    const ids = new Map(part.entries.map(({ mode, id, path }) => [path, `${mode} ${id}`]));
    // The tree as a whole has an id of its own, which the commit's stands for: equal commits are equal trees.
    this.ids = ids.set('.', `${folderMode} ${part.sha}`);
    this.gaps = gaps;
    this.#part = part;
    this.#limits = limits;
  }

  static async of(source: GitRepository, sha: string, options: GitTreeOptions): Promise<GitTree> {
    const entries = await source.entries(sha);
    const message = `is a submodule, and submodules are not checked out; set \`submodules: true\` for repository ${source.repository.name} in the stack configuration`;
    const links = entries.filter(({ mode }) => mode === submoduleMode);
    return new GitTree({ source, sha, entries }, new Map(links.map(({ path }) => [path, message])), options);
  }

  /** Puts everything below these paths on disk; throws Stop beyond the limits, before any file is written. */
  async materialize(paths: readonly string[]): Promise<void> {
    const { source, sha, entries } = this.#part;
    const asked = new Set(paths);
    const isWanted = (path: string): boolean =>
      asked.has(path) || (path === '.' ? false : isWanted(posix.dirname(path)));
    const wanted = entries.filter(
      ({ mode, path }) => mode !== folderMode && mode !== submoduleMode && isWanted(path),
    );
    if (wanted.length === 0) return;
    for (const entry of wanted) this.#taken.set(entry.path, entry);
    if (this.#taken.size > this.#limits.files) {
      throw source.tooMuch(`has more than ${this.#limits.files} files where its applications are`);
    }
    const sizes = await source.fetchBlobs(wanted.map(({ id }) => id));
    const bytes = [...this.#taken.values()].reduce((sum, { id }) => sum + (sizes.get(id) ?? 0), 0);
    if (bytes > this.#limits.bytes) {
      const [path = '.', ...more] = paths;
      const where = more.length === 0 ? `below ${path}` : 'where its applications are';
      throw source.tooMuch(`has ${bytes} bytes ${where}, and up to ${this.#limits.bytes} are checked out`);
    }
    await source.checkOut(
      sha,
      paths.filter((path) => this.ids.has(path)),
    );
  }
}
