import { digestOf } from '../model/digest.ts';

/** Mode and object id of each path of a commit, as a worktree has them. */
type Tree = ReadonlyMap<string, string>;

/** What carries a commit over to an environment. */
export interface PromotionChange {
  /** New texts of files that are there. */
  readonly files: ReadonlyMap<string, string>;
  /** Paths that are to be as the commit has them; those that it has not go. */
  readonly restore: readonly string[];
  /** Equal for equal changes. */
  readonly content: string;
}

/** The whole commit: every file and symlink that differs. Submodules stay, which are repositories of their own. */
export function planWhole(commit: Tree, head: Tree): PromotionChange {
  const paths = [...new Set([...commit.keys(), ...head.keys()])];
  const restore = paths
    .filter((path) => commit.get(path) !== head.get(path))
    .filter((path) => isFile(commit.get(path)) && isFile(head.get(path)))
    .sort();
  const content = digestOf(restore.map((path) => [path, commit.get(path) ?? null]));
  return { files: new Map(), restore, content };
}

/** Texts that differ, by the path that they are carried to. */
export function planFiles(
  carried: readonly { readonly to: string; readonly now: string; readonly next: string }[],
): PromotionChange {
  const changed = carried.filter(({ now, next }) => now !== next);
  const files = new Map(changed.map(({ to, next }) => [to, next]));
  return { files, restore: [], content: digestOf([...files]) };
}

function isFile(entry: string | undefined): boolean {
  return entry === undefined || entry.startsWith('100') || entry.startsWith('120000');
}
