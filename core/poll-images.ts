import { keys } from './contract/keys.ts';
import { imageWriterOf, type RepositoryConfig } from './contract/repository.ts';
import { readDocument, updateDocument } from './documents.ts';
import { Retry, faultsOf, messageOf } from './errors.ts';
import { canonicalRepository } from './images/image-reference.ts';
import { newestTag } from './images/newest-tag.ts';
import { isPinned } from './images/decide-image.ts';
import { followersIn, type Follower } from './images/followers.ts';
import { planImageUpdate } from './images/plan-update.ts';
import { pendingImages } from './images/proposals.ts';
import { readImageCheckout } from './images/read-checkout.ts';
import { digestOf } from './model/digest.ts';
import type { PushedImage } from './model/image.ts';
import { imageMemorySchema, imageTagsSchema } from './model/image-memory.ts';
import { isoTime } from './model/time.ts';
import { updateImages, type ImagesOutcome, type UpdateImagesDeps } from './update-images.ts';

/** Images that one poll asks about; the rest come in the next ones. */
const mostImages = 200;

export interface ImagePoll {
  /** In words, for the log. */
  readonly told: readonly string[];
  readonly outcomes: readonly ImagesOutcome[];
}

/**
 * Asks the declared registries for the tags of every followed image, and writes what the policies ask for: what an event told
 * of is there already, and what none told of comes now. Pull requests are brought up to date with it. A registry that does not
 * answer is left alone until the next poll.
 */
export async function pollImages(deps: UpdateImagesDeps, pollMinutes: number): Promise<ImagePoll> {
  const told: string[] = [];
  const missed: PushedImage[] = [];
  const looks: { readonly name: string; readonly seen: Seen }[] = [];
  for (const repository of deps.config.repositories) {
    const { name, images } = repository;
    if (images === undefined) continue;
    try {
      const found = await lookFor(imageWriterOf(repository), deps, pollMinutes);
      missed.push(...found.missed);
      looks.push({ name, seen: found.seen });
      told.push(...found.told.map((line) => `${name}: ${line}`));
    } catch (error) {
      if (!(error instanceof Retry) && faultsOf(error) === undefined) throw error;
      told.push(`${name}: not looked at: ${messageOf(error)}`);
    }
  }
  const names = [...new Set(missed.map(({ repository, tag }) => `${repository}:${tag}`))];
  if (names.length > 0)
    told.push(`missed: ${names.slice(0, 10).join(', ')}${names.length > 10 ? ', …' : ''}`);
  const outcomes = await updateImages(missed, deps);
  const faulty = new Set(
    outcomes.flatMap(({ repository, faults }) => (faults.length > 0 ? [repository] : [])),
  );
  // Not before, nor where it was not written: what is remembered is not looked at again.
  for (const { name, seen } of looks) if (!faulty.has(name)) await remember(name, seen, deps);
  return { told, outcomes };
}

type Seen = Readonly<Record<string, readonly string[]>>;

interface Found {
  readonly missed: readonly PushedImage[];
  readonly seen: Seen;
  readonly told: readonly string[];
}

async function lookFor(
  repository: RepositoryConfig,
  deps: UpdateImagesDeps,
  pollMinutes: number,
): Promise<Found> {
  const nothing = { missed: [], seen: {} };
  const head = await deps.git.head(repository);
  if (head === undefined) return { ...nothing, told: ['it has no tracked branch'] };
  await using worktree = await deps.git.checkout(repository, head);
  if (worktree === undefined) return { ...nothing, told: ['its branch moved meanwhile'] };
  const checkout = await readImageCheckout(worktree, repository, () => true);
  const byImage = Map.groupBy(followersIn(checkout), ({ following }) => canonicalRepository(following.image));
  const turn = turnOf([...byImage.values()], deps.clock.now(), pollMinutes);
  const { candidates, seen, told } = await askRegistries(turn, repository, deps);
  const memory = (await readDocument(deps.store, keys.images(repository.name), imageMemorySchema))?.value;
  const images = candidates.map(({ image }) => image);
  const { changes } = planImageUpdate({ ...checkout, images, memory: memory?.policies ?? {} });
  const known = new Set(candidates.filter(({ isKnown }) => isKnown).map(({ image }) => image));
  const pending = pendingImages(Object.values(memory?.proposals ?? {}));
  // Only what would change something: the rest was told of, and need not be looked at twice.
  const due = changes.filter(
    ({ image, isMoved }) => (isMoved || !known.has(image)) && !isAmong(pending, image),
  );
  return { missed: [...new Set(due.map(({ image }) => image))], seen, told };
}

