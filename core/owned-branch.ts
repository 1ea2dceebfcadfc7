import type { RepositoryConfig } from './contract/repository.ts';
import { Retry } from './errors.ts';
import type { Git } from './ports.ts';

/** `free`: it may be replaced while it is at `at` (null: it is not there). `theirs`: it holds a commit of somebody else. */
type BranchStanding =
  { readonly kind: 'free'; readonly at: string | null } | { readonly kind: 'theirs'; readonly at: string };

export interface OwnedBranch {
  readonly branch: string;
  /** Of the author of our commits; absent: only those are ours that are known. */
  readonly email?: string;
  /** Commits on it that need not be looked at. */
  readonly known?: readonly string[];
}

/**
 * Whether a branch that bears one of our names may be replaced: whoever pushed to it may have done so before there was a pull
 * request to tell it by, and a function may have died before it remembered its own push. Throws
 * Retry where the host tells of its tip and does not give it: a replica that lags, or the branch has moved away by now.
 */
export async function standingOf(
  { verify: _verify, ...repository }: RepositoryConfig,
  { branch, email, known = [] }: OwnedBranch,
  git: Pick<Git, 'heads' | 'checkout'>,
): Promise<BranchStanding> {
  const place = { ...repository, name: branch, branch };
  const at = (await git.heads([place])).get(branch)?.sha;
  if (at === undefined) return { kind: 'free', at: null };
  if (known.includes(at)) return { kind: 'free', at };
  if (email === undefined) return { kind: 'theirs', at };
  await using tip = await git.checkout({ ...repository, branch }, at);
  if (tip === undefined) {
    const message = `its Git host does not give ${at}, the tip of ${branch}, yet: it is tried again`;
    throw new Retry({ subject: `repository ${repository.name}`, message });
  }
  return { kind: tip.commit.committer.email === email ? 'free' : 'theirs', at };
}
