import type { RepositoryConfig } from './contract/config.ts';
import type { EventDetail } from './contract/events.ts';
import { keys } from './contract/keys.ts';
import { isOlderTag, trackedRef, tracks, type ResolvedRef } from './contract/tracked-ref.ts';
import { updateDocument } from './documents.ts';
import { Blocked, Retry, faultsOf, type Fault } from './errors.ts';
import { readFleet, type Fleet } from './fleet.ts';
import { deliverySchema, type Delivery } from './model/delivery.ts';
import type { DesiredPointer, RepositoryState } from './model/desired.ts';
import { targetKey } from './model/target.ts';
import { isoTime } from './model/time.ts';
import type { Bus, Clock, Metrics, Queues } from './ports.ts';
import {
  announceExamined,
  announceFailed,
  announceReady,
  firstFaults,
  sendFailing,
  unanswered,
} from './produce/announce.ts';
import { examine, type ExamineDeps } from './produce/examine.ts';
import { describeOutcome } from './produce/outcome.ts';
import {
  knownOf,
  planPointers,
  targetsOf,
  type ApplicationPlan,
  type Examination,
  type KnownApplications,
} from './produce/plan-pointers.ts';
import { touchedPointer, type Look } from './produce/pointers.ts';
import { readersOf, wakeReaders } from './produce/readers.ts';
import { Records } from './produce/records.ts';

export interface ProduceDeps extends ExamineDeps {
  readonly bus: Bus;
  readonly queues: Queues;
  readonly metrics: Metrics;
  readonly clock: Clock;
}

type Push = EventDetail<'PushReceived'>;

/** One handling of one message. Survives passes that lost to another writer. */
interface Work {
  readonly push: Push;
  readonly receiveCount: number;
  readonly repository: RepositoryConfig;
  readonly deps: ProduceDeps;
  /** By commit, for the clusters as they were then. */
  readonly examinations: Map<string, Examination & { readonly fleet: string }>;
  /** Pointers that runs must answer to, by target; they may have moved in an earlier pass. */
  readonly moved: Map<string, DesiredPointer>;
  /** What was said already: target and revision, or the commit that failed. */
  readonly announced: Set<string>;
}

/** Enough for every push of a busy minute to get in between. */
const maxPasses = 6;
const laggingSeconds = [1, 2, 4];
/** From this many receives on, a head that equals the push's `before` is the truth: somebody took the push back. */
const laggingReceives = 3;
/** From this many receives on, a chart repository that does not answer is left to the next push. */
const awayReceives = 4;
/** From this many receives on, a refusal of the Git host is told as a fault of the repository. */
const refusedReceives = 3;

/**
 * Follows a push: brings snapshots and desired pointers of its repository to the head of the tracked ref (rule 2), and
 * asks for the runs. The push is only a hint, so late, doubled and reordered ones all end at the head.
 * Returns what came of it, as recorded in the delivery ledger. Throws Retry when the same push may pass later.
 */
export async function produce(push: Push, receiveCount: number, deps: ProduceDeps): Promise<string> {
  const { outcome, ...rest } = await follow(push, receiveCount, deps);
  await updateDocument(
    deps.store,
    keys.delivery(push.provider, push.deliveryId),
    deliverySchema,
    (delivery) => {
      if (delivery === undefined || delivery.outcome === outcome) return undefined;
      const { failed: _, ...before } = delivery;
      return { ...before, outcome, ...rest };
    },
  );
  return outcome;
}

type Outcome = Pick<Delivery, 'failed'> & { readonly outcome: string };

async function follow(push: Push, receiveCount: number, deps: ProduceDeps): Promise<Outcome> {
  const repository = deps.config.repositories.find(({ name }) => name === push.repository);
  if (repository === undefined)
    return { outcome: `repository ${push.repository} is not in the stack configuration` };
  if (!tracks(repository, push.ref)) {
    const follows = `repository ${repository.name} follows ${trackedRef(repository)}`;
    return { outcome: `${push.ref} is not tracked: ${follows}` };
  }
  const own = { examinations: new Map(), moved: new Map(), announced: new Set<string>() };
  const work: Work = { push, receiveCount, repository, deps, ...own };
  for (let pass = 0; pass < maxPasses; pass += 1) {
    const outcome = await followHead(work);
    if (outcome === undefined) continue;
    const { later } = [...work.examinations.values()].at(-1) ?? {};
    // What could be followed is; the message comes again for the rest.
    if (later !== undefined && receiveCount < awayReceives) throw later;
    return outcome;
  }
  const message = `head or pointers moved under us ${maxPasses} times in a row; try again`;
  throw new Retry({ subject: `repository ${repository.name}`, message });
}

