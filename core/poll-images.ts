import { keys } from './contract/keys.ts';
import { imageWriterOf, type RepositoryConfig } from './contract/repository.ts';
import { readDocument } from './documents.ts';
import { Retry, Stop, faultsOf, messageOf } from './errors.ts';
import { rememberTags, type TagNews } from './image-memory-book.ts';
import { canonicalRepository } from './images/image-reference.ts';
import { newestTag, type NewestTag, type TagLook } from './images/newest-tag.ts';
import { isPinned, standingTag } from './images/decide-image.ts';
import { followersIn, type Follower } from './images/followers.ts';
import { planImageUpdate } from './images/plan-update.ts';
import { pendingImages } from './images/proposals.ts';
import { readImageCheckout } from './images/read-checkout.ts';
import type { ImageFacts, PushedImage } from './model/image.ts';
import { imageMemorySchema, imageTagsSchema, type ImageMemory } from './model/image-memory.ts';
import { isoTime } from './model/time.ts';
import { tryImages, type ImagesOutcome, type UpdateImagesDeps } from './update-images.ts';

/** Images that one poll asks about; the rest come in the next ones. */
const mostImages = 200;
/** So long registries are asked; a function has time to write what was found then. */
const askingMs = 120_000;

export interface ImagePoll {
  /** In words, for the log. */
  readonly told: readonly string[];
  readonly outcomes: readonly ImagesOutcome[];
}

/**
 * Asks the declared registries for the tags of every followed image, and writes what the policies ask for: what an event told
 * of is there already, and what none told of comes now. Pull requests are brought up to date with it. A registry that does not
 * answer is left alone until the next poll; where time runs out, that one goes on where this one stopped.
 */
export async function pollImages(deps: UpdateImagesDeps): Promise<ImagePoll> {
  const told: string[] = [];
  const missed: PushedImage[] = [];
  const looks: { readonly name: string; readonly news: TagNews }[] = [];
  const end = deps.clock.now() + askingMs;
  const followed = deps.config.repositories.filter(({ images }) => images !== undefined);
  for (const [index, repository] of followed.entries()) {
    const { name } = repository;
    // What is left of the time, shared: one with many images leaves the others theirs.
    const now = deps.clock.now();
    const until = now + (end - now) / (followed.length - index);
    try {
      const found = await lookFor(imageWriterOf(repository), deps, until);
      missed.push(...found.missed);
      looks.push({ name, news: found.news });
      told.push(...found.told.map((line) => `${name}: ${line}`));
    } catch (error) {
      if (!(error instanceof Retry) && faultsOf(error) === undefined) throw error;
      told.push(`${name}: not looked at: ${messageOf(error)}`);
    }
  }
  const names = [...new Set(missed.map(({ repository, tag }) => `${repository}:${tag}`))];
  if (names.length > 0)
    told.push(`missed: ${names.slice(0, 10).join(', ')}${names.length > 10 ? ', …' : ''}`);
  const { outcomes, later } = await tryImages(missed, deps);
  const written = new Set(
    outcomes.flatMap(({ repository, faults }) => (faults.length === 0 ? [repository] : [])),
  );
  for (const { name, news } of looks) {
    // Not before, nor where it was not written: what is remembered is not looked at again.
    const { after = null } = news;
    await rememberTags(deps.store, name, written.has(name) ? news : { after });
  }
  // One that is refused for a while leaves the looks at all others remembered.
  if (later !== undefined) throw later;
  return { told, outcomes };
}

interface Found {
  readonly missed: readonly PushedImage[];
  readonly news: TagNews;
  readonly told: readonly string[];
}

async function lookFor(repository: RepositoryConfig, deps: UpdateImagesDeps, until: number): Promise<Found> {
  const nothing = { missed: [], news: {} };
  const head = await deps.git.head(repository);
  if (head === undefined) return { ...nothing, told: ['it has no tracked branch'] };
  await using worktree = await deps.git.checkout(repository, head);
  if (worktree === undefined) return { ...nothing, told: ['its branch moved meanwhile'] };
  const checkout = await readImageCheckout(worktree, repository, () => true);
  const memory = (await readDocument(deps.store, keys.images(repository.name), imageMemorySchema))?.value;
  const pending = pendingImages(Object.values(memory?.proposals ?? {}));
  const policies = memory?.policies ?? {};
  const asked = await askRegistries(followersIn(checkout), { repository, policies, pending, until }, deps);
  const { candidates, news, told } = asked;
  const images = candidates.map(({ image }) => image);
  const { changes } = planImageUpdate({ ...checkout, images, memory: policies });
  const known = new Set(candidates.filter(({ isKnown }) => isKnown).map(({ image }) => image));
  // Only what would change something: the rest was told of, and need not be looked at twice.
  const due = changes.filter(
    ({ image, isMoved }) => (isMoved || !known.has(image)) && !isAmong(pending, image),
  );
  return { missed: [...new Set(due.map(({ image }) => image))], news, told };
}

