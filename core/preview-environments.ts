import type { EventDetail } from './contract/events.ts';
import { keys } from './contract/keys.ts';
import { trackedRef } from './contract/tracked-ref.ts';
import { updateDocument } from './documents.ts';
import { askHost } from './environments/ask-host.ts';
import { decideEnvironments } from './environments/decide.ts';
import { definitionsOf } from './environments/definitions.ts';
import { endEnvironments } from './environments/end-environments.ts';
import { isFollowed, makeEnvironments, type Made } from './environments/make-environments.ts';
import { isPullRef } from './environments/next-pointers.ts';
import { EnvironmentRecords } from './environments/records.ts';
import { tellPulls, type ToldPulls } from './environments/tell-pulls.ts';
import { type EnvironmentDeps, type Reason, type Situation, type Work } from './environments/work.ts';
import { Blocked, Retry, Stop } from './errors.ts';
import { readFleet } from './fleet.ts';
import { deliverySchema } from './model/delivery.ts';
import { digestOf } from './model/digest.ts';
import type { EnvironmentRecord } from './model/preview-environments.ts';
import { isoTime } from './model/time.ts';
import { readRenders } from './produce/render-memory.ts';
import { readSource } from './source.ts';

export { isPullRef };

const maxPasses = 6;

/**
 * Brings the preview environments of a repository to what its pull requests and its tracked branch say: snapshots,
 * desired pointers, runs, tombstones, and a comment on each pull request. Returns what came of it. Throws Retry when the
 * same may pass later. Whatever cannot be asked or read leaves every environment as it is.
 */
export async function followPulls(name: string, reason: Reason, deps: EnvironmentDeps): Promise<string> {
  const repository = deps.config.repositories.find((one) => one.name === name);
  if (repository === undefined) return `repository ${name} is not in the stack configuration`;
  try {
    for (let pass = 0; pass < maxPasses; pass += 1) {
      const outcome = await onePass({ repository, reason, deps, at: isoTime(deps.clock.now()) });
      if (outcome !== undefined) return outcome;
    }
  } catch (error) {
    if (error instanceof Retry && !reason.isLast) throw error;
    if (!(error instanceof Retry || error instanceof Blocked || error instanceof Stop)) throw error;
    return `not followed: ${error.message}; environments stay as they are, and the next poll asks again`;
  }
  const message = `its environments moved under us ${maxPasses} times in a row; try again`;
  throw new Retry({ subject: `repository ${name}`, message });
}

/** From this many receives of an event on, what is still not there is left to the next poll. */
const lastReceive = 3;

/** Follows one event, and notes in the ledger what came of it. Throws Retry when the same event may pass later. */
export async function followPullEvent(
  { provider, deliveryId, repository, id, action, head, trace }: EventDetail<'PullRequestChanged'>,
  receiveCount: number,
  deps: EnvironmentDeps,
): Promise<string> {
  if (action === 'reviewed') return 'a review changes no environment';
  const hint = { id, action, sha: head.sha };
  const times = { isRepeated: receiveCount > 1, isLast: receiveCount >= lastReceive };
  const outcome = await followPulls(repository, { deliveryId, trace, hint, ...times }, deps);
  await updateDocument(deps.store, keys.delivery(provider, deliveryId), deliverySchema, (delivery) =>
    // Others may have more to say of the same delivery.
    delivery === undefined || delivery.outcome !== undefined ? undefined : { ...delivery, outcome },
  );
  return outcome;
}

/** Makes environments anew whose snapshots were lost. */
export async function remakeEnvironments(
  { repository, deliveryId, anew, trace }: EventDetail<'PushReceived'>,
  deps: EnvironmentDeps,
): Promise<string> {
  return followPulls(repository, { deliveryId, trace, anew, isLast: true }, deps);
}

const nothingToDo = 'no preview environments';

/**
 * Looks at the pull requests of these repositories, for events that were lost and times that are over. Gives what came of
 * those that have any environments.
 */
