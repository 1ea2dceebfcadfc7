import { imageBranches } from '../contract/images.ts';
import { digestOf } from '../model/digest.ts';
import type { PushedImage } from '../model/image.ts';
import {
  mostRejected,
  type ImageMemory,
  type ImageProposal,
  type OwnPush,
  type PolicyMemory,
  type ProposedImage,
} from '../model/image-memory.ts';
import type { PullRequest } from '../host-ports.ts';
import { ownPush, type BranchPlace } from './own-push.ts';
import type { CheckoutPlan } from './plan-checkout.ts';
import { filesWith, type ImageChange } from './plan-update.ts';

/** What one branch is to change. */
export interface ProposedBranch {
  readonly branch: string;
  readonly changes: readonly ImageChange[];
  /** Whole new texts by path. */
  readonly files: ReadonlyMap<string, string>;
  readonly wanted: Pick<OwnPush, 'images' | 'content'>;
}

/** Changes of one plan by the branch that each is proposed from; `owner` begins its name: of whose branches it is. */
export function proposedBranches(
  owner: string,
  group: 'repository' | 'application',
  { changes, texts, memory }: Pick<CheckoutPlan, 'changes' | 'texts' | 'memory'>,
): readonly ProposedBranch[] {
  const branchOf = ({ application, policy }: ImageChange): string => {
    if (group === 'repository') return `${imageBranches}${owner}/all`;
    // A policy of Flux belongs to no application of ours.
    const own = application === undefined ? `policy/${policy}` : `application/${application}`;
    return `${imageBranches}${owner}/${own.replaceAll(/[^\w/-]+/g, '-')}`;
  };
  return [...Map.groupBy(changes, branchOf)].map(([branch, own]) => {
    const files = filesWith(texts, own);
    return { branch, changes: own, files, wanted: wantedOf(own, files, memory) };
  });
}

function wantedOf(
  changes: readonly ImageChange[],
  texts: ReadonlyMap<string, string>,
  memory: ImageMemory['policies'],
): ProposedBranch['wanted'] {
  const byPolicy = new Map(changes.map((change) => [change.policy, change]));
  const images = [...byPolicy.values()].map(({ policy, isMoved, image }) => {
    const { repository, tag, digest, at } = image;
    const places = memory[policy]?.places;
    return {
      policy,
      repository,
      tag,
      ...(digest !== undefined && { digest }),
      ...(at !== undefined && { at }),
      ...(places !== undefined && { places }),
      // A tag that moves is followed still, though not to where it led then.
      rejects: isMoved && digest !== undefined ? `${tag}@${digest}` : tag,
    };
  });
  return { images, content: digestOf([...texts].toSorted(([a], [b]) => (a < b ? -1 : 1))) };
}

/** Images of proposals, each for its policy: every look plans those anew that are not merged yet. */
function imagesOf(proposed: readonly ProposedImage[]): readonly PushedImage[] {
  return proposed.map(({ policy, repository, tag, digest, at }) => ({
    policy,
    repository,
    tag,
    ...(digest !== undefined && { digest }),
    ...(at !== undefined && { at }),
  }));
}

/** Images that are proposed and not merged yet. */
export function pendingImages(proposals: readonly ImageProposal[]): readonly PushedImage[] {
  return proposals.flatMap(({ images, waiting = [] }) => imagesOf([...images, ...waiting]));
}

/** How a proposal ended, in the memory of its policies: a person's no is remembered, and what was merged is written. */
function withEnded(
  policies: ImageMemory['policies'],
  held: readonly ProposedImage[],
  ending: 'merged' | 'rejected',
): ImageMemory['policies'] {
  const next = held.map(({ policy, tag, digest, at, places, rejects }): [string, PolicyMemory] => {
    const { rejected, ...before } = policies[policy] ?? { rejected: [] };
    if (ending === 'rejected')
      return [policy, { ...before, rejected: [...new Set([...rejected, rejects])].slice(-mostRejected) }];
    const more = {
      ...(digest !== undefined && { digest }),
      ...(at !== undefined && { at }),
      ...(places !== undefined && { places }),
    };
    return [policy, { last: tag, ...more, rejected }];
  });
  return { ...policies, ...Object.fromEntries(next) };
}

/**
 * What a branch of ours held when its pull request ended, by the push of ours that it ended at. Of somebody else's commit on
 * top, only that is certain which all pushes have that may be below it.
 */
function heldBy({ pushes }: ImageProposal, end: OwnPush | undefined): readonly ProposedImage[] {
  if (end !== undefined) return end.images;
  // The last that is known to have arrived, and those that may have since.
  const arrived = pushes.findLastIndex(({ sha }) => sha !== undefined);
  const [first, ...more] = pushes.slice(Math.max(arrived, 0));
  return (first?.images ?? []).filter((image) => more.every(({ images }) => isAmong(image, images)));
}

/** Of a pull request that ended: what it held is settled, and a push that came too late for it is known as ours still. */
function ended({ pushes }: ImageProposal, before: string): ImageProposal {
  return { images: [], pushes: withoutImages(pushes), before };
}

export function withoutImages(pushes: readonly OwnPush[]): OwnPush[] {
  return pushes.map((push) => ({ ...push, images: [] }));
}

function isAmong({ policy, tag, digest }: ProposedImage, all: readonly ProposedImage[]): boolean {
  return all.some((one) => one.policy === policy && one.tag === tag && one.digest === digest);
}

type Proposals = Readonly<Record<string, ImageProposal>>;

interface Settled {
  readonly policies: ImageMemory['policies'];
  readonly proposals: Proposals;
  /** What those that ended never held. */
  readonly waiting: readonly PushedImage[];
}

/** How things stood before, and at the host. */
interface Unsettled {
  readonly policies: ImageMemory['policies'];
  readonly proposals: Proposals;
  readonly standing: ReadonlyMap<string, PullRequest | undefined>;
}

/** Without the proposals that ended, and what people said by that. */
export async function settled(before: Unsettled, place: Omit<BranchPlace, 'branch'>): Promise<Settled> {
  let { policies } = before;
  const proposals: Record<string, ImageProposal> = {};
  const waiting: PushedImage[] = [];
  for (const [branch, proposal] of Object.entries(before.proposals)) {
    const pull = before.standing.get(branch);
    // One from the same branch that had ended before this one was begun.
    const isEarlier = pull !== undefined && pull.id === proposal.before && proposal.pullRequest === undefined;
    if (pull === undefined || pull.state === 'open' || isEarlier) {
      proposals[branch] = proposal;
      continue;
    }
    const held = heldBy(proposal, await ownPush(pull.head.sha, proposal.pushes, { ...place, branch }));
    policies = withEnded(policies, held, pull.state === 'merged' ? 'merged' : 'rejected');
    const others = proposal.images.filter((image) => !isAmong(image, held));
    waiting.push(...imagesOf([...others, ...(proposal.waiting ?? [])]));
    proposals[branch] = ended(proposal, pull.id);
  }
  return { policies, proposals, waiting };
}
