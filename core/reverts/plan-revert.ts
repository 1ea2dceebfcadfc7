/** Mode and object id of each path of a commit, as a worktree has them. */
export type Tree = ReadonlyMap<string, string>;

/** The commits between which something is taken back, and the one on top of which that is done. */
export interface RevertTrees {
  readonly good: Tree;
  readonly bad: Tree;
  readonly head: Tree;
}

export interface RevertPlan {
  /** Paths that are to be as the good commit has them; those that it has not go. */
  readonly restore: readonly string[];
  /** Paths that the head has otherwise than the bad commit: somebody changed them since. */
  readonly changed: readonly string[];
}

/**
 * What takes a change of these folders and files back, file by file. What has been taken back already is left as it is, and
 * so are folders (of whose files this tells), and submodules, which are repositories of their own.
 */
export function planRevert({ good, bad, head }: RevertTrees, scope: readonly string[]): RevertPlan {
  const paths = [...new Set([...good.keys(), ...bad.keys()])].filter(
    (path) => scope.some((own) => isBelow(path, own)) && good.get(path) !== bad.get(path),
  );
  const files = paths.filter((path) => [good, bad, head].every((tree) => isFile(tree.get(path)))).sort();
  const open = files.filter((path) => head.get(path) !== good.get(path));
  return {
    restore: open.filter((path) => head.get(path) === bad.get(path)),
    changed: open.filter((path) => head.get(path) !== bad.get(path)),
  };
}

/** A regular file, a symlink, or nothing. */
function isFile(entry: string | undefined): boolean {
  return entry === undefined || entry.startsWith('100') || entry.startsWith('120000');
}

function isBelow(path: string, folder: string): boolean {
  return path !== '.' && (folder === '.' || path === folder || path.startsWith(`${folder}/`));
}
