import type { StackConfig } from './contract/config.ts';
import type { EventDetail } from './contract/events.ts';
import { keys } from './contract/keys.ts';
import type { RepositoryConfig } from './contract/repository.ts';
import { trackedRef } from './contract/tracked-ref.ts';
import { readDocument, updateDocument } from './documents.ts';
import { Retry, faultsOf, type Fault } from './errors.ts';
import { isSameRepository } from './images/image-reference.ts';
import { planImageUpdate, type ImageUpdate, type UpdateInput } from './images/plan-update.ts';
import { followingApplications } from './images/read-applications.ts';
import { digestOf } from './model/digest.ts';
import { imageMemorySchema, type ImageMemory } from './model/image-memory.ts';
import type { Clock, Git, Store, Worktree } from './ports.ts';
import type { GitWriter } from './write-ports.ts';

export interface UpdateImagesDeps {
  readonly store: Store;
  readonly git: Pick<Git, 'head' | 'checkout'>;
  readonly writer: GitWriter;
  readonly clock: Clock;
  readonly config: Pick<StackConfig, 'repositories'>;
}

type Pushed = Pick<EventDetail<'ImagePushed'>, 'repository' | 'tag' | 'digest'> &
  Partial<Pick<EventDetail<'ImagePushed'>, 'at'>>;

/** What came of pushed images in one repository. */
export interface ImagesOutcome {
  readonly repository: string;
  /** Of the one commit that holds all of it; absent where nothing changed. */
  readonly sha?: string;
  readonly changes: ImageUpdate['changes'];
  /** Policies of these images that changed nothing, each with the reason. */
  readonly left: ImageUpdate['left'];
  readonly faults: readonly Fault[];
}

/** Others push meanwhile, other images too: with each try one of them is done. */
const pushTries = 20;
const waitMs = 250;

/**
 * Writes images that were pushed to registries into the repositories whose applications follow them: one commit in each, on
 * top of the head that was read. Where somebody else was faster it reads and decides again, so that of two images at the
 * same time both are written. Doubled and late events change nothing: what stands there is newer, or the same.
 */
export async function updateImages(
  images: readonly Pushed[],
  deps: UpdateImagesDeps,
): Promise<readonly ImagesOutcome[]> {
  const outcomes: ImagesOutcome[] = [];
  // In the order of their pushes, which messages do not keep.
  const inOrder = images.toSorted((a, b) => ((a.at ?? '') < (b.at ?? '') ? -1 : 1));
  let later: Retry | undefined;
  for (const repository of deps.config.repositories) {
    if (repository.images === undefined) continue;
    try {
      outcomes.push(await updateRepository(inOrder, writable(repository), deps));
    } catch (error) {
      // What is wrong with one repository holds up no other; what time may mend is tried again with all of them.
      const faults = faultsOf(error);
      if (error instanceof Retry) later ??= error;
      else if (faults === undefined) throw error;
      else outcomes.push({ repository: repository.name, changes: [], left: [], faults });
    }
  }
  if (later !== undefined) throw later;
  return outcomes;
}

/** With the token that may push in place of whatever reads. */
function writable({ githubApp, ...repository }: RepositoryConfig): RepositoryConfig {
  const tokenSecret = repository.images?.tokenSecret;
  if (tokenSecret !== undefined) return { ...repository, tokenSecret };
  return { ...repository, ...(githubApp !== undefined && { githubApp }) };
}

async function updateRepository(
  images: readonly Pushed[],
  repository: RepositoryConfig,
  deps: UpdateImagesDeps,
): Promise<ImagesOutcome> {
  const { name } = repository;
  for (let attempt = 0; attempt < pushTries; attempt += 1) {
    // Spread by what is written, so that many at once do not meet again and again.
    if (attempt > 0) await deps.clock.sleep(waitMs * spreadOf(images, attempt));
    const head = await deps.git.head(repository);
    if (head === undefined) {
      const fault = { subject: `repository ${name}`, message: `there is no ${trackedRef(repository)}` };
      return { repository: name, changes: [], left: [], faults: [fault] };
    }
    await using worktree = await deps.git.checkout(repository, head);
    if (worktree === undefined) continue;
    const known = (await readDocument(deps.store, keys.images(name), imageMemorySchema))?.value;
    const { files, memory, ...told } = await planIn(worktree, images, repository, known);
    let sha: string | undefined;
    if (files.size > 0) {
      sha = await push(repository, { head, images, files, changes: told.changes }, deps);
      if (sha === undefined) continue;
    }
    await remember(deps.store, name, memory);
    return { repository: name, ...told, ...(sha !== undefined && { sha }) };
  }
  const message = `others pushed ${pushTries} times while images were written; it is tried again`;
  throw new Retry({ subject: `repository ${name}`, message });
}

