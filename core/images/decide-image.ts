import { Stop } from '../errors.ts';
import type { PushedImage } from '../model/image.ts';
import type { PolicyMemory } from '../model/image-memory.ts';
import type { ScalarEdit } from '../yaml/scalars.ts';
import { isFollowed, replaces } from './compare-tags.ts';
import type { Follower, Following } from './followers.ts';
import type { ImagePlace } from './image-places.ts';

/** What becomes of the images that one policy follows. */
export interface Decision {
  /** What is to stand there; absent: nothing changes. */
  readonly chosen?: PushedImage;
  /** Of the chosen one; none where it stands there already. */
  readonly edits: readonly { readonly place: ImagePlace; readonly edit: ScalarEdit }[];
  /** Why each of the others is not written. */
  readonly reasons: readonly string[];
  readonly rejected: readonly string[];
  /** Tag that stands there. */
  readonly current?: string | undefined;
}

/** Throws Stop for a policy that cannot be followed, and for a place that would come to name another image. */
export function decideImage(
  { name, following, places, advice }: Follower,
  images: readonly PushedImage[],
  memory: PolicyMemory = { rejected: [] },
): Decision {
  const followed = images.filter(({ tag }) => isFollowed(following, tag, name));
  const reasons = images
    .filter((image) => !followed.includes(image))
    .map(({ tag }) => `its policy does not follow the tag ${tag}`);
  const nothing = { edits: [], rejected: memory.rejected };
  if (followed.length === 0) return { ...nothing, reasons };
  const found = places();
  if (found.length === 0) {
    const reason = `the image stands nowhere that it may be edited; ${advice}`;
    return { ...nothing, reasons: [...reasons, reason] };
  }
  const current = found.find((place) => place.current.tag !== undefined)?.current.tag;
  const rejected = rejectedBy(following, memory, current, name);
  let chosen: PushedImage | undefined;
  for (const image of followed) {
    const standing = chosen?.tag ?? current;
    const at = chosen === undefined ? memory.at : chosen.at;
    const reason = reasonAgainst(image, { following, rejected, standing, at, name });
    if (reason === undefined) chosen = image;
    else reasons.push(reason);
  }
  if (chosen === undefined) return { edits: [], reasons, rejected };
  const edits = editsOf(found, chosen, following, name);
  if (edits.length === 0) reasons.push(`it stands at ${chosen.tag} already`);
  return { chosen, edits, reasons, rejected, current };
}

interface Standing {
  readonly following: Following;
  readonly rejected: readonly string[];
  readonly standing: string | undefined;
  /** When the push of what stands there was told of, where that is known. */
  readonly at: string | undefined;
  readonly name: string;
}

/** Why an image is not to be written; undefined where it is. */
function reasonAgainst(
  { tag, digest, at }: PushedImage,
  { following, rejected, standing, at: before, name }: Standing,
): string | undefined {
  if (rejected.includes(tag) || (digest !== undefined && rejected.includes(`${tag}@${digest}`)))
    return `a person took ${tag} back; write it by hand, or push another tag`;
  if (standing !== undefined && !replaces(following, tag, standing, name) && standing !== tag)
    return `${standing} stands there, which its policy puts before ${tag}`;
  // Only time tells which of two pushes is the newer: of a tag that moves, and where the newest wins.
  const isTimed = following.policy.newest !== undefined || standing === tag;
  return isTimed && at !== undefined && before !== undefined && at < before
    ? 'a later push was written already'
    : undefined;
}

/** Whether a policy takes no image without its digest. */
export function isPinned({ following, places }: Pick<Follower, 'following' | 'places'>): boolean {
  return following.digest === 'always' || places().some(({ current }) => current.digest !== undefined);
}

function editsOf(
  found: readonly ImagePlace[],
  { tag, digest }: PushedImage,
  following: Following,
  name: string,
): Decision['edits'] {
  const hasDigest = isPinned({ following, places: () => found });
  if (hasDigest && digest === undefined) {
    const [place] = found;
    const subject = place === undefined ? name : `${place.file}:${place.scalar.line}`;
    const message = `is pinned by digest, and none is known of the tag ${tag}; name it as REPOSITORY:TAG@DIGEST`;
    throw new Stop({ subject, message });
  }
  const next = { repository: following.image, tag, ...(hasDigest && digest !== undefined && { digest }) };
  return found.flatMap((place) => {
    const edit = place.edit(next);
    return edit === undefined ? [] : [{ place, edit }];
  });
}

/** Of one policy: the oldest are forgotten. */
export const mostRejected = 50;

/**
 * What was written last and stands there no more, though what stands there is older: a person took it back. What stands
 * there again, somebody wants again.
 */
function rejectedBy(
  following: Following,
  { last, rejected }: PolicyMemory,
  current: string | undefined,
  name: string,
): readonly string[] {
  const isBack =
    last !== undefined &&
    current !== undefined &&
    current !== last &&
    replaces(following, last, current, name);
  const all = isBack ? [...new Set([...rejected, last])] : rejected;
  return all.filter((tag) => tag !== current).slice(-mostRejected);
}