/** One pass, the table of contents of the snapshot function. Undefined: somebody was faster, start over. */
async function followHead(work: Work): Promise<Outcome | undefined> {
  const { repository, deps } = work;
  const records = new Records(deps.store, repository);
  // Before the head is asked for: whoever moves one of these after us has seen a newer head, and our write fails.
  await records.readState();
  const { head: followed, failing: wasFailing = false } = records.state ?? {};
  const readers = await readersOf(repository, deps);
  const known = withTargets(records.state?.applications ?? {}, work.moved);
  await records.readPointers(targetsOf(known, []));
  // After the state, too: of two handlers that know different clusters, the one that knows the older ones loses.
  const fleet = await readFleet(deps);
  const examined = await examineHead(work, followed, fleet);
  const isSource = readers.length > 0 && Object.keys(known).length === 0;
  const examination = isSource ? withoutMissingFolder(examined) : examined;
  if (examination === 'absent') return { outcome: absentRef(repository) };
  if (examination === 'moved') return undefined;
  // New to the state, so their pointers are written after a write of the state, which fails in the same way.
  await records.readPointers(targetsOf(known, examination.applications));

  const look = { sha: examination.sha, at: isoTime(deps.clock.now()) };
  const repositories = deps.config.repositories.map(({ name }) => name);
  const names = { repository: repository.name, ref: trackedRef(repository) };
  const { isComplete } = fleet;
  const standing = { ...names, known, pointers: records.pointers, repositories, isComplete };
  const plans = planPointers(examination, standing, look.at);
  const faults = allFaults(examination, plans);
  const failed = plans.filter(({ verdict }) => verdict === 'failed').map(({ name }) => name);

  const planned = [...plans.flatMap((plan) => plan.pointers), ...touched(records, plans, look)];
  const pointers = planned.map((pointer) => traced(pointer, records, work.push));
  if (!(await claim(records, { plans, pointers, look, names }))) return undefined;
  if (!(await movePointers(work, records, pointers))) return undefined;
  await announce(work, records, look, { applications: failed, faults });
  const tag = repository.semver === undefined ? undefined : (examination.commit?.ref ?? followed?.tag);
  const charts = examination.charts ?? records.state?.charts ?? [];
  const committed = examination.commit?.committer.at;
  const state = {
    ...names,
    head: { ...look, ...(committed !== undefined && { committed }), ...(tag !== undefined && { tag }) },
    failing: faults.length > 0,
    ...(faults.length > 0 && { faults: firstFaults(faults) }),
    ...(examination.refused && { refused: true as const }),
    ...(charts.length > 0 && { charts: [...charts] }),
    applications: knownAfter(plans),
  };
  if (!(await records.writeState(state))) return undefined;
  await records.keepPointers();
  const isNews = followed?.sha !== look.sha || work.receiveCount > 1;
  if (isNews) await wakeReaders(readers, { ...look, repository: repository.name }, deps.bus);
  // After the state: whoever tells of a commit reads how it stands.
  const isTold = isToldOf(repository, deps.config);
  if (isTold && (isNews || work.moved.size > 0 || faults.length > 0 || wasFailing))
    await announceExamined({ ...names, ...look, failing: faults.length > 0 }, work.push, deps.bus);
  const outcome = describeOutcome(look.sha, plans, [...work.moved.values()], faults);
  return { outcome, ...(faults.length > 0 && { failed: true as const }) };
}

/** Somebody waits for what becomes of its commits. */
function isToldOf(
  { name, status }: RepositoryConfig,
  { notifications, repositories }: ProduceDeps['config'],
): boolean {
  const isPromoted = repositories.some(({ promotion }) => promotion?.from === name);
  return isPromoted || status !== undefined || notifications !== undefined;
}

/** A repository that others read from, and that never had an Application, needs no folder for any. */
function withoutMissingFolder(examined: Examination | 'absent' | 'moved'): typeof examined {
  if (typeof examined === 'string') return examined;
  const faults = examined.faults.filter(({ isMissingFolder }) => isMissingFolder !== true);
  return { ...examined, faults };
}

