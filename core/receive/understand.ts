import { kindOf } from '../contract/artifact.ts';
import { followsPullRequests } from '../contract/pull-requests.ts';
import type { RepositoryConfig } from '../contract/repository.ts';
import { trackedRef } from '../contract/tracked-ref.ts';
import { digestOf } from '../model/digest.ts';
import type { Image } from '../model/image.ts';
import { configuredAt, trackedBy } from './match-repository.ts';
import { absentSha, type PullHint, type PushHint, type Reading } from './reading.ts';

/** A push to a ref that a configured repository tracks; once for each such repository. A hint only (rule 2). */
export interface TrackedPush {
  /** Name in the stack configuration. */
  readonly repository: string;
  readonly ref: string;
  readonly before: string;
  readonly after: string;
}

/** A pull request of a configured repository that something is to be done about; a hint only. */
export interface FollowedPull extends Omit<PullHint, 'repository'> {
  /** Name in the stack configuration. */
  readonly repository: string;
}

/** What a reading asks of this installation. */
export type Understood =
  | {
      readonly kind: 'wanted';
      readonly deliveryId?: string | undefined;
      readonly event: string;
      readonly pushes: readonly TrackedPush[];
      readonly images: readonly Image[];
      readonly pulls: readonly FollowedPull[];
      /** The body names the moment of what it tells, so that nothing else can have the same bytes. */
      readonly stamped: boolean;
    }
  | Extract<Reading, { kind: 'ignored' | 'invalid' }>;

/** Reasons of one delivery that are told in full; a push may name a thousand refs. */
const mostReasons = 3;

/** Finds the repositories that a reading is about. */
export function understand(reading: Reading, repositories: readonly RepositoryConfig[]): Understood {
  if (reading.kind === 'pushes') return understandPushes(reading, repositories);
  if (reading.kind === 'pulls') return understandPulls(reading, repositories);
  if (reading.kind !== 'images') return reading;
  const { deliveryId, event, images, stamped } = reading;
  const pushes = images.flatMap((image) => artifactPushes(image, repositories));
  return { kind: 'wanted', deliveryId, event, pushes, images, pulls: [], stamped };
}

/** Under which cosign keeps signatures of a digest, and under which registries list what refers to it. */
const signatureTag = /^sha256-([0-9a-f]{64})(?:\.sig)?$/;

/** An artifact that is a repository is pushed to like any other; one whose signature comes later is looked at again. */
function artifactPushes(image: Image, repositories: readonly RepositoryConfig[]): readonly TrackedPush[] {
  const artifacts = repositories.filter(({ url }) => kindOf(url) === 'oci');
  const urls = [`oci://${image.repository.replace(/^docker\.io\//, 'registry-1.docker.io/')}`];
  const [, signed] = signatureTag.exec(image.tag) ?? [];
  // Where the registry does not say which digest it was, the tag stands for it: no artifact has that revision.
  const digest = image.digest ?? digestOf([image.repository, image.tag]);
  const push = {
    repository: { fullName: image.repository, urls },
    ref: `refs/tags/${image.tag}`,
    before: absentSha,
    after: signed ?? digest.replace(/^sha\d+:/, ''),
  };
  const hints = artifacts.map((artifact) => {
    const isOfSignature = signed !== undefined && artifact.verify?.cosign !== undefined;
    return { artifact, push: isOfSignature ? { ...push, ref: trackedRef(artifact) } : push };
  });
  return hints.flatMap(({ artifact, push: hint }) => {
    const tracked = trackedBy(hint, [artifact]);
    return 'names' in tracked ? [trackedPush(artifact.name, hint)] : [];
  });
}

function understandPushes(
  { deliveryId, event, pushes, stamped }: Extract<Reading, { kind: 'pushes' }>,
  repositories: readonly RepositoryConfig[],
): Understood {
  const found = pushes.map((push) => ({ push, tracked: trackedBy(push, repositories) }));
  const wanted = found.flatMap(({ push, tracked }) =>
    'names' in tracked ? tracked.names.map((repository) => trackedPush(repository, push)) : [],
  );
  if (wanted.length > 0) {
    return { kind: 'wanted', deliveryId, event, pushes: wanted, images: [], pulls: [], stamped };
  }
  const reasons = found.flatMap(({ tracked }) => ('reason' in tracked ? [tracked.reason] : []));
  return { kind: 'ignored', deliveryId, event, reason: inShort(reasons) };
}

/** Whichever branch it is for: one that was moved to another branch is news to whoever followed it. */
function understandPulls(
  { deliveryId, event, pulls, stamped }: Extract<Reading, { kind: 'pulls' }>,
  repositories: readonly RepositoryConfig[],
): Understood {
  const found = pulls.map((pull) => ({ pull, known: configuredAt(pull.repository, repositories) }));
  const followed = found.flatMap(({ pull: { repository: _hint, ...pull }, known }) =>
    'repositories' in known
      ? known.repositories
          .filter(followsPullRequests)
          .map(({ name: repository }): FollowedPull => ({ repository, ...pull }))
      : [],
  );
  if (followed.length > 0) {
    return { kind: 'wanted', deliveryId, event, pushes: [], images: [], pulls: followed, stamped };
  }
  const reasons = found.map(({ known }) =>
    'reason' in known
      ? known.reason
      : `repository ${known.repositories.map(({ name }) => name).join(', ')} is configured for nothing that follows pull requests`,
  );
  return { kind: 'ignored', deliveryId, event, reason: inShort(reasons) };
}

function inShort(reasons: readonly string[]): string {
  const all = [...new Set(reasons)];
  const rest = all.length - mostReasons;
  return [...all.slice(0, mostReasons), ...(rest > 0 ? [`and ${rest} more`] : [])].join('; ');
}

function trackedPush(repository: string, { ref, before, after }: PushHint): TrackedPush {
  return { repository, ref, before, after };
}
