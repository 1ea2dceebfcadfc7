import type { ImageFacts } from '../model/image.ts';
import type { ImagePolicy } from '../model/image-policy.ts';
import { isFollowed, replaces } from './compare-tags.ts';

/** Tags that a registry has, as one policy looks at them. */
export interface TagLook {
  readonly following: Pick<ImagePolicy, 'policy' | 'filter'>;
  readonly tags: readonly string[];
  /** Those followed that were there at the last look; absent at the first. */
  readonly seen: readonly string[] | undefined;
  /** Those that events told of since: what was pushed last of them is written already. */
  readonly told: readonly string[];
  /** The tag that the policy stands at; asked for only where it matters. */
  readonly standing: () => string | undefined;
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
 * The tag that the policy puts before all others. Where the newest wins, of those that came since the last look and that no
 * event told of the one that was built last; registries tell no time of a push. One that may have been pushed before what
 * stands there never replaces it. Throws Stop for a faulty policy.
 */
export async function newestTag(look: TagLook, facts: Facts): Promise<NewestTag> {
  const { following, tags, seen, policy } = look;
  const followed = tags.filter((tag) => isFollowed(following, tag, policy));
  if (following.policy.newest === undefined) {
    const best = followed.reduce<string | undefined>(
      (highest, tag) => (highest === undefined || replaces(following, tag, highest, policy) ? tag : highest),
      undefined,
    );
    return best === undefined ? {} : { tag: best };
  }
  const known = new Set([...(seen ?? []), ...look.told]);
  const fresh = followed.filter((tag) => !known.has(tag));
  const [single, ...more] = followed;
  if (single !== undefined && more.length === 0)
    return { tag: single, isKnown: fresh.length === 0, seen: followed };
  if (fresh.length === 0) return { seen: followed };
  if (fresh.length > mostAsked) {
    const told = `${fresh.length} tags at once are more than are asked about; the next ones are followed`;
    return { seen: followed, told };
  }
  const tag = await builtLast(fresh, followed, look, facts);
  return { ...(tag !== undefined && { tag }), seen: followed };
}

type Facts = (tag: string) => Promise<ImageFacts | undefined>;

async function builtLast(
  fresh: readonly string[],
  followed: readonly string[],
  { seen = [], told, standing }: TagLook,
  facts: Facts,
): Promise<string | undefined> {
  const current = standing();
  let newest: { readonly tag: string; readonly created: string } | undefined;
  // What stands there since the last look may have been pushed after any of these.
  const isSince = current !== undefined && (told.includes(current) || !seen.includes(current));
  if (isSince && followed.includes(current)) {
    const created = (await facts(current))?.created;
    if (created === undefined) return undefined;
    newest = { tag: current, created };
  }
  for (const tag of fresh) {
    if (tag === current) continue;
    const created = (await facts(tag))?.created ?? '';
    const isTied = created === newest?.created && newest.tag !== current;
    if (newest === undefined || isTied || created > newest.created) newest = { tag, created };
  }
  return newest?.tag;
}
