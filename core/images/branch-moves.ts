import type { RepositoryConfig } from '../contract/repository.ts';
import type { GitHost, PullRequest } from '../host-ports.ts';
import type { ImageProposal } from '../model/image-memory.ts';
import type { Git } from '../ports.ts';
import type { ImageUpdate } from './plan-update.ts';
import type { ProposedBranch } from './proposals.ts';

/** What is to be done about one branch. */
export interface Move {
  readonly branch: string;
  /** What is remembered of it before anything is done; absent at the end where it is closed. */
  readonly intent: ImageProposal;
  /** Where the branch is. */
  readonly at: string | undefined;
  readonly pull: PullRequest | undefined;
  readonly todo: 'nothing' | 'close' | 'forget' | 'propose' | 'push';
  /** Where there is something to push or propose. */
  readonly one?: ProposedBranch;
  readonly left?: ImageUpdate['left'];
}

/** Where it is to be done, and how its pull requests stand. */
export interface Place {
  readonly repository: RepositoryConfig;
  readonly standing: ReadonlyMap<string, PullRequest | undefined>;
  readonly deps: { readonly git: Pick<Git, 'heads' | 'checkout'>; readonly host: GitHost };
  /** Whether nothing can be said of a policy for now, since the checkout is faulty: what is proposed for it is kept. */
  readonly isUndecided: (policy: string) => boolean;
}

/** Nothing is done yet: what each branch needs, by where it is and whose commits are on it. */
export async function movesFor(
  wanted: readonly ProposedBranch[],
  proposals: Readonly<Record<string, ImageProposal>>,
  place: Place,
): Promise<readonly Move[]> {
  const { repository, standing, deps } = place;
  const moves: Move[] = [];
  const heads = await headsOf(
    wanted.map(({ branch }) => branch),
    place,
  );
  for (const one of wanted) {
    const { branch } = one;
    const pull = standing.has(branch)
      ? standing.get(branch)
      : await deps.host.pullRequestFrom(repository, branch);
    moves.push(await moveFor(one, { pull, at: heads.get(branch), before: proposals[branch] }, place));
  }
  for (const [branch, proposal] of Object.entries(proposals)) {
    if (wanted.some((one) => one.branch === branch)) continue;
    const pull = standing.get(branch);
    if (waitingOf(proposal, place).length > 0) {
      moves.push({ branch, intent: proposal, at: undefined, pull, todo: 'nothing' });
      continue;
    }
    const sha = pull?.head.sha;
    const isTheirs = sha !== undefined && sha !== proposal.sha && !(await isOurs(sha, branch, place));
    // Of nothing: should we die right after closing it, that rejects nothing.
    const intent = { ...proposal, images: [] };
    moves.push({ branch, intent, at: undefined, pull, todo: isTheirs ? 'forget' : 'close' });
  }
  return moves;
}

async function moveFor(
  one: ProposedBranch,
  { pull, at, before }: Pick<Move, 'pull' | 'at'> & { readonly before: ImageProposal | undefined },
  place: Place,
): Promise<Move> {
  const { branch } = one;
  const undecided = waitingOf(before, place);
  const wanted = { ...one.wanted, ...(undecided.length > 0 && { waiting: undecided }) };
  const isOpen = pull?.state === 'open';
  const ends = isOpen ? { pullRequest: pull.id } : pull !== undefined && { before: pull.id };
  const known = before?.sha === undefined ? {} : { sha: before.sha };
  // Without a pull request, too: opening it may have failed after our push.
  const mayHold = isOpen || pull === undefined;
  if (mayHold && at !== undefined && at !== before?.sha && !(await isOurs(at, branch, place))) {
    const reason = `somebody pushed to ${branch}; ${pull === undefined ? 'delete it' : `merge or close ${pull.url}`}`;
    const left = wanted.images.map(({ policy }) => ({ policy, reason }));
    // Remembered, for when it is merged or closed.
    const waiting = [...undecided, ...wanted.images];
    const held = { images: before?.images ?? [], content: before?.content ?? '', waiting };
    return { branch, intent: { ...held, ...ends, ...known }, at, pull, todo: 'nothing', left };
  }
  const isPushed = before?.content === wanted.content && at !== undefined && before.sha === at;
  if (!isPushed) return { branch, intent: { ...wanted, ...ends }, at, pull, todo: 'push', one };
  const intent = { ...wanted, ...ends, ...known };
  return { branch, intent, at, pull, todo: isOpen ? 'nothing' : 'propose', one };
}

function waitingOf(before: ImageProposal | undefined, { isUndecided }: Place): ImageProposal['images'] {
  const all = [...(before?.images ?? []), ...(before?.waiting ?? [])];
  return all.filter(({ policy }) => isUndecided(policy));
}

/** Where branches are, for one question to the host. */
async function headsOf(
  branches: readonly string[],
  { repository, deps }: Pick<Place, 'repository' | 'deps'>,
): Promise<ReadonlyMap<string, string>> {
  if (branches.length === 0) return new Map();
  const heads = await deps.git.heads(branches.map((branch) => ({ ...repository, name: branch, branch })));
  return new Map([...heads].map(([branch, { sha }]) => [branch, sha]));
}

/** Whether the commit is one that we made: a function may have died before it remembered its push. */
async function isOurs(
  sha: string,
  branch: string,
  { repository: { verify: _verify, ...repository }, deps }: Place,
): Promise<boolean> {
  await using worktree = await deps.git.checkout({ ...repository, branch }, sha);
  const email = repository.images?.author.email;
  // Gone by now: the push finds that out.
  return worktree === undefined || worktree.commit.committer.email === email;
}
