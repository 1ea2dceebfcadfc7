import type { StackConfig } from './contract/config.ts';
import { defaultImageAuthor } from './contract/images.ts';
import type { RepositoryConfig } from './contract/repository.ts';
import { trackedRef } from './contract/tracked-ref.ts';
import type { Fault } from './errors.ts';
import type { GitHost, PullRequest } from './host-ports.ts';
import type { ImageRegistries } from './image-ports.ts';
import { movesFor, type Move } from './images/branch-moves.ts';
import { commitMessage, pullRequestText, titleOf } from './images/describe-update.ts';
import { askFacts, planCheckout, type CheckoutPlan } from './images/plan-checkout.ts';
import type { ImageChange, ImageUpdate } from './images/plan-update.ts';
import { pendingImages, proposedBranches, settled, type ProposedBranch } from './images/proposals.ts';
import type { PushedImage } from './model/image.ts';
import { ImageMemoryBook, rememberTags, type ImageProposals } from './image-memory-book.ts';
import type { ImageMemory } from './model/image-memory.ts';
import type { Clock, Git, Store } from './ports.ts';
import type { GitWriter } from './write-ports.ts';

export interface ProposeDeps {
  readonly config: Pick<StackConfig, 'repositories' | 'fleet'>;
  readonly store: Store;
  readonly git: Pick<Git, 'head' | 'heads' | 'checkout'>;
  readonly writer: GitWriter;
  readonly host: GitHost;
  readonly registries: ImageRegistries;
  readonly clock: Clock;
}

/** What came of images in one repository. */
export interface RepositoryOutcome {
  /** Of the one commit that holds all of it; absent where nothing was committed to the tracked branch. */
  readonly sha?: string;
  readonly changes: readonly Pick<ImageChange, 'policy' | 'place' | 'from' | 'to'>[];
  /** What was done about pull requests, such as `proposed https://…/7`. */
  readonly proposals?: readonly string[];
  /** Policies of these images that changed nothing, each with the reason. */
  readonly left: ImageUpdate['left'];
  readonly faults: readonly Fault[];
}

/**
 * Brings the pull requests of a repository to what the images pushed, and those proposed before, ask for on top of the head of
 * the tracked branch: one commit in each. Undefined where somebody else was faster: look again. What a person closed
 * without merging is rejected; a branch that a person pushed to is left alone; where nothing is left to change, ours is closed.
 *
 * The intent is written before the push, compare-and-set, and the push is one too: of two at once the later has seen the
 * other's images, or looks again.
 */
export async function proposeImages(
  images: readonly PushedImage[],
  repository: RepositoryConfig,
  deps: ProposeDeps,
): Promise<RepositoryOutcome | undefined> {
  const nothing = { changes: [], left: [], faults: [] };
  const book = await ImageMemoryBook.open(deps.store, repository.name);
  if (images.length === 0 && Object.keys(book.proposals).length === 0) return nothing;
  const { standing, gone } = await standingOf(repository, book.proposals, deps.host);
  // After the pull requests: a head that is older than a merge would propose again what was merged.
  const head = await deps.git.head(repository);
  if (head === undefined) {
    const fault = {
      subject: `repository ${repository.name}`,
      message: `there is no ${trackedRef(repository)}`,
    };
    return { ...nothing, faults: [fault] };
  }
  const known = new Map([...standing, ...gone]);
  const unsettled = { policies: book.policies, proposals: book.proposals, standing: known };
  const { policies, proposals, waiting } = await settled(unsettled, { repository, git: deps.git });
  await using worktree = await deps.git.checkout(repository, head);
  if (worktree === undefined) return undefined;
  const pending = [...pendingImages(Object.values(proposals)), ...waiting, ...images];
  const inOrder = pending.toSorted((a, b) => ((a.at ?? '') < (b.at ?? '') ? -1 : 1));
  const plan = await planCheckout(worktree, inOrder, repository, policies, deps);
  const { group = 'repository' } = repository.images?.pullRequest ?? {};
  const wanted = proposedBranches(`${deps.config.fleet}/${repository.name}`, group, plan);
  const next = { ...policies, ...unwritten(plan, policies) };
  const decided = new Set([...plan.changes, ...plan.left].map(({ policy }) => policy));
  const isUndecided = (policy: string) => plan.faults.length > 0 && !decided.has(policy);
  const now = deps.clock.now();
  const place = { repository, head: worktree, standing, deps, now, isUndecided };
  const moves = await movesFor(wanted, proposals, place);
  const told = await make(moves, next, { repository, head, book, deps });
  if (told === undefined) return undefined;
  await rememberTags(deps.store, repository.name, { told: plan.told });
  const { changes, left, faults } = plan;
  return { changes, left: [...left, ...moves.flatMap(({ left: why = [] }) => why)], faults, proposals: told };
}

interface Standing {
  /** The newest pull request from each branch. */
  readonly standing: ReadonlyMap<string, PullRequest | undefined>;
  /** The one that is remembered, where another was opened from the branch since: it ended while we pushed. */
  readonly gone: ReadonlyMap<string, PullRequest>;
}

