import type { TreeInputs } from '../model/render-record.ts';
import { digestOf } from '../model/digest.ts';

const folderMode = '040000';
const symlinkMode = '120000';
const submoduleMode = '160000';

/** What a path of a commit is, as far as its tree tells without any content. */
type Kind = 'file' | 'folder' | 'symlink' | 'submodule' | 'absent';

/**
 * The tree of one commit, asked for the values of what a render read. Every render of a commit asks the same one, so
 * that a base of a thousand applications is looked at once.
 */
export class CommitTree {
  readonly #ids: ReadonlyMap<string, string>;
  readonly #names = new Map<string, string>();
  #links: string | undefined;
  #children: ReadonlyMap<string, readonly string[]> | undefined;

  /** Mode and object id by path, as a worktree has them. */
  constructor(ids: ReadonlyMap<string, string>) {
    this.#ids = ids;
  }

  kind(path: string): Kind {
    const id = this.#ids.get(path);
    if (id === undefined) return 'absent';
    if (id.startsWith(folderMode)) return 'folder';
    if (id.startsWith(symlinkMode)) return 'symlink';
    return id.startsWith(submoduleMode) ? 'submodule' : 'file';
  }

  /** Equal for equal contents; `absent` for what is not there. */
  id(path: string): string {
    return this.#ids.get(path) ?? 'absent';
  }

  /** Everything below a folder that is no folder itself, sorted. */
  below(folder: string): readonly string[] {
    return this.#walk(folder).sort();
  }

  /** The values that a render's inputs have here, in the order of the inputs. */
  valuesOf({ contents, names, files, links }: TreeInputs): readonly string[] {
    return [
      ...(links === true ? [this.#allLinks()] : []),
      ...contents.map((path) => this.id(path)),
      ...names.map((path) => this.#namesBelow(path)),
      ...files.map((path) => this.id(path)),
    ];
  }

  /** Every symlink, with what it says: where it leads, and through which others. */
  #allLinks(): string {
    this.#links ??= digestOf(
      this.below('.').flatMap((path) => (this.kind(path) === 'symlink' ? [path, this.id(path)] : [])),
    );
    return this.#links;
  }

  /** Which files there are; a submodule counts with its commit, since its files are not in this tree. */
  #namesBelow(folder: string): string {
    const known = this.#names.get(folder);
    if (known !== undefined) return known;
    const names = this.below(folder).map((path) =>
      this.kind(path) === 'file' ? path : `${path} ${this.id(path)}`,
    );
    const value = digestOf([this.kind(folder) === 'folder' ? 'folder' : this.id(folder), ...names]);
    this.#names.set(folder, value);
    return value;
  }

  #walk(folder: string): string[] {
    this.#children ??= childrenOf(this.#ids.keys());
    return (this.#children.get(folder) ?? []).flatMap((path) =>
      this.kind(path) === 'folder' ? this.#walk(path) : [path],
    );
  }
}

function childrenOf(paths: Iterable<string>): ReadonlyMap<string, readonly string[]> {
  const children = new Map<string, string[]>();
  for (const path of paths) {
    if (path === '.') continue;
    const folder = folderOf(path);
    const siblings = children.get(folder);
    if (siblings === undefined) children.set(folder, [path]);
    else siblings.push(path);
  }
  return children;
}

/** The folder that a path is in, `.` for the root; of the root, the root. */
export function folderOf(path: string): string {
  const slash = path.lastIndexOf('/');
  return slash < 0 ? '.' : path.slice(0, slash);
}
