import { defaultImageAuthor } from './contract/images.ts';
import { keys } from './contract/keys.ts';
import { imageWriterOf, type RepositoryConfig } from './contract/repository.ts';
import { trackedRef } from './contract/tracked-ref.ts';
import { readDocument } from './documents.ts';
import { Retry, faultsOf } from './errors.ts';
import { rememberPolicies, rememberTags } from './image-memory-book.ts';
import { commitMessage } from './images/describe-update.ts';
import { askFacts, planCheckout } from './images/plan-checkout.ts';
import { filesWith } from './images/plan-update.ts';
import { digestOf } from './model/digest.ts';
import type { PushedImage } from './model/image.ts';
import { imageMemorySchema } from './model/image-memory.ts';
import { proposeImages, type ProposeDeps, type RepositoryOutcome } from './propose-images.ts';

export type UpdateImagesDeps = ProposeDeps;

export interface ImagesOutcome extends RepositoryOutcome {
  readonly repository: string;
}

/** Others push meanwhile, other images too: with each try one of them is done. */
const pushTries = 20;
const waitMs = 250;

/**
 * Writes images that were pushed to registries into the repositories whose applications follow them: one commit in each, on
 * top of the head that was read, or pull requests. Where somebody else was faster it reads and decides again, so that of two
 * images at the same time both are written. Doubled and late events change nothing: what stands there is newer, or the same.
 * Of no image, the pull requests are brought up to date.
 */
export async function updateImages(
  images: readonly PushedImage[],
  deps: UpdateImagesDeps,
): Promise<readonly ImagesOutcome[]> {
  const { outcomes, later } = await tryImages(images, deps);
  if (later !== undefined) throw later;
  return outcomes;
}

interface TriedImages {
  readonly outcomes: readonly ImagesOutcome[];
  /** What time may mend, of a repository that has no outcome. */
  readonly later?: Retry;
}

/** As `updateImages`, for whoever has something to do with what went well before the rest is tried again. */
export async function tryImages(
  images: readonly PushedImage[],
  deps: UpdateImagesDeps,
): Promise<TriedImages> {
  const outcomes: ImagesOutcome[] = [];
  // In the order of their pushes, which messages do not keep.
  const inOrder = images.toSorted((a, b) => ((a.at ?? '') < (b.at ?? '') ? -1 : 1));
  let later: Retry | undefined;
  for (const repository of deps.config.repositories) {
    if (repository.images === undefined) continue;
    try {
      const outcome = await untilDone(inOrder, imageWriterOf(repository), deps);
      outcomes.push({ repository: repository.name, ...outcome });
    } catch (error) {
      // What is wrong with one repository holds up no other; what time may mend is tried again with all of them.
      const faults = faultsOf(error);
      if (error instanceof Retry) later ??= error;
      else if (faults === undefined) throw error;
      else outcomes.push({ repository: repository.name, changes: [], left: [], faults });
    }
  }
  return { outcomes, ...(later !== undefined && { later }) };
}

async function untilDone(
  images: readonly PushedImage[],
  repository: RepositoryConfig,
  deps: UpdateImagesDeps,
): Promise<RepositoryOutcome> {
  const once = repository.images?.pullRequest === undefined ? commitImages : proposeImages;
  for (let attempt = 0; attempt < pushTries; attempt += 1) {
    // Spread by what is written, so that many at once do not meet again and again.
    if (attempt > 0) await deps.clock.sleep(waitMs * spreadOf(images, attempt));
    const outcome = await once(images, repository, deps);
    if (outcome !== undefined) return outcome;
  }
  const message = `others pushed ${pushTries} times while images were written; it is tried again`;
  throw new Retry({ subject: `repository ${repository.name}`, message });
}

/** 1 to 4, another for each image and try. */
function spreadOf(images: readonly PushedImage[], attempt: number): number {
  const digits = digestOf([images.map(({ repository, tag }) => [repository, tag]), attempt]).slice(-4);
  return 1 + (3 * Number.parseInt(digits, 16)) / 0xffff;
}

/** To the tracked branch itself. Undefined where somebody else pushed meanwhile. */
async function commitImages(
  images: readonly PushedImage[],
  repository: RepositoryConfig,
  deps: UpdateImagesDeps,
): Promise<RepositoryOutcome | undefined> {
  const { name } = repository;
  const nothing = { changes: [], left: [], faults: [] };
  if (images.length === 0) return nothing;
  const head = await deps.git.head(repository);
  if (head === undefined) {
    const fault = { subject: `repository ${name}`, message: `there is no ${trackedRef(repository)}` };
    return { ...nothing, faults: [fault] };
  }
  await using worktree = await deps.git.checkout(repository, head);
  if (worktree === undefined) return undefined;
  const known = await readDocument(deps.store, keys.images(name), imageMemorySchema);
  const before = known?.value.policies ?? {};
  const plan = await planCheckout(worktree, images, repository, before, deps);
  const { changes, left, faults, memory, texts, told } = plan;
  const files = filesWith(texts, changes);
  let sha: string | undefined;
  if (files.size > 0) {
    const { author = defaultImageAuthor, signingKeySecret } = repository.images ?? {};
    const factsOf = await askFacts(
      changes.map(({ image }) => image),
      deps,
    );
    const commit = {
      parent: head,
      files,
      message: commitMessage(changes, factsOf),
      author,
      at: deps.clock.now(),
      ...(signingKeySecret !== undefined && { signingKeySecret }),
    };
    const branch = { name: trackedRef(repository).replace('refs/heads/', ''), replaces: false };
    const outcome = await deps.writer.commit(repository, commit, branch);
    if (outcome.kind === 'moved') return undefined;
    sha = outcome.sha;
  }
  // Lost where a function dies right after its push: then a version that is taken back may be written once more.
  await rememberPolicies(deps.store, name, { news: memory, before });
  await rememberTags(deps.store, name, { told });
  return { changes, left, faults, ...(sha !== undefined && { sha }) };
}