/** How pull requests stand. Those that are open take one question together. */
async function standingOf(
  repository: RepositoryConfig,
  proposals: ImageProposals,
  host: GitHost,
): Promise<Standing> {
  const standing = new Map<string, PullRequest | undefined>();
  const gone = new Map<string, PullRequest>();
  const all = Object.entries(proposals);
  if (all.length === 0) return { standing, gone };
  const open = (await host.openPullRequests(repository)).filter(({ head }) => !head.isFork);
  for (const [branch, { pullRequest: id }] of all) {
    const found =
      open.find(({ head }) => head.branch === branch) ?? (await host.pullRequestFrom(repository, branch));
    standing.set(branch, found);
    if (id === undefined || found?.id === id) continue;
    const before = await host.pullRequest(repository, id);
    if (before !== undefined) gone.set(branch, before);
  }
  return { standing, gone };
}

/** A proposal is no writing: of policies that are to change, what was written last stays. */
function unwritten(
  { changes, memory }: CheckoutPlan,
  before: ImageMemory['policies'],
): ImageMemory['policies'] {
  const open = new Set(changes.map(({ policy }) => policy));
  return Object.fromEntries(
    Object.entries(memory).flatMap(([policy, next]) => {
      if (!open.has(policy)) return [[policy, next]];
      const { rejected } = next;
      const known = before[policy];
      return known === undefined && rejected.length === 0 ? [] : [[policy, { ...known, rejected }]];
    }),
  );
}

interface Look {
  readonly repository: RepositoryConfig;
  readonly head: string;
  readonly book: ImageMemoryBook;
  readonly deps: ProposeDeps;
}

/** Undefined where somebody else was faster. */
async function make(
  moves: readonly Move[],
  policies: ImageMemory['policies'],
  { repository, head, book, deps }: Look,
): Promise<readonly string[] | undefined> {
  const told: string[] = [];
  let isSettled = true;
  const intents = new Map(moves.map(({ branch, intent }) => [branch, intent]));
  const write = () => book.write(policies, Object.fromEntries(intents));
  if (!(await write())) return undefined;
  const due = moves.flatMap(({ one, ...move }) =>
    one === undefined || move.todo === 'nothing' ? [] : [{ ...move, ...one }],
  );
  const factsOf = await askFacts(
    due.flatMap(({ changes }) => changes.map(({ image }) => image)),
    deps,
  );
  for (const { branch, intent, at, begun, changes, files } of due) {
    if (begun === undefined) continue;
    const message = commitMessage(changes, factsOf);
    const sha = await push({ repository, head, branch, at, files, message, time: begun.at }, deps);
    if (sha === undefined) return undefined;
    // Of those on their way none can arrive any more.
    const arrived = intent.pushes.filter((one) => one.sha !== undefined);
    intents.set(branch, { ...intent, pushes: [...arrived, { ...begun, sha }] });
    // At once: the next one may fail.
    if (!(await write())) return undefined;
  }
  for (const { branch, changes } of due) {
    const pull = await deps.host.propose(repository, {
      branch,
      into: trackedBranch(repository),
      title: titleOf(changes),
      body: pullRequestText(changes, factsOf),
      labels: repository.images?.pullRequest?.labels ?? [],
    });
    const intent = intents.get(branch);
    const isOther = intent?.pullRequest !== undefined && intent.pullRequest !== pull.id;
    // A person merged or closed the one before while we pushed: what was said by that is looked at first.
    if (isOther) isSettled = false;
    else if (intent !== undefined) intents.set(branch, { ...intent, pullRequest: pull.id });
    told.push(`proposed ${pull.url}`);
  }
  for (const { branch, pull, todo } of moves) {
    if (todo !== 'close' && todo !== 'forget') continue;
    if (todo === 'close' && pull?.state === 'open') {
      await deps.host.close(repository, pull.id);
      told.push(`closed ${pull.url}`);
    }
    intents.delete(branch);
  }
  return (await write()) && isSettled ? told : undefined;
}

function trackedBranch(repository: RepositoryConfig): string {
  return trackedRef(repository).replace('refs/heads/', '');
}

interface Pushed extends Pick<ProposedBranch, 'branch' | 'files'> {
  readonly repository: RepositoryConfig;
  readonly head: string;
  readonly at: string | undefined;
  readonly message: string;
  readonly time: number;
}

/** One commit on top of the tracked branch, in place of whatever was on ours; undefined where that moved meanwhile. */
async function push(
  { repository, head, branch, at, files, message, time }: Pushed,
  { writer }: Pick<ProposeDeps, 'writer'>,
): Promise<string | undefined> {
  const { author = defaultImageAuthor, signingKeySecret } = repository.images ?? {};
  const commit = {
    parent: head,
    files,
    message,
    author,
    at: time,
    ...(signingKeySecret !== undefined && { signingKeySecret }),
  };
  const place = { name: branch, replaces: true, expected: at ?? null };
  const outcome = await writer.commit(repository, commit, place);
  return outcome.kind === 'pushed' ? outcome.sha : undefined;
}