export async function pollPulls(
  names: readonly string[],
  deps: EnvironmentDeps,
): Promise<readonly { readonly repository: string; readonly outcome: string }[]> {
  const outcomes: { readonly repository: string; readonly outcome: string }[] = [];
  for (const repository of names) {
    const reason = { deliveryId: `poll-${repository}-${deps.clock.now()}`, isLast: true };
    outcomes.push({ repository, outcome: await followPulls(repository, reason, deps) });
  }
  return outcomes.filter(({ outcome }) => outcome !== nothingToDo);
}

/** The table of contents of the environments. Undefined: somebody was faster, start over. */
async function onePass(work: Work): Promise<string | undefined> {
  const { repository, deps } = work;
  const records = new EnvironmentRecords(deps.store, repository.name);
  // Before the host is asked: whoever moves one of these after us has seen something newer, and our write fails.
  const record = await records.read();
  const isIdle = Object.values(record.environments).every(({ state }) => state === 'ended');
  if (repository.environments === undefined && isIdle) return nothingToDo;
  const situation = await lookAround(work, record);
  if (situation === undefined)
    return `no ${trackedRef(repository)}: nothing was changed, and nothing is taken for deleted`;
  if (isSettled(work, records, situation)) return 'no environment changed';
  const environments = intended(work, record, situation);
  // Intent before effect (rule 1): what no record knows of could never be taken away.
  if (!(await records.write({ environments, told: record.told }))) return undefined;
  const made = await makeEnvironments(work, records, situation);
  if (made === undefined) return undefined;
  const ended = await endEnvironments(work, records, environments);
  if (ended === undefined) return undefined;
  return conclude(work, records, { situation, made, ended });
}

/** What the host and the tracked branch say now. Undefined: there is no such branch. Writes nothing. */
async function lookAround(
  { repository, reason, deps }: Work,
  record: EnvironmentRecord,
): Promise<Situation | undefined> {
  const fleet = await readFleet(deps);
  const { environments: limits, branch = 'main' } = repository;
  if (limits === undefined) return allEnding(record, fleet);
  const { hint, isLast: isPatient } = reason;
  const pulls = await askHost({ repository, record, hint, isPatient }, deps);
  const head = await deps.git.head(repository);
  if (head === undefined) return undefined;
  await using worktree = await deps.git.checkout(repository, head);
  if (worktree === undefined) {
    const message = `lost commit ${head.slice(0, 7)} while it was fetched`;
    throw new Retry({ subject: `repository ${repository.name}`, message });
  }
  const config = { ...deps.config, clusters: fleet.clusters };
  const { files } = await readRenders(repository, deps.store);
  const source = await readSource(worktree, repository.applications, config, files);
  const definitions = definitionsOf(
    source,
    { name: repository.name, environments: limits },
    { fleet, config },
  );
  const { environments } = record;
  const decided = decideEnvironments({
    ...definitions,
    pulls,
    environments,
    branch,
    limits,
    now: deps.clock.now(),
  });
  const seen = Object.fromEntries([...pulls].map(([id, pull]) => [id, JSON.stringify(pull ?? null)]));
  const { projects, variables } = deps.config;
  const { isComplete } = fleet;
  const known = JSON.stringify({
    head,
    fleet: fleet.digest,
    isComplete,
    limits,
    projects,
    variables,
    build: deps.build,
  });
  return { decided, pulls, fleet, digest: digestOf({ known, seen }) };
}

/** Switched off in the stack configuration: nobody is asked. */
function allEnding({ environments }: EnvironmentRecord, fleet: Situation['fleet']): Situation {
  const why = 'the installation runs none for this repository any more';
  const standing = Object.entries(environments).filter(([, { state }]) => state === 'active');
  const ending = new Map(standing.map(([name]) => [name, why]));
  return { decided: { wanted: [], ending, refused: [] }, pulls: new Map(), fleet };
}

