import { promotionBranch } from './contract/promotion.ts';
import { Stop } from './errors.ts';
import type { promotionWriterOf } from './contract/repository.ts';
import { trackedRef } from './contract/tracked-ref.ts';
import type { GitHost, PullRequest } from './host-ports.ts';
import type { Promoted, PromotionProposal } from './model/promoted.ts';
import { standingOf, type OwnedBranch } from './owned-branch.ts';
import type { Git, Worktree } from './ports.ts';
import { carryFields } from './promotions/carry-fields.ts';
import { planFiles, planWhole, type PromotionChange } from './promotions/plan-promotion.ts';
import type { GitWriter } from './write-ports.ts';

export interface ProposePromotionDeps {
  readonly git: Pick<Git, 'head' | 'heads' | 'checkout'>;
  readonly writer: GitWriter;
  readonly host: Pick<GitHost, 'propose' | 'pullRequest' | 'pullRequestFrom' | 'approvals' | 'status'>;
}

/** `installation`: its name, as `installationName` gives it. */
type ProposingDeps = ProposePromotionDeps & { readonly installation: string };

type Proposing = NonNullable<ReturnType<typeof promotionWriterOf>>;
type PromotedFile = NonNullable<Proposing['promotion']['files']>[number];

/** What came of proposing a commit. */
export type ProposalOutcome =
  /** The environment has all of it already. */
  | { readonly kind: 'matches' }
  /** Somebody merged what was proposed before. */
  | { readonly kind: 'merged'; readonly by: string; readonly reason: string }
  /** Somebody merged it with commits of others, and the environment has something else now than was proposed. */
  | { readonly kind: 'mixed'; readonly why: string }
  | { readonly kind: 'proposed'; readonly proposal: PromotionProposal; readonly why: string }
  /** `open`: what was proposed before stands there still, and is not what it should be. */
  | { readonly kind: 'left'; readonly why: string; readonly open?: PromotionProposal };

/** The commit to be carried over; `held`: why not now. */
interface Wanted {
  readonly sha: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly own: Promoted;
  readonly held: string | undefined;
}

/**
 * Opens the pull request that carries a commit over to the branch of an environment, or brings it up to date: its branch holds
 * one commit on top of the head, made anew when the contents would be others. What people do wins: one that they
 * closed comes again with other contents only, and a branch that they pushed to is left alone. May be asked twice.
 */
export async function proposePromotion(
  repository: Proposing,
  wanted: Wanted,
  deps: ProposingDeps,
): Promise<ProposalOutcome> {
  const { own, held } = wanted;
  const found = await newestPull(repository, own, deps);
  // What is open keeps its branch, whatever we would name it now.
  const branch = found?.state === 'open' ? found.head.branch : ownBranch(repository, deps);
  const known = own.proposal?.id === found?.id ? own.proposal : undefined;
  const isUntouched = found?.head.sha === known?.head;
  if (known !== undefined && found?.state === 'merged') {
    if (isUntouched || (await isCarried(repository, known, deps)))
      return { kind: 'merged', by: await whoApproved(repository, found, deps), reason: found.url };
    return { kind: 'mixed', why: `${found.url} was merged with commits of others: look what came of it` };
  }
  if (known !== undefined && found?.state === 'open' && !isUntouched) {
    const standing = await standingOf(repository, placeOf(repository, branch, deps), deps.git);
    if (standing.kind === 'theirs')
      return { kind: 'left', why: `${found.url}: somebody pushed to its branch, which is theirs now` };
  }
  // Died right after a push: what the branch holds is ours, and not remembered.
  const ours = isUntouched ? known : undefined;
  const open = found?.state === 'open' ? ours : undefined;
  if (held !== undefined)
    return open === undefined ? { kind: 'left', why: held } : { kind: 'proposed', proposal: open, why: held };
  const proposed = await bringUpToDate(repository, wanted, { branch, found, known, ours }, deps);
  return 'left' in proposed
    ? { kind: 'left', why: proposed.left, ...(open !== undefined && { open }) }
    : proposed;
}

/** The pull request that stands for the environment: of a branch that had another name once, the one that is remembered. */
async function newestPull(
  repository: Proposing,
  { proposal }: Promoted,
  deps: ProposingDeps,
): Promise<PullRequest | undefined> {
  const { host } = deps;
  const found = await host.pullRequestFrom(repository, ownBranch(repository, deps));
  if (found !== undefined || proposal === undefined) return found;
  const remembered = await host.pullRequest(repository, proposal.id);
  // Of another repository, should the environment have moved there: not ours.
  return remembered?.url === proposal.url ? remembered : undefined;
}

