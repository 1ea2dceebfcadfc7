import { promotionBranches } from './contract/promotion.ts';
import type { promotionWriterOf } from './contract/repository.ts';
import { trackedRef } from './contract/tracked-ref.ts';
import type { GitHost, PullRequest } from './host-ports.ts';
import type { Promoted, PromotionProposal } from './model/promoted.ts';
import type { Git, Worktree } from './ports.ts';
import { planFiles, planWhole, type PromotionChange } from './promotions/plan-promotion.ts';
import type { GitWriter } from './write-ports.ts';

export interface ProposePromotionDeps {
  readonly git: Pick<Git, 'head' | 'checkout'>;
  readonly writer: GitWriter;
  readonly host: Pick<GitHost, 'propose' | 'pullRequestFrom' | 'approvals' | 'status'>;
}

type Proposing = NonNullable<ReturnType<typeof promotionWriterOf>>;

/** What came of proposing a commit. */
export type ProposalOutcome =
  /** The environment has all of it already. */
  | { readonly kind: 'matches' }
  /** Somebody merged what was proposed before. */
  | { readonly kind: 'merged'; readonly by: string; readonly reason: string }
  | { readonly kind: 'proposed'; readonly proposal: PromotionProposal; readonly why: string }
  | { readonly kind: 'left'; readonly why: string };

/** The commit to be carried over; `held`: why not now. */
interface Wanted {
  readonly sha: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly own: Promoted;
  readonly held: string | undefined;
}

const left = (why: string): ProposalOutcome => ({ kind: 'left', why });

/**
 * Opens the pull request that carries a commit over to the branch of an environment, or brings it up to date: its branch holds
 * one commit on top of the head, made anew when the contents would be others. What people do wins: one that they
 * closed comes again with other contents only, and a branch that they pushed to is left alone. May be asked twice.
 */
export async function proposePromotion(
  repository: Proposing,
  { sha, at, own, held }: Wanted,
  deps: ProposePromotionDeps,
): Promise<ProposalOutcome> {
  const branch = `${promotionBranches}${repository.name}`;
  const known = own.proposal;
  const found = await deps.host.pullRequestFrom(repository, branch);
  if (known !== undefined && found?.state === 'merged' && found.id === known.id) {
    return { kind: 'merged', by: await whoApproved(repository, found, deps), reason: found.url };
  }
  const isOpen = found?.state === 'open';
  const isOurs = known !== undefined && found?.id === known.id;
  if (isOpen && isOurs && found.head.sha !== known.head)
    return left(`${found.url}: somebody pushed to its branch, which is theirs now`);
  if (held !== undefined)
    return isOpen && isOurs ? { kind: 'proposed', proposal: known, why: held } : left(held);
  const head = await deps.git.head(repository);
  if (head === undefined) return left(`it has no ${trackedRef(repository)}`);
  const isCurrent = isOpen && isOurs && known.sha === sha && known.base === head;
  if (isCurrent) return { kind: 'proposed', proposal: known, why: `waits for the merge of ${known.url}` };
  const planned = await plan(repository, { sha, head }, deps);
  if ('why' in planned) return left(planned.why);
  const { files, restore, content } = planned;
  if (files.size + restore.length === 0) return { kind: 'matches' };
  const isSame = isOurs && known.content === content;
  if (isSame && found.state === 'closed') return left(`${found.url} was closed`);
  const why = (url: string) => `waits for the merge of ${url}`;
  if (isSame && isOpen)
    return { kind: 'proposed', proposal: { ...known, sha, base: head }, why: why(known.url) };
  const { promotion } = repository;
  const text = describe(repository, sha, [...files.keys(), ...restore]);
  const { author, signingKeySecret, labels } = promotion;
  const commit = {
    parent: head,
    files,
    ...(restore.length > 0 && { restore: { from: sha, paths: restore } }),
    message: text.message,
    author,
    at,
    ...(signingKeySecret !== undefined && { signingKeySecret }),
  };
  // Whoever was faster with a newer commit keeps the branch.
  const expected = isOpen && isOurs ? { expected: known.head } : {};
  const pushed = await deps.writer.commit(repository, commit, { name: branch, replaces: true, ...expected });
  if (pushed.kind === 'moved') return left('its branch moved under us; it is looked at again');
  const into = trackedRef(repository).replace('refs/heads/', '');
  const { title, body } = text;
  const { id, url } = await deps.host.propose(repository, { branch, into, title, body, labels });
  return {
    kind: 'proposed',
    proposal: { sha, base: head, content, head: pushed.sha, id, url },
    why: why(url),
  };
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
  const given = reviews === 0 ? 0 : await approvalsOf(repository, proposal, deps);
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

async function plan(
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
  files: readonly { readonly from: string; readonly to: string }[],
  { tip, commit }: { readonly tip: Worktree; readonly commit: Worktree },
): Promise<PromotionChange | { readonly why: string }> {
  const absent = files.find(({ from, to }) => !commit.ids.has(from) || !tip.ids.has(to));
  if (absent !== undefined) {
    const path = commit.ids.has(absent.from) ? absent.to : absent.from;
    return { why: `there is no file ${path}: only contents of files that are there are carried over` };
  }
  const texts: { to: string; now: string; next: string }[] = [];
  for (const { from, to } of files) {
    texts.push({ to, now: await tip.text(to), next: await commit.text(from) });
  }
  return planFiles(texts);
}

const mostFiles = 30;

function describe({ name, promotion }: Proposing, sha: string, files: readonly string[]) {
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
  ].join('\n');
  return { title, body, message: `${title}\n\nFrom commit ${sha}.` };
}