/** Nothing is other than when everything was done last, and no time is over. */
function isSettled(
  { reason: { anew = [], isRepeated = false }, at }: Work,
  records: EnvironmentRecords,
  { decided, digest }: Situation,
): boolean {
  const { looked } = records.record;
  const isSame = looked !== undefined && looked === digest && anew.length === 0 && !isRepeated;
  return (
    isSame && decided.ending.size === 0 && decided.wanted.every((one) => isFollowed(one, records, { at }))
  );
}

function intended(
  { at }: Work,
  { environments }: EnvironmentRecord,
  { decided }: Situation,
): EnvironmentRecord['environments'] {
  const next = { ...environments };
  for (const { name, environment } of decided.wanted) {
    const made = environments[name]?.made;
    next[name] = { ...environment, ...(made !== undefined && { made }) };
  }
  for (const [name, why] of decided.ending) {
    const before = environments[name];
    if (before !== undefined) next[name] = { ...before, state: 'ending', why, endingSince: at };
  }
  return next;
}

interface Done {
  readonly situation: Situation;
  readonly made: Made;
  readonly ended: ReadonlySet<string>;
}

/** Notes what was done, and tells the pull requests. */
async function conclude(
  work: Work,
  records: EnvironmentRecords,
  { situation, made, ended }: Done,
): Promise<string | undefined> {
  const { pulls, digest } = situation;
  const { record } = records;
  const now = Object.entries(record.environments).map(([name, { made: _before, ...rest }]) => {
    const from = rest.state === 'active' ? made.digests.get(name) : undefined;
    const state = ended.has(name) ? ('ended' as const) : rest.state;
    return [name, { ...rest, state, ...(from !== undefined && { made: from }) }] as const;
  });
  const environments = Object.fromEntries(now);
  const { told, fault } = await tellPulls(work, {
    situation,
    faults: made.faults,
    record: { environments, told: record.told },
  });
  const isOpen = (id: string): boolean => pulls.get(id)?.state === 'open';
  // Of a pull request that is over nothing is left to remember. One that is open keeps what ended: its time is over.
  const kept = now.filter(([, { state, pull }]) => state !== 'ended' || isOpen(pull.id));
  const ids = new Set(kept.map(([, { pull }]) => pull.id));
  const isDone =
    made.faults.size === 0 && fault === undefined && kept.every(([, { state }]) => state !== 'ending');
  const next = {
    environments: Object.fromEntries(kept),
    told: Object.fromEntries(Object.entries(told).filter(([id]) => ids.has(id) || isOpen(id))),
    ...(isDone && digest !== undefined && { looked: digest }),
  };
  if (!(await records.write(next))) return undefined;
  const later = made.later ?? (fault instanceof Retry ? fault : undefined);
  if (later !== undefined && !work.reason.isLast) throw later;
  return outcomeOf({ situation, made, ended }, next, fault);
}

const namesTold = 5;

/** In a sentence, for the log and the ledger. */
function outcomeOf(
  { situation, made, ended }: Done,
  { environments }: Pick<EnvironmentRecord, 'environments'>,
  fault: ToldPulls['fault'],
): string {
  const ending = Object.entries(environments).filter(([, { state }]) => state === 'ending');
  const { refused } = situation.decided;
  const parts: readonly (readonly [readonly string[], string])[] = [
    [made.moved.map(({ target }) => `${target.application} on ${target.cluster}`), 'changed'],
    [ending.map(([name, { why = '' }]) => `${name}: ${why}`), 'being removed'],
    [[...ended], 'removed'],
    [[...made.faults].map(([name, [first]]) => `${name}: ${first?.message ?? ''}`), 'failed'],
    [refused.map(({ application, pull, why }) => `${application} for ${pull.id}: ${why}`), 'not made'],
  ];
  const said = parts.flatMap(([names, what]) =>
    names.length === 0 ? [] : [`${names.length} ${what} (${names.slice(0, namesTold).join('; ')})`],
  );
  const comment = fault === undefined ? '' : `; a pull request was not told: ${fault.message}`;
  return `${said.join(', ') || 'no environment changed'}${comment}`;
}