function isAmong(pending: readonly PushedImage[], { policy, tag, digest }: PushedImage): boolean {
  return pending.some(
    (one) => one.policy === policy && one.tag === tag && (digest === undefined || one.digest === digest),
  );
}

/** Where there are more than one poll asks about, each poll has its turn of them. */
function turnOf<T>(all: readonly T[], now: number, pollMinutes: number): readonly T[] {
  if (all.length <= mostImages) return all;
  const turn = Math.floor(now / (pollMinutes * 60_000)) % Math.ceil(all.length / mostImages);
  return all.slice(turn * mostImages, (turn + 1) * mostImages);
}

interface Candidate {
  readonly image: PushedImage;
  /** It was there before: only where it leads to can be new. */
  readonly isKnown: boolean;
}

async function askRegistries(
  images: readonly (readonly Follower[])[],
  { name }: RepositoryConfig,
  { registries, store, clock }: UpdateImagesDeps,
): Promise<{ candidates: Candidate[]; seen: Seen; told: string[] }> {
  const known = (await readDocument(store, keys.imageTags(name), imageTagsSchema))?.value.policies ?? {};
  const candidates: Candidate[] = [];
  const seen: Record<string, readonly string[]> = {};
  const told: string[] = [];
  // A host that refuses or is busy is not asked about its other images.
  const silent = new Set<string>();
  for (const followers of images) {
    const [first] = followers;
    const image = first?.following.image ?? '';
    const host = canonicalRepository(image).split('/')[0] ?? '';
    if (silent.has(host)) continue;
    try {
      const tags = await registries.tags(image);
      if (tags === undefined) continue;
      for (const follower of followers) {
        const { name: policy, following } = follower;
        const facts = (tag: string) => registries.facts(image, tag);
        const look = await newestTag({ following, tags, seen: known[policy], policy }, facts);
        if (look.seen !== undefined) seen[policy] = look.seen;
        if (look.told !== undefined) told.push(`${policy}: ${look.told}`);
        const { tag, isKnown = false } = look;
        if (tag === undefined) continue;
        // Else it is asked for when it is written: some registries count every question.
        const digest = isPinned(follower) ? (await facts(tag))?.digest : undefined;
        const at = isoTime(clock.now());
        const pushed: PushedImage = {
          repository: image,
          tag,
          policy,
          at,
          ...(digest !== undefined && { digest }),
        };
        candidates.push({ image: pushed, isKnown });
      }
    } catch (error) {
      if (error instanceof Retry) silent.add(host);
      else if (faultsOf(error) === undefined) throw error;
      told.push(`${image}: not asked: ${messageOf(error)}`);
    }
  }
  return { candidates, seen, told };
}

async function remember(repository: string, seen: Seen, { store }: UpdateImagesDeps): Promise<void> {
  if (Object.keys(seen).length === 0) return;
  const copies = Object.fromEntries(Object.entries(seen).map(([policy, tags]) => [policy, [...tags]]));
  await updateDocument(store, keys.imageTags(repository), imageTagsSchema, (current) => {
    const policies = { ...current?.policies, ...copies };
    if (current !== undefined && digestOf(policies) === digestOf(current.policies)) return undefined;
    return { version: 1 as const, seq: (current?.seq ?? 0) + 1, policies };
  });
}
