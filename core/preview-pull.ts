import type { PreviewMessage } from './contract/events.ts';
import type { RepositoryConfig } from './contract/repository.ts';
import { trackedRef } from './contract/tracked-ref.ts';
import { Retry, messageOf } from './errors.ts';
import { mostOpenPulls, type GitHost, type PullRequest } from './host-ports.ts';
import { digestOf } from './model/digest.ts';
import type { PullPreview } from './model/pull-preview.ts';
import { isoTime, millisecondsOf } from './model/time.ts';
import type { PreviewQueues } from './preview-ports.ts';
import { askClusters } from './previews/ask-clusters.ts';
import { giveUp } from './previews/give-up.ts';
import { pullRef } from './previews/pull-ref.ts';
import { readPreview, updatePreview, writePreview } from './previews/records.ts';
import { renderPull, type RenderPullDeps } from './previews/render-pull.ts';
import { awaitedAnswers, statusOf, tellPull } from './previews/tell-pull.ts';
import { TimeOver } from './produce/examine.ts';

export interface PreviewPullDeps extends RenderPullDeps {
  readonly host: Pick<GitHost, 'pullRequest' | 'openPullRequests' | 'comment' | 'status'>;
  readonly queues: PreviewQueues;
  /** When the function ends, in milliseconds since the epoch. */
  readonly deadline: number;
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
/** A function lives no longer: whoever began it before is not at work any more. */
const workMs = 300_000;
/** What comes after the renders, the comparison above all, needs its time, too. */
const reserveMs = 60_000;
/** Of one head, each as long as a function lives. */
const mostTries = 20;

/**
 * Says to a pull request what it would change: one comment and one status, for its newest head. Messages are hints: the
 * host is asked how the pull request stands, and an older head never overwrites a newer one. `isLast`: the message does not
 * come again, so that the status must say what is wrong. Returns what came of it. Throws Retry, and Blocked where the host
 * does not let us read or write.
 */
export async function previewPull(
  message: PullMessage,
  deps: PreviewPullDeps,
  { isLast = false }: { readonly isLast?: boolean } = {},
): Promise<string> {
  const { repository: name, id } = message;
  const repository = deps.config.repositories.find((one) => one.name === name);
  if (repository?.preview === undefined) return `repository ${name} is not configured for previews`;
  if (message.kind === 'changed') return follow(repository, id, deps, isLast);
  const record = (await readPreview(deps.store, message))?.value;
  if (record?.head !== message.head) return 'a newer head is previewed';
  const awaited = message.kind === 'answered' ? await awaitedAnswers(record, deps) : undefined;
  return awaited ?? tellPull(repository, id, deps, { insists: message.kind === 'due' });
}

async function follow(
  repository: RepositoryConfig,
  id: string,
  deps: PreviewPullDeps,
  isLast: boolean,
): Promise<string> {
  const inputs = digestOf([deps.build, JSON.stringify(deps.config)]);
  for (let pass = 0; pass < maxPasses; pass += 1) {
    // Before the host is asked: whoever writes it after us has seen a newer head, and our write fails.
    const current = await readPreview(deps.store, { repository: repository.name, id });
    const pull = await deps.host.pullRequest(repository, id);
    const silent = pull?.head.isFork === true ? await whySilent(repository, pull, deps) : undefined;
    if (silent !== undefined) return silent;
    const state = stateOf(repository, pull);
    const known = current?.value;
    if (known === undefined && (state === 'closed' || state === 'elsewhere'))
      return `nothing is said to it: ${state}`;
    const head = pull?.head.sha ?? known?.head ?? '';
    const isSame = known?.head === head && known.inputs === inputs;
    if (isSame && isSaid(known.state, state)) {
      // Once more, since whoever was to say it may have died of it.
      return state === 'refused' ? conclude(repository, known, deps) : tellPull(repository, id, deps);
    }
    // A label, a review or another event of the same head: what is being made is what it asks for.
    if (isSame && state === 'rendering' && isAtWork(known, deps)) return 'it is being rendered already';
    const next = { repository: repository.name, id, head, inputs, state };
    const claim = await writePreview(deps.store, current, {
      ...next,
      commented: known?.commented ?? false,
      ...(known?.turn !== undefined && { turn: known.turn }),
      ...(state === 'rendering' && { work: begunWork(isSame ? known : undefined, current?.value.seq, deps) }),
    });
    if (claim === undefined) continue;
    if (pull === undefined || state !== 'rendering') return conclude(repository, claim, deps);
    return tryOnce({ repository, pull, claim, deps }, isLast);
  }
  const message = `changed ${maxPasses} times in a row; it is looked at again`;
  throw new Retry({ subject: `pull request ${id} of repository ${repository.name}`, message });
}

function isAtWork({ state, work }: PullPreview, { clock }: PreviewPullDeps): boolean {
  if (state !== 'rendering' || work?.atWork !== true) return false;
  return clock.now() < millisecondsOf(work.begun) + workMs;
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
async function whySilent(
  repository: RepositoryConfig,
  { head }: PullRequest,
  { host, history }: Pick<PreviewPullDeps, 'host' | 'history'>,
): Promise<string | undefined> {
  const open = await host.openPullRequests(repository);
  const isOursToo = open.some(
    (other) =>
      !other.head.isFork &&
      other.head.sha === head.sha &&
      `refs/heads/${other.base.branch}` === trackedRef(repository),
  );
  if (isOursToo) return 'the same commit is in a pull request of the repository itself, which has the say';
  // Anybody can push our own commit to a fork, and wait until ours is off the list. What it is proposed from is not.
  if (open.length < mostOpenPulls || !(await history.isTip(repository, head.sha))) return undefined;
  return `${mostOpenPulls} or more are open, and a branch of the repository itself is at the same commit`;
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

/** What a try is remembered by; `seq` is that of the record before it. */
function begunWork(
  before: PullPreview | undefined,
  seq: number | undefined,
  { clock }: PreviewPullDeps,
): NonNullable<PullPreview['work']> {
  const tries = before?.state === 'rendering' ? (before.work?.tries ?? 0) : 0;
  return { claim: (seq ?? 0) + 1, begun: isoTime(clock.now()), tries: tries + 1, atWork: true };
}

/** One try. What it rendered is kept, whatever becomes of it. */
async function tryOnce(one: Work, isLast: boolean): Promise<string> {
  const { repository, claim, deps } = one;
  const { id } = claim;
  try {
    return await preview(one);
  } catch (error) {
    await updatePreview(deps.store, claim, (now) => {
      if (now.work === undefined || now.work.claim !== claim.work?.claim) return undefined;
      return { ...now, work: { ...now.work, atWork: false } };
    });
    const isOver = error instanceof TimeOver;
    const isGivenUp = isOver ? (claim.work?.tries ?? 0) >= mostTries : isLast;
    if (isGivenUp) await giveUp(repository, claim, messageOf(error), deps);
    if (!isOver) throw error;
    if (!isGivenUp)
      await deps.queues.preview({ version: 1, preview: 'look', repository: repository.name, id }, 0);
    return error.message;
  }
}

/** The table of contents of a preview. */
async function preview({ repository, pull, claim, deps }: Work): Promise<string> {
  const { id, head } = claim;
  const pending = statusOf({ state: 'pending', description: 'being rendered' });
  await deps.host.status(repository, head, pending);
  const isOver = (): boolean => deps.clock.now() >= deps.deadline - reserveMs;
  const { rendered, asked } = await renderPull(repository, pull, { ...deps, isOver });
  // Told once more: our `pending` may have come after what somebody else said.
  if (!(await isOurs(claim, deps))) return tellPull(repository, id, deps);
  await askClusters(claim, asked, deps);
  await updatePreview(deps.store, claim, (now) => {
    if (now.work === undefined || now.work.claim !== claim.work?.claim || now.state !== 'rendering')
      return undefined;
    return { ...now, state: 'rendered', rendered, work: { ...now.work, atWork: false } };
  });
  return tellPull(repository, id, deps);
}

async function isOurs(claim: PullPreview, { store }: PreviewPullDeps): Promise<boolean> {
  const now = (await readPreview(store, claim))?.value;
  return now?.state === 'rendering' && now.work?.claim === claim.work?.claim;
}