function ownBranch({ name }: Proposing, { installation }: ProposingDeps): string {
  return promotionBranch(installation, name);
}

/**
 * Under a name of an older version another installation of the same fleet may push too, and as the same author: there only
 * what is remembered is ours.
 */
function placeOf(repository: Proposing, branch: string, deps: ProposingDeps): OwnedBranch {
  const { email } = repository.promotion.author;
  return { branch, ...(branch === ownBranch(repository, deps) && { email }) };
}

/** How the branch of proposals stands. */
interface Standing {
  readonly branch: string;
  readonly found: PullRequest | undefined;
  /** What we proposed by the pull request that was found, whoever pushed to it since. */
  readonly known: PromotionProposal | undefined;
  /** The same where nobody did. */
  readonly ours: PromotionProposal | undefined;
}

async function bringUpToDate(
  repository: Proposing,
  { sha, at }: Wanted,
  { branch, found, known, ours }: Standing,
  deps: ProposingDeps,
): Promise<Exclude<ProposalOutcome, { kind: 'left' }> | { readonly left: string }> {
  const isOpen = found?.state === 'open';
  const head = await deps.git.head(repository);
  if (head === undefined) return { left: `it has no ${trackedRef(repository)}` };
  const waits = (proposal: PromotionProposal): ProposalOutcome & { kind: 'proposed' } => ({
    kind: 'proposed',
    proposal,
    why: `waits for the merge of ${proposal.url}`,
  });
  if (isOpen && ours?.sha === sha && ours.base === head) return waits(ours);
  const planned = await plan(repository, { sha, head }, deps);
  if ('why' in planned) return { left: planned.why };
  const { files, restore, content } = planned;
  if (files.size + restore.length === 0) return { kind: 'matches' };
  // Whatever its head is said to be: some hosts do not tell that of a closed one.
  if (found?.state === 'closed' && known?.content === content) return { left: `${found.url} was closed` };
  if (isOpen && ours?.content === content) return waits({ ...ours, sha, base: head });
  const { author, signingKeySecret, labels } = repository.promotion;
  // What was merged is lost nowhere.
  const harmless = [known?.head, found?.state === 'merged' ? found.head.sha : undefined];
  const place = {
    ...placeOf(repository, branch, deps),
    known: harmless.filter((one) => one !== undefined),
  };
  const standing = await standingOf(repository, place, deps.git);
  if (standing.kind === 'theirs') return { left: `somebody pushed to ${branch}: merge or delete it` };
  const { title, body, message } = describe(repository, { sha, ...deps }, [...files.keys(), ...restore]);
  const commit = {
    parent: head,
    files,
    ...(restore.length > 0 && { restore: { from: sha, paths: restore } }),
    message,
    author,
    at,
    ...(signingKeySecret !== undefined && { signingKeySecret }),
  };
  // Whoever was faster with a newer commit keeps the branch.
  const owned = { name: branch, replaces: true, expected: standing.at };
  const pushed = await deps.writer.commit(repository, commit, owned);
  if (pushed.kind === 'moved') return { left: 'its branch moved under us; it is looked at again' };
  const into = trackedRef(repository).replace('refs/heads/', '');
  const { id, url } = await deps.host.propose(repository, { branch, into, title, body, labels });
  return waits({ sha, base: head, content, head: pushed.sha, id, url });
}

/** Whether the environment has all that was proposed, and nothing else in its place. */
async function isCarried(
  repository: Proposing,
  { sha }: PromotionProposal,
  deps: ProposePromotionDeps,
): Promise<boolean> {
  const head = await deps.git.head(repository);
  if (head === undefined) return false;
  const planned = await plan(repository, { sha, head }, deps);
  return !('why' in planned) && planned.files.size + planned.restore.length === 0;
}

/**
 * Says at the proposed commit whether it may be merged, so that a rule of the host can require it: gates that were open when it
 * was proposed may have closed since. `why`: what is in the way. Returns what was told.
 */
