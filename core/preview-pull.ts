import type { PreviewMessage } from './contract/events.ts';
import { keys } from './contract/keys.ts';
import type { RepositoryConfig } from './contract/repository.ts';
import { trackedRef } from './contract/tracked-ref.ts';
import { writeDocument } from './documents.ts';
import { Retry, Stop } from './errors.ts';
import { readFleet } from './fleet.ts';
import type { GitHistory, PreviewQueues } from './preview-ports.ts';
import type { GitHost, PullRequest } from './host-ports.ts';
import { digestOf } from './model/digest.ts';
import { heldOf } from './model/pin.ts';
import type { ClusterQuestion, PullPreview } from './model/pull-preview.ts';
import { isoTime } from './model/time.ts';
import { targetKey } from './model/target.ts';
import type { KubernetesSchemas } from './policies/kubernetes-schemas.ts';
import {
  commitState,
  readPointers,
  type CommitState,
  type CommitStateDeps,
} from './previews/commit-state.ts';
import { compareCommits } from './previews/compare-commits.ts';
import { pullRef } from './previews/pull-ref.ts';
import { readPreview, writePreview } from './previews/records.ts';
import { patienceSeconds, statusOf, tellPull } from './previews/tell-pull.ts';
import { touchedTargets, type Pointers } from './previews/touched-targets.ts';
import { worldOfPreview, worldOfStranger } from './previews/withheld.ts';

export interface PreviewPullDeps extends CommitStateDeps {
  readonly history: GitHistory;
  readonly host: Pick<GitHost, 'pullRequest' | 'openPullRequests' | 'comment' | 'status'>;
  readonly queues: PreviewQueues;
  readonly schemas: () => Promise<KubernetesSchemas>;
}

/** One pull request as its host shows it, and the right to say something of this head. */
interface Work {
  readonly repository: RepositoryConfig;
  readonly pull: PullRequest;
  readonly claim: PullPreview;
  readonly deps: PreviewPullDeps;
}

/** What is about one pull request. */
export type PullMessage = Exclude<PreviewMessage, { kind: 'poll' }>;

const maxPasses = 6;

/**
 * Says to a pull request what it would change: one comment and one status, for its newest head. Messages are hints: the
 * host is asked how the pull request stands, and an older head never overwrites a newer one. Returns what came of it.
 * Throws Retry, and Blocked where the host does not let us read or write.
 */
export async function previewPull(message: PullMessage, deps: PreviewPullDeps): Promise<string> {
  const { repository: name, id } = message;
  const repository = deps.config.repositories.find((one) => one.name === name);
  if (repository?.preview === undefined) return `repository ${name} is not configured for previews`;
  if (message.kind === 'changed') return follow(repository, id, deps);
  const record = (await readPreview(deps.store, message))?.value;
  if (record?.head !== message.head) return 'a newer head is previewed';
  return tellPull(repository, id, deps, { isAnswer: message.kind === 'answered' });
}

async function follow(repository: RepositoryConfig, id: string, deps: PreviewPullDeps): Promise<string> {
  const inputs = digestOf([deps.build, JSON.stringify(deps.config)]);
  for (let pass = 0; pass < maxPasses; pass += 1) {
    // Before the host is asked: whoever writes it after us has seen a newer head, and our write fails.
    const current = await readPreview(deps.store, { repository: repository.name, id });
    const pull = await deps.host.pullRequest(repository, id);
    if (pull?.head.isFork === true && (await isOursToo(repository, pull, deps)))
      return 'the same commit is in a pull request of the repository itself, which has the say';
    const state = stateOf(repository, pull);
    const known = current?.value;
    if (known === undefined && (state === 'closed' || state === 'elsewhere'))
      return `nothing is said to it: ${state}`;
    const head = pull?.head.sha ?? known?.head ?? '';
    if (known?.head === head && known.inputs === inputs && isSaid(known.state, state)) {
      // Once more, since whoever was to say it may have died of it.
      return state === 'refused' ? conclude(repository, known, deps) : tellPull(repository, id, deps);
    }
    const commented = known?.commented ?? false;
    const next = { repository: repository.name, id, head, inputs, state, commented };
    const claim = await writePreview(deps.store, current, next);
    if (claim === undefined) continue;
    if (pull === undefined || state !== 'rendering') return conclude(repository, claim, deps);
    return preview({ repository, pull, claim, deps });
  }
  const message = `changed ${maxPasses} times in a row; it is looked at again`;
  throw new Retry({ subject: `pull request ${id} of repository ${repository.name}`, message });
}

