import type { RepositoryConfig, StackConfig } from './contract/config.ts';
import type { PromotionConfig } from './contract/promotion.ts';
import { keys } from './contract/keys.ts';
import { isPromotedByPointer, trackedRef } from './contract/tracked-ref.ts';
import { readDocument, updateDocument } from './documents.ts';
import { Stop } from './errors.ts';
import { repositoryStateSchema, type RepositoryState } from './model/desired.ts';
import { secondsOf } from './model/duration.ts';
import { nothingPromoted, promotedSchema, withCommit, type Promoted } from './model/promoted.ts';
import type { Target } from './model/target.ts';
import { isoTime } from './model/time.ts';
import type { Alarms, Bus, Clock, PollQueue, Store } from './ports.ts';
import { candidateOf, consentTo, type EnvironmentBefore } from './promotions/judge-promotion.ts';
import { firstBatch, readPeer } from './reconcile/read-rollout.ts';
import { judgePeer, type PeerVerdict } from './reconcile/rollout-gate.ts';
import { whyAlarmed } from './reconcile/why-alarmed.ts';
import { readSuspensions } from './suspend.ts';

export interface PromoteEnvironmentsDeps {
  readonly store: Store;
  readonly clock: Pick<Clock, 'now'>;
  readonly alarms: Alarms;
  /** Asked to look at an environment, which then follows what was promoted to it. */
  readonly queue: PollQueue;
  readonly bus: Bus;
  readonly config: Pick<StackConfig, 'repositories'>;
}

/** What came of a look at one environment. */
export interface PromotionOutcome {
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
  deps: PromoteEnvironmentsDeps,
): Promise<readonly PromotionOutcome[]> {
  const outcomes: PromotionOutcome[] = [];
  const failures: unknown[] = [];
  for (const environment of deps.config.repositories.filter(isEnvironment)) {
    try {
      outcomes.push(await promoteTo(environment, deps));
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length > 0) throw failures[0];
  return outcomes;
}

async function promoteTo(environment: Environment, deps: PromoteEnvironmentsDeps): Promise<PromotionOutcome> {
  const { name, promotion } = environment;
  const names = { environment: name };
  const own = await readPromoted(deps.store, name);
  const before = await readBefore(environment, deps);
  const candidate = candidateOf(before, own);
  if (candidate.kind === 'same') return { ...names, kind: 'same', sha: own.commit?.sha };
  const now = deps.clock.now();
  const wait = async (why: string, sha?: string): Promise<PromotionOutcome> => {
    await noteWaiting(deps.store, own, { why, ...(sha !== undefined && { sha }), at: isoTime(now) });
    return { ...names, kind: 'waits', sha, why };
  };
  if (candidate.kind === 'waits') return wait(candidate.why, candidate.sha);
  const { sha } = candidate;
  const why = await whyNotGood(before, promotion, deps);
  if (why !== undefined) return wait(why, sha);
  // Judged was what stood there all the while.
  const after = await readBefore(environment, deps);
  if (after.state?.seq !== before.state?.seq) return wait(`${before.name} is being moved to a commit`, sha);
  const consent = consentTo(sha, own, promotion, now);
  if (consent.kind === 'waits') return wait(consent.why, sha);
  const { kind: _, ...given } = consent;
  const commit = { sha, at: isoTime(now), ...given };
  // Intent and effect in one: the pointer itself. Whoever was faster has looked at something newer.
  const written = await updateDocument(deps.store, keys.promoted(name), promotedSchema, (current) =>
    (current?.seq ?? 0) === own.seq ? withCommit(current ?? own, commit) : undefined,
  );
  if (written?.seq !== own.seq + 1 || written.commit?.at !== commit.at) return { ...names, kind: 'same' };
  await follow(environment, commit, deps);
  return { ...names, kind: 'promoted', sha, why: given.reason };
}

/** Both are hints: the next poll of the environment finds what was promoted, too. */
async function follow(
  { name, promotion }: Environment,
  { sha, at, by, reason }: { sha: string; at: string; by: string; reason?: string },
  { queue, bus }: Pick<PromoteEnvironmentsDeps, 'queue' | 'bus'>,
): Promise<void> {
  await queue.poll({ version: 1, poll: 'remote', repositories: [name] }, 0);
  const detail = { version: 1 as const, at, environment: name, from: promotion.from, sha, by };
  await bus.publish([{ type: 'Promoted', detail: { ...detail, ...(reason !== undefined && { reason }) } }]);
}

/** Kept only where it is news, as often as it is asked. */
async function noteWaiting(
  store: Store,
  own: Promoted,
  waiting: NonNullable<Promoted['waiting']>,
): Promise<void> {
  const isKnown = (known: Promoted) =>
    known.waiting?.why === waiting.why && known.waiting.sha === waiting.sha;
  if (isKnown(own)) return;
  await updateDocument(store, keys.promoted(own.environment), promotedSchema, (current) =>
    (current?.seq ?? 0) === own.seq ? { ...(current ?? own), seq: own.seq + 1, waiting } : undefined,
  );
}

export async function readPromoted(store: Store, environment: string): Promise<Promoted> {
  const found = await readDocument(store, keys.promoted(environment), promotedSchema);
  return found?.value ?? nothingPromoted(environment);
}

/** What the environment before has, by its records. */
export async function readBefore(
  { name, promotion }: Environment,
  { store, config }: Pick<PromoteEnvironmentsDeps, 'store' | 'config'>,
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