/** The head as it is now, looked at once per commit. `moved`: it was force-pushed away while we fetched it. */
async function examineHead(
  work: Work,
  followed: Followed | undefined,
  { clusters, digest }: Fleet,
): Promise<Examination | 'absent' | 'moved'> {
  const { push, repository, deps, examinations } = work;
  let head: string | undefined;
  try {
    head = await askHead(work, followed);
  } catch (error) {
    const faults = faultsOf(error);
    if (faults === undefined) throw error;
    const about = faults.map((fault) => ({ ...fault, file: '' }));
    // A hint that tells of no commit has none to be recorded.
    const sha = push.before === push.after ? (followed?.sha ?? push.after) : push.after;
    return { sha, refused: true, commit: undefined, applications: [], faults: about };
  }
  if (head === undefined) return 'absent';
  const before = examinations.get(head);
  if (before?.fleet === digest) return before;
  const known = { ...deps, config: { ...deps.config, clusters } };
  const examined = await examine(repository, head, known, push.anew);
  if (examined === undefined) return 'moved';
  examinations.set(head, { ...examined, fleet: digest });
  return examined;
}

type Followed = RepositoryState['head'];

/**
 * A replica of the Git host may lag behind the push: it gets some seconds, then some more messages, to catch up.
 * `followed`: the head that was followed last.
 */
async function askHead(work: Work, followed: Followed | undefined): Promise<string | undefined> {
  const { push, receiveCount, repository, deps, examinations } = work;
  const { before, after } = push;
  const whyStale = (head: ResolvedRef | undefined): string | undefined => {
    const name = head?.ref.replace('refs/tags/', '') ?? 'no such ref';
    if (isStepBack(head, followed))
      return `${name}, and not the newer ${followed?.tag?.replace('refs/tags/', '')}`;
    if (!isAt(head?.sha, before) || isAt(head?.sha, after)) return undefined;
    return `${head === undefined ? name : before.slice(0, 7)}, as before the push`;
  };
  // Neither side of a push onto what was followed last: an older commit of a stale replica, or a newer push's.
  const isDoubtful = (head: ResolvedRef | undefined) =>
    followed?.sha === before &&
    before !== after &&
    !isAt(head?.sha, after) &&
    !examinations.has(head?.sha ?? '');
  let head = await tellHead(work);
  for (const seconds of laggingSeconds) {
    if ((whyStale(head) === undefined && !isDoubtful(head)) || receiveCount >= laggingReceives)
      return head?.sha;
    await deps.clock.sleep(seconds * 1000);
    head = await tellHead(work);
  }
  const shown = whyStale(head);
  if (shown === undefined) return head?.sha;
  throw new Retry({
    subject: `repository ${repository.name}`,
    message: `the Git host still shows ${shown}; it is asked again`,
  });
}

/** Of a range of versions: a newer tag was followed. It may be gone by now, and whoever asks again will see that. */
function isStepBack(head: ResolvedRef | undefined, followed: Followed | undefined): boolean {
  return head !== undefined && followed?.tag !== undefined && isOlderTag(head.ref, followed.tag);
}

/** A push names a branch that is not there by zeros, on the side where it is not. */
function isAt(head: string | undefined, sha: string): boolean {
  return head === undefined ? /^0+$/.test(sha) : head === sha;
}

/** Hosts refuse for a moment too (a token being rotated, an outage behind a 403 or 404): that must not lose the push. */
async function tellHead({ receiveCount, repository, deps }: Work): Promise<ResolvedRef | undefined> {
  try {
    return (await deps.git.heads([repository])).get(repository.name);
  } catch (error) {
    if (!(error instanceof Blocked) || receiveCount >= refusedReceives) throw error;
    const [fault = { subject: error.subject, message: error.message }] = faultsOf(error) ?? [];
    throw new Retry({ ...fault, cause: error });
  }
}

function absentRef(repository: RepositoryConfig): string {
  const ref = trackedRef(repository).replace('refs/heads/', 'branch ').replace('refs/tags/', 'tag ');
  return `repository ${repository.name} has no ${ref}: nothing was changed, and nothing is taken for deleted`;
}

/** Of Application files and of renders; each once, though it may concern several applications. */
function allFaults(examination: Examination, plans: readonly ApplicationPlan[]): readonly Fault[] {
  const all = [...examination.faults, ...plans.flatMap(({ faults }) => faults)];
  const texts = all.map(({ subject, message }) => `${subject}: ${message}`);
  return all.filter((_, index) => texts.indexOf(texts[index] ?? '') === index);
}

function knownAfter(plans: readonly ApplicationPlan[]): KnownApplications {
  return Object.fromEntries(plans.flatMap(({ name, known }) => (known === undefined ? [] : [[name, known]])));
}