function stateOf(repository: RepositoryConfig, pull: PullRequest | undefined): PullPreview['state'] {
  if (pull?.state !== 'open') return 'closed';
  if (`refs/heads/${pull.base.branch}` !== trackedRef(repository)) return 'elsewhere';
  // Submodules are fetched with the tokens of all repositories: a fork could name any of them.
  const isAllowed = repository.preview?.forks === 'render' && repository.submodules !== true;
  const isLookedAt = isAllowed && pullRef(repository, pull) !== undefined;
  return pull.head.isFork && !isLookedAt ? 'refused' : 'rendering';
}

/** A status is of a commit, not of a pull request: that of a fork must not overwrite what was said of our own. */
async function isOursToo(
  repository: RepositoryConfig,
  { head }: PullRequest,
  { host }: Pick<PreviewPullDeps, 'host'>,
): Promise<boolean> {
  const open = await host.openPullRequests(repository);
  return open.some(
    (other) =>
      !other.head.isFork &&
      other.head.sha === head.sha &&
      `refs/heads/${other.base.branch}` === trackedRef(repository),
  );
}

function isSaid(known: PullPreview['state'], wanted: PullPreview['state']): boolean {
  return known === wanted ? known !== 'rendering' : known === 'rendered' && wanted === 'rendering';
}

/** Where nothing is rendered. */
async function conclude(
  repository: RepositoryConfig,
  { id, head, state }: PullPreview,
  deps: PreviewPullDeps,
): Promise<string> {
  if (state === 'refused') {
    const description = 'not previewed: it comes from a fork';
    await deps.host.status(repository, head, statusOf({ state: 'success', description }));
    return description;
  }
  return state === 'elsewhere' ? tellPull(repository, id, deps) : 'it is not open';
}

/** The table of contents of a preview. */
async function preview({ repository, pull, claim, deps }: Work): Promise<string> {
  const { id, head } = claim;
  const pending = statusOf({ state: 'pending', description: 'being rendered' });
  await deps.host.status(repository, head, pending);
  const rendered = await render({ repository, pull, claim, deps });
  const current = await readPreview(deps.store, claim);
  const { seq, ...value } = claim;
  // Told once more: our `pending` may have come after what somebody else said.
  if (current?.value.seq !== seq) return tellPull(repository, id, deps);
  const { asked, ...said } = rendered;
  await askClusters(claim, asked, deps);
  const written = await writePreview(deps.store, current, { ...value, state: 'rendered', rendered: said });
  if (written === undefined) return tellPull(repository, id, deps);
  return tellPull(repository, id, deps);
}

type Rendered = NonNullable<PullPreview['rendered']>;
type Questions = ReadonlyMap<string, ClusterQuestion>;

