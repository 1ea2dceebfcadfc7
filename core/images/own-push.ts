import type { RepositoryConfig } from '../contract/repository.ts';
import type { OwnPush } from '../model/image-memory.ts';
import { millisecondsOf } from '../model/time.ts';
import type { Git, Worktree } from '../ports.ts';

/** Where a branch is looked at. */
export interface BranchPlace {
  readonly repository: RepositoryConfig;
  readonly branch: string;
  readonly git: Pick<Git, 'checkout'>;
}

/**
 * Which of our pushes a commit is: by its SHA, or, where we died before we could remember that, by who committed it when. No
 * other commit is ours, whoever it says that it is of: another installation may commit under the same name.
 */
export async function ownPush(
  sha: string,
  pushes: readonly OwnPush[],
  place: BranchPlace,
): Promise<OwnPush | undefined> {
  const known = pushes.find((push) => push.sha === sha);
  const begun = pushes.filter((push) => push.sha === undefined);
  // Some hosts do not say where a pull request ended.
  if (known !== undefined || begun.length === 0 || sha === '') return known;
  await using worktree = await checkoutOf(sha, place);
  if (worktree === undefined || !isByUs(worktree, place)) return undefined;
  const second = secondOf(millisecondsOf(worktree.commit.committer.at));
  const found = begun.find(({ at }) => secondOf(at) === second);
  return found && { ...found, sha };
}

/** Whether a commit under our name has nothing but these texts over another one: then it needs not be pushed again. */
export async function isSameChange(
  sha: string,
  files: ReadonlyMap<string, string>,
  { head, ...place }: BranchPlace & { readonly head: Pick<Worktree, 'ids'> },
): Promise<boolean> {
  await using worktree = await checkoutOf(sha, place);
  if (worktree === undefined || !isByUs(worktree, place)) return false;
  const { ids } = worktree;
  const paths = new Set([...ids.keys(), ...head.ids.keys()]);
  const changed = [...paths].filter((path) => ids.get(path) !== head.ids.get(path) && !isFolder(path));
  if (changed.length !== files.size || !changed.every((path) => files.has(path) && ids.has(path)))
    return false;
  await worktree.prepare(changed);
  for (const path of changed) if ((await worktree.text(path)) !== files.get(path)) return false;
  return true;

  function isFolder(path: string): boolean {
    return [ids.get(path), head.ids.get(path)].every((id) => id === undefined || id.startsWith('040000'));
  }
}

/** Whether a commit says that it is ours. That is enough only where its pull request has ended: nobody waits for it. */
export async function isUnderOurName(sha: string, place: BranchPlace): Promise<boolean> {
  await using worktree = await checkoutOf(sha, place);
  return worktree !== undefined && isByUs(worktree, place);
}

function checkoutOf(sha: string, { repository, branch, git }: BranchPlace): Promise<Worktree | undefined> {
  // Nothing of it is deployed: whose signature it carries is no matter.
  const { verify: _, ...rest } = repository;
  return git.checkout({ ...rest, branch }, sha);
}

function isByUs({ commit }: Worktree, { repository }: BranchPlace): boolean {
  return commit.committer.email === repository.images?.author.email;
}

function secondOf(milliseconds: number): number {
  return Math.floor(milliseconds / 1000);
}