/** What an earlier pass wrote is ours to take away, though another handler may have left it out of the state since. */
function withTargets(known: KnownApplications, moved: Work['moved']): KnownApplications {
  const all = { ...known };
  for (const { target, state } of moved.values()) {
    const { file = '', clusters = [], ...more } = knownOf(all, target.application) ?? {};
    if (state === 'gone' || clusters.includes(target.cluster)) continue;
    all[target.application] = { file, ...more, clusters: [...clusters, target.cluster] };
  }
  return all;
}

/**
 * Pointers that the handler of another commit said it would move, and may yet write: this commit wants them as they are,
 * so only another version of them keeps that late write out.
 */
function touched(records: Records, plans: readonly ApplicationPlan[], look: Look): DesiredPointer[] {
  const { moving, repository } = records.state ?? {};
  if (moving === undefined || moving.sha === look.sha) return [];
  const planned = new Set(plans.flatMap((plan) => plan.pointers.map(({ target }) => targetKey(target))));
  const { pointers } = records;
  return moving.targets.flatMap((key) => {
    const pointer = pointers.get(key);
    if (pointer === undefined || planned.has(key) || pointer.repository !== repository) return [];
    return [touchedPointer(pointer, look)];
  });
}

interface Claim {
  readonly plans: readonly ApplicationPlan[];
  readonly pointers: readonly DesiredPointer[];
  readonly look: Look;
  readonly names: Pick<RepositoryState, 'repository' | 'ref'>;
}

/** Intent before effect (rule 1): a pointer that no state knows of could never become a tombstone. */
async function claim(records: Records, { plans, pointers, look, names }: Claim): Promise<boolean> {
  if (pointers.length === 0) return true;
  const { applications: before = {}, head = look, failing = false } = records.state ?? {};
  const union = { ...before };
  for (const [name, { clusters, ...more }] of Object.entries(knownAfter(plans))) {
    const had = knownOf(before, name)?.clusters ?? [];
    union[name] = { ...more, clusters: [...had, ...clusters.filter((cluster) => !had.includes(cluster))] };
  }
  const moving = { ...look, targets: pointers.map(({ target }) => targetKey(target)) };
  return records.writeState({ ...names, head, moving, failing, applications: union });
}

/** A revision is traced to the push that gave it, whatever is noted beside it later. */
function traced(pointer: DesiredPointer, { pointers }: Records, { trace }: Push): DesiredPointer {
  const isNew = pointer.revision !== pointers.get(targetKey(pointer.target))?.revision;
  return isNew && trace !== undefined ? { ...pointer, trace } : pointer;
}

async function movePointers(
  { moved }: Work,
  records: Records,
  wanted: readonly DesiredPointer[],
): Promise<boolean> {
  const before = records.pointers;
  const written = await records.writePointers(wanted);
  for (const pointer of written) {
    const key = targetKey(pointer.target);
    if (pointer.revision !== before.get(key)?.revision) moved.set(key, pointer);
  }
  return written.length === wanted.length;
}

async function announce(
  { push, receiveCount, repository, deps, moved, announced }: Work,
  records: Records,
  { sha, at }: Look,
  failures: { readonly applications: string[]; readonly faults: readonly Fault[] },
): Promise<void> {
  if (receiveCount > 1) {
    const own = [...records.pointers].filter(([, pointer]) => pointer.repository === repository.name);
    const rest = own.flatMap(([key, pointer]) => (moved.has(key) ? [] : [pointer]));
    for (const pointer of await unanswered(rest, deps.store)) moved.set(targetKey(pointer.target), pointer);
  }
  const { deliveryId, trace } = push;
  const news = [...moved].filter(([key, { revision }]) => !announced.has(`${key}@${revision}`));
  await announceReady(
    news.map(([, pointer]) => pointer),
    { at, deliveryId },
    deps,
  );
  for (const [key, { revision }] of news) announced.add(`${key}@${revision}`);

  const wasFailing = records.state?.failing === true;
  const isFailing = failures.faults.length > 0;
  const isSaid = announced.has(sha) || (wasFailing && records.state?.head.sha === sha);
  if (isFailing && !isSaid) {
    const detail = { at, repository: repository.name, ref: trackedRef(repository), sha, deliveryId };
    await announceFailed({ ...detail, ...failures, ...(trace && { trace }) }, deps.bus);
    announced.add(sha);
  }
  if (isFailing || wasFailing) await sendFailing(repository.name, isFailing, deps);
}