/** Both commits as following them would leave the records, and what is between them. */
async function render({
  repository,
  pull,
  claim,
  deps,
}: Work): Promise<Rendered & { readonly asked: Questions }> {
  const isStranger = pull.head.isFork;
  // Only what is merged is followed, and held against `verify` then.
  const { verify: _, ...unverified } = repository;
  const config = {
    ...deps.config,
    clusters: (await readFleet(deps)).clusters,
    repositories: deps.config.repositories.map((one) => (one.name === repository.name ? unverified : one)),
  };
  const world = isStranger
    ? worldOfStranger(unverified, { ...deps, config })
    : worldOfPreview({ ...deps, config });
  const commits = await commitsOf(unverified, pull, deps);
  const base = await commitState(unverified, commits.base, world.store, world);
  const head = await commitState(unverified, commits.head, base.store, world);
  const pointers = await headPointers(base, head);
  const now = await readPointers(
    deps.store,
    [...pointers.values()].map(({ target }) => target),
  );
  const at = deps.clock.now();
  const touched = touchedTargets({ base: base.pointers, head: pointers, now }, at);
  const compared = {
    repository: unverified,
    commits,
    base,
    head,
    headPointers: pointers,
    touched,
    isStranger,
  };
  const said = await compareCommits(compared, { ...deps, config });
  const unasked = isStranger ? 'it comes from a fork' : await whyUnasked({ repository, pull, claim, deps });
  const asked =
    unasked === undefined
      ? await questionsOf(
          claim.head,
          touched.flatMap(({ target, pinned }) => (pinned ? [] : [targetKey(target)])),
          pointers,
          head,
        )
      : new Map<string, ClusterQuestion>();
  return {
    ...said,
    at: isoTime(at),
    base: commits.base.sha,
    targets: [...touched],
    clusters: [...asked.keys()].sort(),
    ...(unasked !== undefined && { unasked }),
    asked,
  };
}

/** Where the change began, so that only what it does itself is shown; where that is not found, the head of the branch. */
async function commitsOf(repository: RepositoryConfig, pull: PullRequest, { git, history }: PreviewPullDeps) {
  const head = { sha: pull.head.sha, ref: pullRef(repository, pull) };
  const tracked = await git.head(repository);
  if (tracked === undefined) {
    const message = `there is no ${trackedRef(repository)} to compare it with`;
    throw new Retry({ subject: `repository ${repository.name}`, message });
  }
  const begin = { sha: tracked, ref: trackedRef(repository) };
  const base = (await history.mergeBase(repository, begin, head)) ?? tracked;
  return { head, base: { sha: base, ref: begin.ref } };
}

async function headPointers(base: CommitState, head: CommitState): Promise<Pointers> {
  const left = [...base.pointers].flatMap(([key, { target }]) => (head.pointers.has(key) ? [] : [target]));
  return new Map([...head.pointers, ...(await readPointers(head.store, left))]);
}

/** Clusters are asked with rights of ours and values of Secrets: never for what nobody vouches for. */
async function whyUnasked({ repository, pull, deps }: Work): Promise<string | undefined> {
  if (repository.preview?.clusters === false) return 'the stack configuration says so';
  if (repository.verify?.mode !== 'require') return undefined;
  try {
    await using worktree = await deps.git.checkout(repository, pull.head.sha, pullRef(repository, pull));
    return worktree === undefined ? 'its commit is gone' : undefined;
  } catch (error) {
    if (error instanceof Stop) return 'its commit is not signed as the repository requires';
    throw error;
  }
}

async function questionsOf(
  head: string,
  keysOfTargets: readonly string[],
  pointers: Pointers,
  { store }: CommitState,
): Promise<Questions> {
  const questions = new Map<string, ClusterQuestion>();
  for (const key of keysOfTargets) {
    const pointer = pointers.get(key);
    // What could not be rendered stays as it is.
    if (pointer === undefined || pointer.failed !== undefined) continue;
    const { cluster, application } = pointer.target;
    const { snapshot } = heldOf(pointer);
    // Of one that goes, too: what it had is what its plan begins with.
    const stored = await store.get(keys.snapshot(application, snapshot));
    const question = questions.get(cluster) ?? { version: 1 as const, head, targets: [] };
    question.targets.push({ pointer, snapshot: stored?.text ?? '' });
    questions.set(cluster, question);
  }
  return questions;
}

/** A message for each cluster: one that does not answer costs only its own line. */
async function askClusters(
  { repository, id, head }: PullPreview,
  asked: Questions,
  { store, queues }: PreviewPullDeps,
): Promise<void> {
  for (const [cluster, question] of asked) {
    await writeDocument(store, keys.previewQuestion(repository, id, head, cluster), question, 'any');
    const requestedBy = `pull request ${id} of ${repository}`;
    await queues.sweep({ version: 1, scope: 'preview', cluster, repository, id, head, requestedBy });
  }
  if (asked.size === 0) return;
  await queues.preview({ version: 1, preview: 'due', repository, id, head }, patienceSeconds);
}
