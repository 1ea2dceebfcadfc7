import type { Commit } from '../model/commit.ts';
import type { TreeInputs } from '../model/render-record.ts';
import type { Worktree } from '../ports.ts';
import { folderOf, type CommitTree } from './commit-tree.ts';

/** More inputs of one render than this are told by their folders: the record of a thousand applications stays small. */
const maxInputs = 200;

/** A worktree that notes what one render reads of it. Disposing of it is up to whoever made the worktree itself. */
export class RecordedWorktree implements Worktree {
  readonly directory: string;
  readonly commit: Commit;
  readonly ids: ReadonlyMap<string, string>;
  readonly #worktree: Worktree;
  readonly #listed = new Set<string>();
  readonly #read = new Set<string>();
  /** Asked for by name alone. */
  readonly #met = new Set<string>();

  constructor(worktree: Worktree) {
    this.directory = worktree.directory;
    this.commit = worktree.commit;
    this.ids = worktree.ids;
    this.#worktree = worktree;
  }

  prepare(paths: readonly string[]): Promise<void> {
    return this.#worktree.prepare(paths);
  }

  files(folder: string): Promise<readonly string[]> {
    this.#listed.add(plainPath(folder));
    return this.#worktree.files(folder);
  }

  read(path: string): Promise<Uint8Array> {
    this.#read.add(plainPath(path));
    return this.#worktree.read(path);
  }

  text(path: string): Promise<string> {
    this.#read.add(plainPath(path));
    return this.#worktree.text(path);
  }

  realPath(path: string): Promise<string> {
    this.#met.add(plainPath(path));
    return this.#worktree.realPath(path);
  }

  async [Symbol.asyncDispose](): Promise<void> {}

  /** What was read, in the fewest words that lose nothing. Undefined when that cannot be told from the tree. */
  async inputs(tree: CommitTree): Promise<TreeInputs | undefined> {
    if (this.ids.size === 0) return undefined;
    const walk = { read: new Set<string>(), listed: new Set<string>(), links: false };
    for (const path of this.#met) {
      const pinned = pinnedPath(tree, path);
      walk.links ||= tree.kind(pinned) === 'symlink';
      if (tree.kind(pinned) === 'absent') walk.read.add(pinned);
    }
    for (const path of this.#read) walk.read.add(await this.#real(tree, path, walk));
    for (const path of this.#listed) walk.listed.add(await this.#real(tree, path, walk));
    // Grows as it is walked: a folder that a symlink leads to may hold symlinks itself.
    for (const folder of walk.listed) {
      for (const path of tree.below(folder).filter((each) => tree.kind(each) === 'symlink')) {
        const real = await this.#real(tree, path, walk);
        if (tree.kind(real) === 'folder') walk.listed.add(real);
      }
    }
    const inputs = fewest(tree, { read: [...walk.read], listed: [...walk.listed] });
    return walk.links ? { ...inputs, links: true } : inputs;
  }

  /** Where a path really is, with all that it leads through counted. */
  async #real(tree: CommitTree, path: string, walk: { links: boolean }): Promise<string> {
    const pinned = pinnedPath(tree, path);
    if (tree.kind(pinned) !== 'symlink') return pinned;
    walk.links = true;
    return pinnedPath(tree, await this.#worktree.realPath(path));
  }
}

const everything: TreeInputs = { contents: ['.'], names: [], files: [] };

interface Walked {
  readonly read: readonly string[];
  readonly listed: readonly string[];
}

function fewest(tree: CommitTree, { read, listed }: Walked): TreeInputs {
  const exact = inputsOf(tree, { read, listed });
  if (exact.contents.length + exact.names.length + exact.files.length <= maxInputs) return exact;
  const coarse = inputsOf(tree, { read: [...read, ...listed.flatMap((path) => tree.below(path))], listed });
  return coarse.contents.length + coarse.files.length <= maxInputs ? coarse : everything;
}

function inputsOf(tree: CommitTree, { read, listed }: Walked): TreeInputs {
  const wasRead = new Set(read);
  const folders = [...new Set(listed)].sort();
  const isWhole = (folder: string) =>
    tree.kind(folder) === 'folder' &&
    tree.below(folder).every((path) => wasRead.has(path) || tree.kind(path) === 'symlink');
  const contents = outermost(folders.filter(isWhole));
  const isCovered = (path: string) => contents.some((folder) => isBelow(path, folder));
  return {
    contents,
    names: folders.filter((folder) => !isCovered(folder)),
    files: [...wasRead].filter((path) => !isCovered(path)).sort(),
  };
}

function outermost(folders: readonly string[]): string[] {
  return folders.filter((folder) => !folders.some((other) => other !== folder && isBelow(folder, other)));
}

function isBelow(path: string, folder: string): boolean {
  return folder === '.' || path === folder || path.startsWith(`${folder}/`);
}

/** The path itself, or what stands in its way: a symlink, or a submodule, whose commit stands for all below it. */
function pinnedPath(tree: CommitTree, path: string): string {
  for (let above = path; above !== '.'; above = folderOf(above)) {
    const kind = tree.kind(above);
    if (kind === 'symlink' || kind === 'submodule') return above;
  }
  return path;
}

/** One spelling: renderers ask for `./base` and `base/` too. */
function plainPath(path: string): string {
  const parts: string[] = [];
  for (const part of path.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  }
  return parts.length === 0 ? '.' : parts.join('/');
}
