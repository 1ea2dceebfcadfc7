import { Stop } from '../errors.ts';
import type { PushedImage } from '../model/image.ts';
import { mostRejected, type PolicyMemory } from '../model/image-memory.ts';
import type { ScalarEdit } from '../yaml/scalars.ts';
import { isFollowed, replaces } from './compare-tags.ts';
import type { Follower, Following } from './followers.ts';
import { placeKeys, type ImagePlace } from './image-places.ts';

/** What becomes of the images that one policy follows. */
export interface Decision {
  /** What is to stand there; absent: nothing changes. */
  readonly chosen?: PushedImage;
  /** Of the chosen one; none where it stands there already. */
  readonly edits: readonly { readonly place: ImagePlace; readonly edit: ScalarEdit }[];
  /** Why each of the others is not written. */
  readonly reasons: readonly string[];
  /** What is remembered of the policy once the edits are written. */
  readonly memory: PolicyMemory;
  /** The tag of the chosen one stands in every place, and leads elsewhere now. */
  readonly isMoved?: boolean;
}

/** Throws Stop for a policy that cannot be followed, and for a place that would come to name another image. */
export function decideImage(
  { name, following, places, missing, advice }: Follower,
  images: readonly PushedImage[],
  memory: PolicyMemory = { rejected: [] },
): Decision {
  const followed = images.filter(({ tag }) => isFollowed(following, tag, name));
  const reasons = images
    .filter((image) => !followed.includes(image))
    .map(({ tag }) => `its policy does not follow the tag ${tag}`);
  if (followed.length === 0) return { edits: [], reasons, memory };
  const found = places();
  // A name that was mistyped must not look like one that is written.
  reasons.push(...(missing?.() ?? []));
  if (found.length === 0) {
    const reason = `the image stands nowhere that it may be edited; ${advice}`;
    return { edits: [], reasons: [...reasons, reason], memory };
  }
  const current = standingTag(found, following, memory, name);
  const rejected = rejectedBy(following, memory, found, name);
  let chosen: PushedImage | undefined;
  for (const image of followed) {
    const standing = chosen?.tag ?? current;
    const at = chosen === undefined ? memory.at : chosen.at;
    const reason = reasonAgainst(image, { following, rejected, standing, at, name });
    if (reason === undefined) chosen = image;
    else reasons.push(reason);
  }
  if (chosen === undefined) return { edits: [], reasons, memory: { ...memory, rejected } };
  const edits = editsOf(found, chosen, following, name);
  if (edits.length === 0) reasons.push(`it stands at ${chosen.tag} already`);
  const { tag, digest, at } = chosen;
  const next = {
    last: tag,
    ...(digest !== undefined && { digest }),
    ...(at !== undefined && { at }),
    places: placeKeys(found, edits),
    rejected,
  };
  const isMoved = found.every(({ current: { tag: there = tag } }) => there === tag);
  return { chosen, edits, reasons, memory: next, isMoved };
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

/**
 * The tag that a policy stands at: of several places the one that it puts before the others. Where only time tells, that is
 * what was written last, if it stands anywhere; and so where places name digests alone.
 */
export function standingTag(
  places: readonly ImagePlace[],
  following: Following,
  { last }: Pick<PolicyMemory, 'last'>,
  name: string,
): string | undefined {
  const tags = places.flatMap(({ current: { tag } }) => tag ?? []);
  if (tags.length === 0) return last;
  if (following.policy.newest !== undefined)
    return last !== undefined && tags.includes(last) ? last : tags[0];
  return tags.reduce<string | undefined>(
    (highest, tag) => (highest === undefined || replaces(following, tag, highest, name) ? tag : highest),
    undefined,
  );
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

/**
 * What was written last and, in a place where it was written, stands no more though what stands there is older: a person took
 * it back, there at least. What stands everywhere again, somebody wants again.
 */
function rejectedBy(
  following: Following,
  memory: PolicyMemory,
  found: readonly ImagePlace[],
  name: string,
): readonly string[] {
  const back = takenBack(following, memory, found, name);
  const all = back === undefined ? memory.rejected : [...new Set([...memory.rejected, back])];
  return all.filter((entry) => !standsEverywhere(entry, found)).slice(-mostRejected);
}

/** As it is rejected: the tag, or the tag with its digest where the tag stands and only what it leads to was taken back. */
function takenBack(
  following: Following,
  { last, digest, places }: PolicyMemory,
  found: readonly ImagePlace[],
  name: string,
): string | undefined {
  if (last === undefined) return undefined;
  // A place that came since was never written to: it is brought along, and nobody took anything back by it.
  // Where none of those is found any more (a file was renamed), any of these may be one.
  const isWritten = ({ key }: ImagePlace) => places?.includes(key) === true;
  const written = found.some(isWritten) ? found.filter(isWritten) : found;
  const tags = written.flatMap(({ current: { tag } }) => tag ?? []);
  if (tags.some((tag) => tag !== last && replaces(following, last, tag, name))) return last;
  const isAt = tags.every((tag) => tag === last);
  const isElsewhere = written.some(({ current }) => (current.digest ?? digest) !== digest);
  return isAt && digest !== undefined && isElsewhere ? `${last}@${digest}` : undefined;
}

function standsEverywhere(entry: string, found: readonly ImagePlace[]): boolean {
  const [tag, digest] = entry.split('@');
  const tags = found.flatMap(({ current }) => current.tag ?? []);
  const digests = found.flatMap(({ current }) => current.digest ?? []);
  // Of a tag alone, digests say nothing.
  const isThere = digest === undefined ? tags.length > 0 : digests.length > 0;
  return (
    isThere &&
    tags.every((one) => one === tag) &&
    (digest === undefined || digests.every((one) => one === digest))
  );
}
