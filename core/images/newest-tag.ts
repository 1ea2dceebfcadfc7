import type { ImageFacts } from '../model/image.ts';
import type { ImagePolicy } from '../model/image-policy.ts';
import { isFollowed, replaces } from './compare-tags.ts';

/** Tags that a registry has, as one policy looks at them. */
export interface TagLook {
  readonly following: Pick<ImagePolicy, 'policy' | 'filter'>;
  readonly tags: readonly string[];
  /** Those followed that were there at the last look; absent at the first. */
  readonly seen: readonly string[] | undefined;
  readonly policy: string;
}

export interface NewestTag {
  readonly tag?: string;
  /** It was there before: only where it leads to can be new. */
  readonly isKnown?: boolean;
  /** To be remembered, where the next look needs it. */
  readonly seen?: readonly string[];
  /** What is not as one may expect. */
  readonly told?: string;
}

/** Of whose builds one look asks, where only time tells which is the newest. */
const mostAsked = 30;

/**
 * The tag that the policy puts before all others. Where the newest wins, of those that came since the last look the one that
 * was built last; registries tell no time of a push. Throws Stop for a faulty policy.
 */
export async function newestTag(
  { following, tags, seen, policy }: TagLook,
  facts: (tag: string) => Promise<ImageFacts | undefined>,
): Promise<NewestTag> {
  const followed = tags.filter((tag) => isFollowed(following, tag, policy));
  if (following.policy.newest === undefined) {
    const best = followed.reduce<string | undefined>(
      (highest, tag) => (highest === undefined || replaces(following, tag, highest, policy) ? tag : highest),
      undefined,
    );
    return best === undefined ? {} : { tag: best };
  }
  const known = new Set(seen);
  const fresh = followed.filter((tag) => !known.has(tag));
  const [single, ...more] = followed;
  if (single !== undefined && more.length === 0)
    return { tag: single, isKnown: fresh.length === 0, seen: followed };
  if (fresh.length === 0) return { seen: followed };
  if (fresh.length > mostAsked) {
    const told = `${fresh.length} tags at once are more than are asked about; the next ones are followed`;
    return { seen: followed, told };
  }
  let newest: { readonly tag: string; readonly created: string } | undefined;
  for (const tag of fresh) {
    const created = (await facts(tag))?.created ?? '';
    if (newest === undefined || created >= newest.created) newest = { tag, created };
  }
  return { ...(newest !== undefined && { tag: newest.tag }), seen: followed };
}
