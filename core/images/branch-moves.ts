import type { RepositoryConfig } from '../contract/repository.ts';
import type { GitHost, PullRequest } from '../host-ports.ts';
import type { ImageProposal, OwnPush, ProposedImage } from '../model/image-memory.ts';
import type { Git, Worktree } from '../ports.ts';
import { isSameChange, isUnderOurName, ownPush, type BranchPlace } from './own-push.ts';
import type { ImageUpdate } from './plan-update.ts';
import { withoutImages, type ProposedBranch } from './proposals.ts';

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
  /** Where there is something to push: the one that is begun by it. */
  readonly begun?: OwnPush;
  readonly left?: ImageUpdate['left'];
}

/** Where it is to be done, and how its pull requests stand. */
export interface Place {
  readonly repository: RepositoryConfig;
  readonly head: Pick<Worktree, 'ids'>;
  readonly standing: ReadonlyMap<string, PullRequest | undefined>;
  readonly deps: { readonly git: Pick<Git, 'heads' | 'checkout'>; readonly host: GitHost };
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** Whether nothing can be said of a policy for now, since the checkout is faulty: what is proposed for it is kept. */
  readonly isUndecided: (policy: string) => boolean;
}

/** More are neither under way at once, nor between a look and the next. */
const mostPushes = 10;

/** Nothing is done yet: what each branch needs, by where it is and whose commits are on it. */
export async function movesFor(
  wanted: readonly ProposedBranch[],
  proposals: Readonly<Record<string, ImageProposal>>,
  place: Place,
): Promise<readonly Move[]> {
  const { repository, standing, deps } = place;
  const moves: Move[] = [];
  const names = [...wanted.map(({ branch }) => branch), ...Object.keys(proposals)];
  const heads = await headsOf([...new Set(names)], place);
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
    const at = heads.get(branch);
    const own = at === undefined || (await ownPush(at, proposal.pushes, placeOf(branch, place)));
    // Of nothing: should we die right after closing it, that rejects nothing.
    const intent = { ...proposal, images: [], pushes: withoutImages(proposal.pushes) };
    moves.push({ branch, intent, at, pull, todo: own === undefined ? 'forget' : 'close' });
  }
  return moves;
}

interface BranchState {
  readonly pull: PullRequest | undefined;
  readonly at: string | undefined;
  readonly before: ImageProposal | undefined;
}

async function moveFor(one: ProposedBranch, state: BranchState, place: Place): Promise<Move> {
  const { branch, wanted } = one;
  const { pull, at, before } = state;
  const undecided = without([], waitingOf(before, place));
  const isOpen = pull?.state === 'open';
  const ends = isOpen ? { pullRequest: pull.id } : pull !== undefined && { before: pull.id };
  const pushes = before?.pushes ?? [];
  const own = at === undefined ? undefined : await ownAt(at, one, pushes, place);
  const isFree = at === undefined || own !== undefined || (await isEnded(at, pull, placeOf(branch, place)));
  if (!isFree) {
    const remedy = isOpen ? `merge ${pull.url}, or close it and delete the branch` : 'delete it';
    const reason = `somebody pushed to ${branch}; ${remedy}`;
    const left = wanted.images.map(({ policy }) => ({ policy, reason }));
    // Remembered, for when it is merged or closed.
    const images = before?.images ?? [];
    const waiting = without(images, [...undecided, ...wanted.images]);
    const intent = { images, pushes, ...(waiting.length > 0 && { waiting }), ...ends };
    return { branch, intent, at, pull, todo: 'nothing', left };
  }
  const { images, content } = wanted;
  const intent = { images, ...(undecided.length > 0 && { waiting: undecided }), ...ends };
  if (own?.content === content) {
    const todo = isOpen ? 'nothing' : 'propose';
    const known = { ...intent, pushes: [...others(pushes, own), { ...own, images }] };
    return { branch, intent: known, at, pull, todo, one };
  }
  const begun = beginning(wanted, pushes, place);
  const known = own === undefined ? pushes : [...others(pushes, own), own];
  const all = [...others(known, begun), begun].slice(-mostPushes);
  return { branch, intent: { ...intent, pushes: all }, at, pull, todo: 'push', one, begun };
}

/**
 * Whether what a pull request held is nobody's any more: what was merged stands on the tracked branch, and of ours that was
 * closed nothing is remembered. What a person pushed and closed stands nowhere else.
 */
async function isEnded(at: string, pull: PullRequest | undefined, place: BranchPlace): Promise<boolean> {
  if (pull === undefined || pull.state === 'open' || pull.head.sha !== at) return false;
  return pull.state === 'merged' || isUnderOurName(at, place);
}

/** Those before may have been merged or closed in the moment before; others may be on their way in another function. */
function others(pushes: readonly OwnPush[], { at }: OwnPush): readonly OwnPush[] {
  return pushes.filter((push) => push.at !== at);
}

/** Of no other second than any before, by which it is known again; the same again where it is tried again. */
function beginning(
  { images, content }: ProposedBranch['wanted'],
  pushes: readonly OwnPush[],
  { now }: Pick<Place, 'now'>,
): OwnPush {
  const same = pushes.find((push) => push.sha === undefined && push.content === content);
  const at = same?.at ?? Math.max(now, ...pushes.map((push) => push.at + 1000));
  return { at, images, content };
}

/** What of ours the branch holds; undefined where that is somebody else's. */
async function ownAt(
  at: string,
  { branch, wanted, files }: ProposedBranch,
  pushes: readonly OwnPush[],
  place: Place,
): Promise<OwnPush | undefined> {
  const own = await ownPush(at, pushes, placeOf(branch, place));
  if (own !== undefined) return own;
  const isSame = await isSameChange(at, files, { ...placeOf(branch, place), head: place.head });
  return isSame ? { at: place.now, sha: at, ...wanted } : undefined;
}

function placeOf(branch: string, { repository, deps }: Pick<Place, 'repository' | 'deps'>) {
  return { repository, branch, git: deps.git };
}

function waitingOf(before: ImageProposal | undefined, { isUndecided }: Place): ImageProposal['images'] {
  const all = [...(before?.images ?? []), ...(before?.waiting ?? [])];
  return all.filter(({ policy }) => isUndecided(policy));
}

/** Each once, and none that is known already: every look finds the same ones again. */
function without(known: ImageProposal['images'], all: ImageProposal['images']): ImageProposal['images'] {
  const keyOf = ({ policy, tag, digest = '' }: ProposedImage) => `${policy} ${tag}@${digest}`;
  const there = new Set(known.map(keyOf));
  const rest = all.filter((image) => !there.has(keyOf(image)));
  return [...new Map(rest.map((image) => [keyOf(image), image])).values()];
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
