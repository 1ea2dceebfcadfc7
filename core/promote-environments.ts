import type { RepositoryConfig, StackConfig } from './contract/config.ts';
import { installationName } from './contract/installation.ts';
import type { PromotionConfig } from './contract/promotion.ts';
import { keys } from './contract/keys.ts';
import { promotionWriterOf } from './contract/repository.ts';
import { isPromotedByPointer, trackedRef } from './contract/tracked-ref.ts';
import { readDocument } from './documents.ts';
import { Stop } from './errors.ts';
import { repositoryStateSchema, type RepositoryState } from './model/desired.ts';
import { secondsOf } from './model/duration.ts';
import { withCommit, type Promoted, type PromotedCommit, type SeenCommit } from './model/promoted.ts';
import type { Target } from './model/target.ts';
import { isoTime, millisecondsOf } from './model/time.ts';
import type { Alarms, Bus, Clock, PollQueue, Store } from './ports.ts';
import { promoteByPullRequest } from './promote-by-pull-request.ts';
import { noteSeen, noteWaiting, readPromoted, replacePromoted } from './promoted-book.ts';
import type { ProposePromotionDeps } from './propose-promotion.ts';
import {
  candidateOf,
  consentTo,
  type Candidate,
  type Consent,
  type EnvironmentBefore,
} from './promotions/judge-promotion.ts';
import { firstBatch, readPeer } from './reconcile/read-rollout.ts';
import { judgePeer, type PeerVerdict } from './reconcile/rollout-gate.ts';
import { whyAlarmed } from './reconcile/why-alarmed.ts';
import { readSuspensions } from './suspend.ts';

interface PromoteEnvironmentsDeps {
  readonly store: Store;
  readonly clock: Pick<Clock, 'now'>;
  readonly alarms: Alarms;
  /** Asked to look at an environment, which then follows what was promoted to it. */
  readonly queue: PollQueue;
  readonly bus: Bus;
  readonly config: Pick<StackConfig, 'repositories' | 'fleet'>;
  /** Of the records: by its name two installations of one fleet are told apart. */
  readonly bucket: string;
  /** Absent where no environment gets commits by pull request. */
  readonly proposals?: ProposePromotionDeps;
}

/** `follow`: an environment that a person made follow another commit. `examined`: what an environment has had since then. */
interface PromotionMessage {
  readonly follow?: string;
  readonly examined?: SeenCommit & { readonly repository: string };
}

/** What came of a look at one environment. */
interface PromotionOutcome {
  readonly environment: string;
  readonly kind: 'same' | 'waits' | 'promoted';
  readonly sha?: string | undefined;
  readonly why?: string | undefined;
}

export type Environment = RepositoryConfig & { readonly promotion: PromotionConfig };

export function isEnvironment(repository: RepositoryConfig): repository is Environment {
  return repository.promotion !== undefined;
}

/**
 * Looks at every environment that commits are promoted to: what the one before has shown to be good goes on, one
 * environment at a time. All of it is computed from records and asked anew each time (as the stages of a rollout): a wait
 * holds nothing, and who dies half-way has done nothing or all of it. What is wrong with one holds up no other; it is thrown at the end.
 */