/** 1 to 4, another for each image and try. */
function spreadOf(images: readonly Pushed[], attempt: number): number {
  const digits = digestOf([images.map(({ repository, tag }) => [repository, tag]), attempt]).slice(-4);
  return 1 + (3 * Number.parseInt(digits, 16)) / 0xffff;
}

/** Where no application of the commit follows any of them, nothing but the Application files is fetched. */
async function planIn(
  worktree: Worktree,
  images: readonly Pushed[],
  { applications: folder, images: wanted }: RepositoryConfig,
  known: ImageMemory | undefined,
): Promise<ImageUpdate> {
  const own = await yamlBelow(worktree, [folder]);
  const { applications, faults } = followingApplications(own);
  const isFollowing = ({ application }: UpdateInput['applications'][number]): boolean =>
    application.spec.images.some((policy) =>
      images.some((image) => isSameRepository(policy.image, image.repository)),
    );
  const follow = applications.filter(isFollowing);
  const folders = [
    ...follow.map(({ application }) => application.spec.source.path),
    ...(wanted?.paths ?? []),
  ];
  const texts = new Map([...own, ...(await yamlBelow(worktree, folders))]);
  const whole: { -readonly [K in 'changes' | 'left' | 'faults']: ImageUpdate[K][number][] } = {
    changes: [],
    left: [],
    faults: [...faults],
  };
  const files = new Map<string, string>();
  let memory = known?.policies ?? {};
  for (const image of images) {
    const update = planImageUpdate({ files: texts, applications: follow, image, memory });
    for (const [file, text] of update.files) {
      texts.set(file, text);
      files.set(file, text);
    }
    memory = { ...memory, ...update.memory };
    whole.changes.push(...update.changes);
    whole.left.push(...update.left);
    whole.faults.push(...update.faults);
  }
  return { ...whole, files, memory };
}

/** What is hidden is nobody's manifest. */
async function yamlBelow(
  worktree: Worktree,
  folders: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const texts = new Map<string, string>();
  const found = await Promise.all(folders.map(async (folder) => worktree.files(folder)));
  // Only plain files of the commit itself can be written: no symlinks, nothing of a submodule.
  const names = [...new Set(found.flat())].filter(
    (path) =>
      /(?:\.ya?ml|(?:^|\/)Kustomization)$/.test(path) &&
      !/(?:^|\/)\./.test(path) &&
      worktree.ids.get(path)?.startsWith('100') === true,
  );
  await worktree.prepare(names);
  for (const name of names) texts.set(name, await worktree.text(name));
  return texts;
}

interface Planned extends Pick<ImageUpdate, 'files' | 'changes'> {
  readonly head: string;
  readonly images: readonly Pushed[];
}

/** Undefined where somebody else pushed first. */
async function push(
  repository: RepositoryConfig,
  { head, images, files, changes }: Planned,
  { writer, clock }: UpdateImagesDeps,
): Promise<string | undefined> {
  const { author = { name: 'trueup', email: 'trueup@noreply.invalid' }, signingKeySecret } =
    repository.images ?? {};
  const commit = {
    parent: head,
    files,
    message: messageFor(images, changes),
    author,
    at: clock.now(),
    ...(signingKeySecret !== undefined && { signingKeySecret }),
  };
  const branch = { name: trackedRef(repository).replace('refs/heads/', ''), replaces: false };
  const outcome = await writer.commit(repository, commit, branch);
  return outcome.kind === 'pushed' ? outcome.sha : undefined;
}

const subjectLength = 72;

/** Which images, and what changed where; for people who read the log of the repository. */
function messageFor(images: readonly Pushed[], changes: ImageUpdate['changes']): string {
  const written = images.filter(({ tag }) => changes.some(({ to }) => to.includes(tag)));
  const [first, ...more] = written.map(
    ({ repository, tag }) => `${repository.slice(repository.lastIndexOf('/') + 1)} to ${tag}`,
  );
  const others = more.length === 0 ? '' : `, and ${more.length} other${more.length === 1 ? '' : 's'}`;
  const subject = `Set ${first ?? 'images'}`.slice(0, subjectLength - others.length) + others;
  const places = changes.map(({ policy, place, from, to }) => `${place} (${policy}): ${from} -> ${to}`);
  const named = written.map(
    ({ repository, tag, digest }) => `Image: ${repository}:${tag}${digest === undefined ? '' : `@${digest}`}`,
  );
  return [subject, '', ...places, '', ...named].join('\n');
}

/** Lost where a function dies right after its push: then a version that is taken back may be written once more. */
async function remember(store: Store, repository: string, news: ImageMemory['policies']): Promise<void> {
  if (Object.keys(news).length === 0) return;
  await updateDocument(
    store,
    keys.images(repository),
    imageMemorySchema,
    (current): ImageMemory | undefined => {
      const policies = { ...current?.policies, ...news };
      if (current !== undefined && digestOf(policies) === digestOf(current.policies)) return undefined;
      return { version: 1, seq: (current?.seq ?? 0) + 1, repository, policies };
    },
  );
}