function isAmong(pending: readonly PushedImage[], { policy, tag, digest }: PushedImage): boolean {
  return pending.some(
    (one) => one.policy === policy && one.tag === tag && (digest === undefined || one.digest === digest),
  );
}

/** Followers by image, those first that come after the one at which the last poll stopped. */
function inTurn(
  followers: readonly Follower[],
  after: string | undefined,
): readonly (readonly [image: string, followers: readonly Follower[]])[] {
  const byImage = Map.groupBy(followers, ({ following }) => canonicalRepository(following.image));
  const all = [...byImage].toSorted(([a], [b]) => (a < b ? -1 : 1));
  const isDue = ([image]: (typeof all)[number]) => after === undefined || image > after;
  return [...all.filter(isDue), ...all.filter((one) => !isDue(one))];
}

interface Candidate {
  readonly image: PushedImage;
  /** It was there before: only where it leads to can be new. */
  readonly isKnown: boolean;
}

interface Asking {
  readonly repository: RepositoryConfig;
  readonly policies: ImageMemory['policies'];
  /** Proposed, and not merged. */
  readonly pending: readonly PushedImage[];
  /** Milliseconds since the epoch, at which the next poll takes over. */
  readonly until: number;
}

interface Asked {
  readonly candidates: Candidate[];
  readonly news: TagNews;
  readonly told: string[];
}

async function askRegistries(
  followers: readonly Follower[],
  { repository, policies, pending, until }: Asking,
  { registries, store, clock }: UpdateImagesDeps,
): Promise<Asked> {
  const known = (await readDocument(store, keys.imageTags(repository.name), imageTagsSchema))?.value;
  const candidates: Candidate[] = [];
  const seen: Record<string, readonly string[]> = {};
  const told: string[] = [];
  // A host that refuses or is busy is not asked about its other images.
  const silent = new Set<string>();
  const all = inTurn(followers, known?.after);
  let last: string | undefined;
  let count = 0;
  for (const [image, own] of all) {
    if (count === mostImages || (count > 0 && clock.now() >= until)) break;
    count += 1;
    last = image;
    const host = image.split('/')[0] ?? '';
    if (silent.has(host)) continue;
    try {
      // What is pushed from now on is the newer, though its event may come before this is written.
      const at = isoTime(clock.now());
      const named = own[0]?.following.image ?? image;
      const tags = await registries.tags(named);
      if (tags === undefined) continue;
      const facts = async (tag: string) => {
        if (clock.now() >= until) throw new Retry({ subject: image, message: 'there is no time left' });
        return registries.facts(named, tag);
      };
      for (const follower of own) {
        const { name: policy } = follower;
        const before = { seen: known?.policies[policy], told: known?.told?.[policy] ?? [] };
        try {
          const look = await lookAt(follower, { tags, ...before, policies, pending }, facts);
          if (look.told !== undefined) told.push(`${policy}: ${look.told}`);
          const { tag, digest, isKnown = false } = look;
          const pushed = { repository: named, policy, at, ...(digest !== undefined && { digest }) };
          if (tag !== undefined) candidates.push({ image: { ...pushed, tag }, isKnown });
          if (look.seen !== undefined) seen[policy] = look.seen;
        } catch (error) {
          // Whatever the registry says concerns all of them; what is wrong with one policy, no other.
          if (!(error instanceof Stop)) throw error;
          told.push(`${policy}: not looked at: ${messageOf(error)}`);
        }
      }
    } catch (error) {
      if (error instanceof Retry) silent.add(host);
      else if (faultsOf(error) === undefined) throw error;
      told.push(`${image}: not asked: ${messageOf(error)}`);
    }
  }
  const isWhole = count === all.length;
  if (!isWhole) told.push(`${all.length - count} of ${all.length} images are left for the next poll`);
  return { candidates, news: { seen, after: isWhole || last === undefined ? null : last }, told };
}

type Looked = NewestTag & { readonly digest?: string };

/** What one policy makes of the tags. A digest is asked for where a place is pinned: some registries count every question. */
async function lookAt(
  follower: Follower,
  {
    policies,
    pending,
    ...look
  }: Pick<TagLook, 'tags' | 'seen' | 'told'> & Pick<Asking, 'policies' | 'pending'>,
  facts: (tag: string) => Promise<ImageFacts | undefined>,
): Promise<Looked> {
  const { name: policy, following, places } = follower;
  const standing = () =>
    pending.find((one) => one.policy === policy)?.tag ??
    standingTag(places(), following, policies[policy] ?? {}, policy);
  const newest = await newestTag({ following, ...look, standing, policy }, facts);
  if (newest.tag === undefined || !isPinned(follower)) return newest;
  const digest = (await facts(newest.tag))?.digest;
  return { ...newest, ...(digest !== undefined && { digest }) };
}