export async function tellProposal(
  repository: Proposing,
  proposal: PromotionProposal,
  why: string | undefined,
  deps: ProposePromotionDeps,
): Promise<string> {
  const { reviews = 0, from } = repository.promotion;
  const given = reviews === 0 || why !== undefined ? reviews : await approvalsOf(repository, proposal, deps);
  const missing = given < reviews ? `${given} of ${reviews} approvals` : undefined;
  const description = why ?? missing ?? `${from} is good with it`;
  const state = (why ?? missing) === undefined ? 'success' : 'pending';
  const told = `${proposal.head} ${state}: ${description}`;
  if (told === proposal.told || repository.provider === 'codecommit') return told;
  await deps.host.status(repository, proposal.head, { context: 'trueup/promotion', state, description });
  return told;
}

async function approvalsOf(
  repository: Proposing,
  { id, head }: PromotionProposal,
  { host }: ProposePromotionDeps,
): Promise<number> {
  const approvals = await host.approvals(repository, id);
  // Of the commit that stands there now, where the host tells.
  return new Set(approvals.flatMap(({ by, sha = head }) => (sha === head ? [by] : []))).size;
}

async function whoApproved(
  repository: Proposing,
  { id }: PullRequest,
  { host }: ProposePromotionDeps,
): Promise<string> {
  const approvals = await host.approvals(repository, id);
  return [...new Set(approvals.map(({ by }) => by))].join(', ') || 'whoever merged it';
}

interface Commits {
  /** What is promoted. */
  readonly sha: string;
  /** Of the branch of the environment. */
  readonly head: string;
}

/** Of what cannot be read or is too large it says why. */
async function plan(
  repository: Proposing,
  commits: Commits,
  deps: ProposePromotionDeps,
): Promise<PromotionChange | { readonly why: string }> {
  try {
    return await planChange(repository, commits, deps);
  } catch (error) {
    if (error instanceof Stop) return { why: error.message };
    throw error;
  }
}

async function planChange(
  repository: Proposing,
  { sha, head }: Commits,
  { git }: ProposePromotionDeps,
): Promise<PromotionChange | { readonly why: string }> {
  await using tip = await git.checkout(repository, head);
  await using commit = await git.checkout(repository, sha);
  if (tip === undefined || commit === undefined)
    return { why: `its Git host does not have ${tip === undefined ? head : sha} any more` };
  const { files } = repository.promotion;
  if (files === undefined) return planWhole(commit.ids, tip.ids);
  return await carry(files, { tip, commit });
}

async function carry(
  files: readonly PromotedFile[],
  { tip, commit }: { readonly tip: Worktree; readonly commit: Worktree },
): Promise<PromotionChange | { readonly why: string }> {
  const absent = files.find(({ from, to }) => !commit.ids.has(from) || !tip.ids.has(to));
  if (absent !== undefined) {
    const path = commit.ids.has(absent.from) ? absent.to : absent.from;
    return { why: `there is no file ${path}: only contents of files that are there are carried over` };
  }
  // Several may lead into one file.
  const texts = new Map<string, { readonly to: string; readonly now: string; readonly next: string }>();
  for (const { from, to, fields } of files) {
    const { now, next } = texts.get(to) ?? (await textOf(tip, to));
    const given = await commit.text(from);
    const carried = fields === undefined ? given : carryFields([from, given], [to, next], fields);
    texts.set(to, { to, now, next: carried });
  }
  return planFiles([...texts.values()]);
}

async function textOf(tip: Worktree, path: string): Promise<{ readonly now: string; readonly next: string }> {
  const now = await tip.text(path);
  return { now, next: now };
}

const mostFiles = 30;

function describe(
  { name, promotion }: Proposing,
  { sha, installation }: Pick<Wanted, 'sha'> & Pick<ProposingDeps, 'installation'>,
  files: readonly string[],
) {
  const title = `Promote ${sha.slice(0, 7)} from ${promotion.from} to ${name}`;
  const shown = files.slice(0, mostFiles).map((file) => `- \`${file.replaceAll('`', '')}\``);
  const more = files.length > mostFiles ? [`- and ${files.length - mostFiles} more`] : [];
  const body = [
    `**${promotion.from}** runs commit ${sha}, and every gate for **${name}** was open when this was written.`,
    'The status `trueup/promotion` says whether they are now.',
    '',
    ...shown,
    ...more,
    '',
    'The branch is made anew for a newer commit. Close this to leave it: it comes again with other contents only.',
    `It is of the installation \`${installation}\`.`,
  ].join('\n');
  return { title, body, message: `${title}\n\nFrom commit ${sha}.\n\nTrueup-Installation: ${installation}` };
}