export async function promoteEnvironments(
  messages: readonly PromotionMessage[],
  deps: PromoteEnvironmentsDeps,
): Promise<readonly PromotionOutcome[]> {
  const outcomes: PromotionOutcome[] = [];
  const failures: unknown[] = [];
  const returned = new Set(messages.map(({ follow: name }) => name));
  const examined = messages.flatMap(({ examined: one }) => one ?? []);
  for (const environment of deps.config.repositories.filter(isEnvironment)) {
    try {
      if (returned.has(environment.name)) await askToFollow(environment, deps);
      outcomes.push(await promoteTo(environment, examined, deps));
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length > 0) throw failures[0];
  return outcomes;
}

async function promoteTo(
  environment: Environment,
  examined: readonly NonNullable<PromotionMessage['examined']>[],
  deps: PromoteEnvironmentsDeps,
): Promise<PromotionOutcome> {
  const { name, promotion } = environment;
  const before = await readBefore(environment, deps);
  // Also what nobody looked at while it was there: should the environment before go back to that, it is not new.
  const told = examined.flatMap(({ repository, sha, at }) =>
    repository === promotion.from ? [{ sha, at }] : [],
  );
  const { head } = before.state ?? {};
  const seen = [...told, ...(head === undefined ? [] : [{ sha: head.sha, at: head.at }])];
  const own = await noteSeen(deps.store, name, seen);
  const candidate = candidateOf(before, own);
  if (candidate.kind === 'same' && own.proposal === undefined)
    return { environment: name, kind: 'same', sha: own.commit?.sha };
  const gates = {
    own,
    before,
    sha: candidate.sha,
    consent: await consentNow(environment, { own, before, candidate }, deps),
  };
  const repository = promotionWriterOf(environment);
  if (repository === undefined) return moveTo(environment, gates, deps);
  const { proposals } = deps;
  if (proposals === undefined) throw new Error('this function was not made to open pull requests');
  const held = gates.consent.kind === 'waits' ? gates.consent.why : undefined;
  const at = millisecondsOf(before.state?.head.at ?? isoTime(0));
  const outcome = await promoteByPullRequest(
    repository,
    { own, sha: candidate.sha, at, held },
    { ...deps, proposals, installation: installationName(deps.config.fleet, deps.bucket) },
  );
  if (outcome.kind !== 'promoted') return { environment: name, ...outcome };
  await tell(environment, outcome.commit, deps);
  return { environment: name, kind: 'promoted', sha: outcome.commit.sha, why: outcome.commit.reason };
}

interface Judged {
  readonly own: Promoted;
  readonly before: EnvironmentBefore;
}

/** Every gate, the dear ones last. */
async function consentNow(
  environment: Environment,
  { own, before, candidate }: Judged & { readonly candidate: Candidate },
  deps: PromoteEnvironmentsDeps,
): Promise<Consent> {
  if (candidate.kind === 'waits') return candidate;
  const { promotion } = environment;
  const why = await whyNotGood(before, promotion, deps);
  if (why !== undefined) return { kind: 'waits', why };
  // Judged was what stood there all the while.
  const after = await readBefore(environment, deps);
  if (after.state?.seq !== before.state?.seq)
    return { kind: 'waits', why: `${before.name} is being moved to a commit` };
  // Of a pull request people say themselves whether it goes back.
  const known = promotion.by === 'pointer' ? own : { ...own, before: [], seen: [] };
  const { committed } = before.state?.head ?? {};
  const made = { sha: candidate.sha ?? '', ...(committed !== undefined && { committed }) };
  return consentTo(made, known, promotion, deps.clock.now());
}

/** By pointer: intent and effect in one. */
async function moveTo(
  environment: Environment,
  {
    own,
    before,
    sha = '',
    consent,
  }: Judged & { readonly sha: string | undefined; readonly consent: Consent },
  deps: PromoteEnvironmentsDeps,
): Promise<PromotionOutcome> {
  const { name } = environment;
  const at = isoTime(deps.clock.now());
  if (consent.kind === 'waits') {
    await noteWaiting(deps.store, own, { why: consent.why, ...(sha !== '' && { sha }), at });
    return { environment: name, kind: 'waits', sha, why: consent.why };
  }
  const { kind: _, ...given } = consent;
  const commit = { sha, at, ...given };
  const { committed } = before.state?.head ?? {};
  const kept = { ...commit, ...(committed !== undefined && { committed }) };
  if (!(await replacePromoted(deps.store, own, withCommit(own, kept))))
    return { environment: name, kind: 'same' };
  // Both are hints: the next poll of the environment finds what was promoted, too.
  await askToFollow(environment, deps);
  await tell(environment, commit, deps);
  return { environment: name, kind: 'promoted', sha, why: given.reason };
}

async function tell(
  { name, promotion }: Environment,
  commit: PromotedCommit,
  { bus }: Pick<PromoteEnvironmentsDeps, 'bus'>,
): Promise<void> {
  const names = { version: 1 as const, environment: name, from: promotion.from, returned: false };
  await bus.publish([{ type: 'Promoted', detail: { ...names, ...commit } }]);
}

async function askToFollow(
  { name }: Environment,
  { queue }: Pick<PromoteEnvironmentsDeps, 'queue'>,
): Promise<void> {
  await queue.poll({ version: 1, poll: 'remote', repositories: [name] }, 0);
}

/** What the environment before has, by its records. */
export async function readBefore(
  { name, promotion }: Environment,
  { store, config }: { readonly store: Store; readonly config: Pick<StackConfig, 'repositories'> },
): Promise<EnvironmentBefore> {
  const before = config.repositories.find((one) => one.name === promotion.from);
  if (before === undefined) {
    const message = `there is no repository ${promotion.from} in the stack configuration`;
    throw new Stop({ subject: `environment ${name}`, message });
  }
  const isPromotedTo = isPromotedByPointer(before);
  const promoted = isPromotedTo ? await readPromoted(store, before.name) : undefined;
  return { name: before.name, state: await readState(store, before), promoted, isPromotedTo };
}

export async function readState(
  store: Store,
  repository: RepositoryConfig,
): Promise<RepositoryState | undefined> {
  const key = keys.repository(repository.name, trackedRef(repository));
  return (await readDocument(store, key, repositoryStateSchema))?.value;
}

/**
 * Why the environment before has not shown yet that its commit is good: each of its targets must have what the commit gives,
 * healthy for long enough, by the rules by which a stage of a rollout is in; then alarms.
 */
async function whyNotGood(
  before: EnvironmentBefore,
  { soak, alarms = [] }: PromotionConfig,
  deps: PromoteEnvironmentsDeps,
): Promise<string | undefined> {
  const { store, clock } = deps;
  const now = clock.now();
  const soakSeconds = soak === undefined ? 0 : secondsOf(soak);
  const suspensions = await readSuspensions(store);
  const targets = Object.entries(before.state?.applications ?? {}).flatMap(([application, { clusters }]) =>
    clusters.map((cluster): Target => ({ cluster, application })),
  );
  const names = targets.map(({ cluster, application }) => `${cluster}/${application}`);
  const open = await firstBatch(names, async (name) => {
    const target = targets[names.indexOf(name)];
    if (target === undefined) return undefined;
    const verdict = await verdictOn(target, before, { store, suspensions, now, soakSeconds });
    return verdict.kind === 'in' ? undefined : `${target.application} on ${verdict.why}`;
  });
  if (open[0] !== undefined) return `${before.name} is not good yet: ${open[0]}`;
  const held = await whyAlarmed(alarms, { alarms: deps.alarms, now, soakMs: soakSeconds * 1000 });
  return held?.why;
}

interface Looking {
  readonly store: Store;
  readonly suspensions: Awaited<ReturnType<typeof readSuspensions>>;
  readonly now: number;
  readonly soakSeconds: number;
}

async function verdictOn(
  target: Target,
  { name }: EnvironmentBefore,
  { store, suspensions, now, soakSeconds }: Looking,
): Promise<PeerVerdict> {
  try {
    const peer = await readPeer({ store, suspensions, now }, target);
    // What cannot be told is not good (rule 5): the state has a target that no pointer is of.
    if (peer.pointer === undefined || peer.pointer.repository !== name)
      return { kind: 'open', why: `${target.cluster} has no desired state of it yet` };
    return judgePeer(peer, { repository: name, now, soakSeconds });
  } catch (error) {
    if (!(error instanceof Stop)) throw error;
    return { kind: 'open', why: `${target.cluster}: its records cannot be read: ${error.message}` };
  }
}
