import { withCommit, type Promoted, type PromotionProposal } from './model/promoted.ts';
import { isoTime } from './model/time.ts';
import type { Clock, Store } from './ports.ts';
import { noteWaiting, replacePromoted } from './promoted-book.ts';
import {
  proposePromotion,
  tellProposal,
  type ProposalOutcome,
  type ProposePromotionDeps,
} from './propose-promotion.ts';

type Proposing = Parameters<typeof proposePromotion>[0];

interface ProposeDeps {
  readonly store: Store;
  readonly clock: Pick<Clock, 'now'>;
  readonly proposals: ProposePromotionDeps;
  /** As `installationName` gives it. */
  readonly installation: string;
}

/** What the gates of an environment say. */
interface Gates {
  readonly own: Promoted;
  /** The commit that the environment before has. */
  readonly sha: string | undefined;
  /** When that was followed there, in milliseconds since the epoch: so the commit of a proposal is the same when it is made again. */
  readonly at: number;
  /** Which gate is closed, if any. */
  readonly held: string | undefined;
}

type Outcome =
  | { readonly kind: 'same'; readonly sha?: string | undefined }
  | { readonly kind: 'waits'; readonly sha: string | undefined; readonly why: string }
  | {
      readonly kind: 'promoted';
      readonly commit: {
        readonly sha: string;
        readonly at: string;
        readonly by: string;
        readonly reason: string;
      };
    };

/**
 * A look at one environment that gets commits by pull request. While a gate is closed nothing is proposed, and the status of
 * what was proposed before says so. The document only remembers; host and branch are asked each time.
 */
export async function promoteByPullRequest(
  repository: Proposing,
  { own, sha, at, held }: Gates,
  { store, clock, proposals, installation }: ProposeDeps,
): Promise<Outcome> {
  const now = isoTime(clock.now());
  const wait = async (why: string): Promise<Outcome> => {
    await noteWaiting(store, own, { why, ...(sha !== undefined && { sha }), at: now });
    return { kind: 'waits', sha, why };
  };
  // Nothing that the host would know of.
  if (held !== undefined && own.proposal === undefined) return wait(held);
  const wanted = { sha: sha ?? '', at, own, held };
  const outcome = await proposePromotion(repository, wanted, { ...proposals, installation });
  const { proposal: known, waiting: _, ...others } = own;
  if (outcome.kind === 'left') {
    const { why, open } = outcome;
    if (open === undefined) return wait(why);
    const said = await tellProposal(repository, open, why, proposals);
    if (said === open.told) return wait(why);
    const waiting = { why, ...(sha !== undefined && { sha }), at: now };
    await replacePromoted(store, own, { ...own, proposal: { ...open, told: said }, waiting });
    return { kind: 'waits', sha, why };
  }
  if (outcome.kind === 'mixed') {
    // Not a promotion of ours; and nothing of that commit is proposed again.
    const [{ why }, settled = ''] = [outcome, known?.sha];
    await replacePromoted(store, own, {
      ...others,
      matches: settled,
      waiting: { sha: settled, why, at: now },
    });
    return { kind: 'waits', sha, why };
  }
  if (outcome.kind === 'matches') {
    const why = `${repository.promotion.from} does not have it any more`;
    if (known !== undefined) await tellProposal(repository, known, why, proposals);
    await replacePromoted(store, own, { ...others, ...(sha !== undefined && { matches: sha }) });
    return { kind: 'same', sha };
  }
  if (outcome.kind === 'merged') {
    const commit = { sha: known?.sha ?? '', at: now, by: outcome.by, reason: outcome.reason };
    const isOurs = await replacePromoted(store, own, withCommit({ ...others }, commit));
    return isOurs ? { kind: 'promoted', commit } : { kind: 'same' };
  }
  const proposal = await told(repository, outcome, { held, proposals });
  const waiting = { why: outcome.why, ...(sha !== undefined && { sha }), at: now };
  const isNews = JSON.stringify([proposal, outcome.why]) !== JSON.stringify([known, own.waiting?.why ?? '']);
  if (isNews) await replacePromoted(store, own, { ...others, proposal, waiting });
  return { kind: 'waits', sha, why: outcome.why };
}

async function told(
  repository: Proposing,
  { proposal }: Extract<ProposalOutcome, { kind: 'proposed' }>,
  { held, proposals }: { readonly held: string | undefined; readonly proposals: ProposePromotionDeps },
): Promise<PromotionProposal> {
  return { ...proposal, told: await tellProposal(repository, proposal, held, proposals) };
}
