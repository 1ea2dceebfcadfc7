import type { StackConfig } from './contract/config.ts';
import type { EventDetail } from './contract/events.ts';
import { keys } from './contract/keys.ts';
import type { RepositoryConfig } from './contract/repository.ts';
import { trackedRef } from './contract/tracked-ref.ts';
import { readDocument, updateDocument } from './documents.ts';
import { Retry, type Fault } from './errors.ts';
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

/** What came of one image in one repository. */
export type ImageOutcome = { readonly repository: string; readonly faults: readonly Fault[] } & (
  | { readonly kind: 'committed'; readonly sha: string; readonly changes: ImageUpdate['changes'] }
  | { readonly kind: 'left'; readonly why: string }
);

type Pushed = Pick<EventDetail<'ImagePushed'>, 'repository' | 'tag' | 'digest'>;

/** Others push meanwhile, other images too: with each try one of them is done. */
const pushTries = 20;
const waitMs = 250;

/**
 * Writes an image that was pushed to a registry into the repositories whose applications follow it: one commit for each,
 * on top of the head that was read. Where somebody else was faster it reads and decides again, so that of two images at the
 * same time both are written. Doubled and late events change nothing: what stands there is newer, or the same.
 */
export async function updateImages(image: Pushed, deps: UpdateImagesDeps): Promise<readonly ImageOutcome[]> {
  const outcomes: ImageOutcome[] = [];
  for (const repository of deps.config.repositories) {
    if (repository.images === undefined) continue;
    outcomes.push(await updateRepository(image, repository, deps));
  }
  return outcomes;
}

async function updateRepository(
  image: Pushed,
  repository: RepositoryConfig,
  deps: UpdateImagesDeps,
): Promise<ImageOutcome> {
  const { name } = repository;
  for (let attempt = 0; attempt < pushTries; attempt += 1) {
    // Spread by what is written, so that fifty at once do not meet again and again.
    if (attempt > 0) await deps.clock.sleep(waitMs * spreadOf(image, attempt));
    const head = await deps.git.head(repository);
    if (head === undefined) return left(name, `there is no ${trackedRef(repository)}`);
    await using worktree = await deps.git.checkout(repository, head);
    if (worktree === undefined) continue;
    const memory = (await readDocument(deps.store, keys.images(name), imageMemorySchema))?.value;
    const { update, faults } = await planIn(worktree, image, repository, memory);
    if (update === undefined) return left(name, 'nobody follows it', faults);
    if (update.changes.length === 0) {
      await remember(deps.store, name, update.memory);
      return left(name, whyLeft(update), faults);
    }
    const outcome = await push(repository, { head, image, update }, deps);
    if (outcome === undefined) continue;
    await remember(deps.store, name, update.memory);
    return { repository: name, kind: 'committed', sha: outcome, changes: update.changes, faults };
  }
  const message = `others pushed ${pushTries} times while an image was written; it is tried again`;
  throw new Retry({ subject: `repository ${name}`, message });
}

function left(repository: string, why: string, faults: readonly Fault[] = []): ImageOutcome {
  return { repository, kind: 'left', why, faults };
}

function whyLeft({ left: policies }: ImageUpdate): string {
  return (
    policies.map(({ policy, reason }) => `${policy}: ${reason}`).join('; ') || 'no policy can be followed'
  );
}

/** 1 to 4, another for each image and try. */
function spreadOf({ repository, tag }: Pushed, attempt: number): number {
  const digits = digestOf([repository, tag, attempt]).slice(-4);
  return 1 + (3 * Number.parseInt(digits, 16)) / 0xffff;
}

/** Undefined where no application of the commit follows the image: then nothing but the Application files is fetched. */
async function planIn(
  worktree: Worktree,
  image: Pushed,
  { applications: folder, images }: RepositoryConfig,
  memory: ImageMemory | undefined,
): Promise<{ readonly update?: ImageUpdate; readonly faults: readonly Fault[] }> {
  const own = await yamlBelow(worktree, [folder]);
  const { applications, faults } = followingApplications(own);
  const follow = applications.filter(({ application }) =>
    application.spec.images.some((policy) => isSameRepository(policy.image, image.repository)),
  );
  const folders = [...new Set(follow.map(({ application }) => application.spec.source.path))];
  const paths = images?.paths ?? [];
  if (follow.length + paths.length === 0) return { faults };
  const files = new Map([...own, ...(await yamlBelow(worktree, [...folders, ...paths]))]);
  const input: UpdateInput = { files, applications: follow, image, memory: memory?.policies ?? {} };
  const update = planImageUpdate(input);
  return { update, faults: [...faults, ...update.faults] };
}

/** What is hidden is nobody's manifest. */
async function yamlBelow(
  worktree: Worktree,
  folders: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const texts = new Map<string, string>();
  const found = await Promise.all(folders.map(async (folder) => worktree.files(folder)));
  const names = [...new Set(found.flat())].filter(
    (path) => /(?:\.ya?ml|(?:^|\/)Kustomization)$/.test(path) && !/(?:^|\/)\./.test(path),
  );
  await worktree.prepare(names);
  for (const name of names) texts.set(name, await worktree.text(name));
  return texts;
}

async function push(
  repository: RepositoryConfig,
  { head, image, update }: { readonly head: string; readonly image: Pushed; readonly update: ImageUpdate },
  { writer, clock }: UpdateImagesDeps,
): Promise<string | undefined> {
  const { author = { name: 'trueup', email: 'trueup@noreply.invalid' }, signingKeySecret } =
    repository.images ?? {};
  const commit = {
    parent: head,
    files: update.files,
    message: messageFor(image, update),
    author,
    at: clock.now(),
    ...(signingKeySecret !== undefined && { signingKeySecret }),
  };
  const branch = { name: trackedRef(repository).replace('refs/heads/', ''), replaces: false };
  const outcome = await writer.commit(repository, commit, branch);
  return outcome.kind === 'pushed' ? outcome.sha : undefined;
}

const subjectLength = 72;

/** Which image, and what changed where; for people who read the log of the repository. */
export function messageFor(
  { repository, tag, digest }: Pushed,
  { changes }: Pick<ImageUpdate, 'changes'>,
): string {
  const short = repository.slice(repository.lastIndexOf('/') + 1);
  const subject = `Set ${short} to ${tag}`.slice(0, subjectLength);
  const places = changes.map(({ policy, place, from, to }) => `${place} (${policy}): ${from} -> ${to}`);
  const named = `Image: ${repository}:${tag}${digest === undefined ? '' : `@${digest}`}`;
  return [subject, '', ...places, '', named].join('\n');
}

/** Lost where a function dies right after its push: then a version that is taken back may be written once more. */
async function remember(store: Store, repository: string, news: ImageMemory['policies']): Promise<void> {
  if (Object.keys(news).length === 0) return;
  await updateDocument(store, keys.images(repository), imageMemorySchema, (current): ImageMemory | undefined => {
    const policies = { ...current?.policies, ...news };
    if (current !== undefined && digestOf(policies) === digestOf(current.policies)) return undefined;
    return { version: 1, seq: (current?.seq ?? 0) + 1, repository, policies };
  });
}
