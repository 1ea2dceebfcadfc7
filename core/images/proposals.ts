import { imageBranches } from '../contract/images.ts';
import { digestOf } from '../model/digest.ts';
import type { PushedImage } from '../model/image.ts';
import type { ImageMemory, ImageProposal } from '../model/image-memory.ts';
import type { PullRequest } from '../host-ports.ts';
import { mostRejected } from './decide-image.ts';
import { filesWith, type ImageChange } from './plan-update.ts';

/** What one branch is to change. */
export interface ProposedBranch {
  readonly branch: string;
  readonly changes: readonly ImageChange[];
  /** Whole new texts by path. */
  readonly files: ReadonlyMap<string, string>;
  readonly wanted: Pick<ImageProposal, 'images' | 'content'>;
}

/** Changes of one plan by the branch that each is proposed from. */
export function proposedBranches(
  repository: string,
  group: 'repository' | 'application',
  changes: readonly ImageChange[],
  files: ReadonlyMap<string, string>,
): readonly ProposedBranch[] {
  const branchOf = ({ application, policy }: ImageChange): string => {
    if (group === 'repository') return `${imageBranches}${repository}/all`;
    // A policy of Flux belongs to no application of ours.
    const own = application === undefined ? `policy/${policy}` : `application/${application}`;
    return `${imageBranches}${repository}/${own.replaceAll(/[^\w/-]+/g, '-')}`;
  };
  return [...Map.groupBy(changes, branchOf)].map(([branch, own]) => {
    const texts = filesWith(files, own);
    return { branch, changes: own, files: texts, wanted: wantedOf(own, texts) };
  });
}

function wantedOf(
  changes: readonly ImageChange[],
  texts: ReadonlyMap<string, string>,
): ProposedBranch['wanted'] {
  const byPolicy = new Map(changes.map((change) => [change.policy, change]));
  const images = [...byPolicy.values()].map(({ policy, isMoved, image }) => {
    const { repository, tag, digest, at } = image;
    return {
      policy,
      repository,
      tag,
      ...(digest !== undefined && { digest }),
      ...(at !== undefined && { at }),
      // A tag that moves is followed still, though not to where it led then.
      rejects: isMoved && digest !== undefined ? `${tag}@${digest}` : tag,
    };
  });
  return { images, content: digestOf([...texts].toSorted(([a], [b]) => (a < b ? -1 : 1))) };
}

/** Images of proposals, each for its policy: every look plans those anew that are not merged yet. */
function imagesOf(proposed: ImageProposal['images']): readonly PushedImage[] {
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
  { images }: ImageProposal,
  ending: 'merged' | 'rejected',
): ImageMemory['policies'] {
  const next = images.map(({ policy, tag, at, rejects }) => {
    const { rejected, ...before } = policies[policy] ?? { rejected: [] };
    if (ending === 'merged') return [policy, { last: tag, ...(at !== undefined && { at }), rejected }];
    return [policy, { ...before, rejected: [...new Set([...rejected, rejects])].slice(-mostRejected) }];
  });
  return { ...policies, ...Object.fromEntries(next) };
}

type Proposals = Readonly<Record<string, ImageProposal>>;

interface Settled {
  readonly policies: ImageMemory['policies'];
  readonly proposals: Proposals;
  /** What those that ended never held. */
  readonly waiting: readonly PushedImage[];
}

/** Without the proposals that ended, and what people said by that. */
export function settled(
  before: ImageMemory['policies'],
  all: Proposals,
  standing: ReadonlyMap<string, PullRequest | undefined>,
): Settled {
  let policies = before;
  const proposals: Record<string, ImageProposal> = {};
  const waiting: PushedImage[] = [];
  for (const [branch, proposal] of Object.entries(all)) {
    const pull = standing.get(branch);
    // One from the same branch that had ended before this one was begun.
    const isEarlier = pull !== undefined && pull.id === proposal.before && proposal.pullRequest === undefined;
    if (pull === undefined || pull.state === 'open' || isEarlier) {
      proposals[branch] = proposal;
      continue;
    }
    policies = withEnded(policies, proposal, pull.state === 'merged' ? 'merged' : 'rejected');
    waiting.push(...imagesOf(proposal.waiting ?? []));
  }
  return { policies, proposals, waiting };
}
