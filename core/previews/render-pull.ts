import type { RepositoryConfig } from '../contract/repository.ts';
import { trackedRef } from '../contract/tracked-ref.ts';
import { Retry, Stop } from '../errors.ts';
import { readFleet } from '../fleet.ts';
import type { PullRequest } from '../host-ports.ts';
import type { PullPreview } from '../model/pull-preview.ts';
import { isoTime } from '../model/time.ts';
import type { KubernetesSchemas } from '../policies/kubernetes-schemas.ts';
import type { GitHistory } from '../preview-ports.ts';
import { askedOf, type Asked } from './ask-clusters.ts';
import { commitState, readPointers, type CommitState, type CommitStateDeps } from './commit-state.ts';
import { compareCommits } from './compare-commits.ts';
import { pullRef } from './pull-ref.ts';
import { touchedTargets, type Pointers } from './touched-targets.ts';
import { worldOfPreview, worldOfStranger } from './withheld.ts';

export interface RenderPullDeps extends CommitStateDeps {
  readonly history: GitHistory;
  readonly schemas: () => Promise<KubernetesSchemas>;
}

export interface RenderedPull {
  readonly rendered: NonNullable<PullPreview['rendered']>;
  /** What clusters are to be asked of it. */
  readonly asked: Asked;
}

/**
 * Both commits as following them would leave the records, and what is between them. Throws Retry; of these TimeOver, where
 * the same goes on from what was rendered by then.
 */
export async function renderPull(
  repository: RepositoryConfig,
  pull: PullRequest,
  deps: RenderPullDeps,
): Promise<RenderedPull> {
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
  const ground = { kept: deps.store, id: pull.id };
  const first = { ...ground, below: world.store, side: 'base' as const };
  const base = await commitState(unverified, commits.base, first, world);
  const second = { ...ground, below: base.store, side: 'head' as const };
  const head = await commitState(unverified, commits.head, second, world);
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
  const unasked = isStranger ? 'it comes from a fork' : await whyUnasked(repository, pull, deps);
  const asked = unasked === undefined ? askedOf(touched, pointers) : askedOf([], pointers);
  const rendered = {
    ...said,
    at: isoTime(at),
    base: commits.base.sha,
    targets: [...touched],
    clusters: [...asked.keys()].sort(),
    ...(unasked !== undefined && { unasked }),
  };
  return { rendered, asked };
}

/** Where the change began, so that only what it does itself is shown; where that is not found, the head of the branch. */
async function commitsOf(repository: RepositoryConfig, pull: PullRequest, { git, history }: RenderPullDeps) {
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
async function whyUnasked(
  repository: RepositoryConfig,
  pull: PullRequest,
  { git }: Pick<RenderPullDeps, 'git'>,
): Promise<string | undefined> {
  if (repository.preview?.clusters === false) return 'the stack configuration says so';
  if (repository.verify?.mode !== 'require') return undefined;
  try {
    await using worktree = await git.checkout(repository, pull.head.sha, pullRef(repository, pull));
    return worktree === undefined ? 'its commit is gone' : undefined;
  } catch (error) {
    if (error instanceof Stop) return 'its commit is not signed as the repository requires';
    throw error;
  }
}
