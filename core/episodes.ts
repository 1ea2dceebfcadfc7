import { canaryApplication } from './contract/canary.ts';
import { keys, prefixes } from './contract/keys.ts';
import { metrics, type MetricName } from './contract/metrics.ts';
import { readDocument, updateDocument, writeDocument } from './documents.ts';
import { sendDriftOf } from './drift-metrics.ts';
import { Retry } from './errors.ts';
import { breakLoops, type Judged, type LoopBreaker } from './heal-loops.ts';
import {
  driftRecordSchema,
  openDriftSchema,
  type DriftRecord,
  type ObjectDrift,
  type OpenDrift,
  type Who,
} from './model/drift.ts';
import type { BrokenLoops, RecentHeals } from './model/heals.ts';
import type { Target } from './model/target.ts';
import { isoTime } from './model/time.ts';
import type { Trace } from './model/trace.ts';
import type { Bus, Clock, Ids, Metrics, Store } from './ports.ts';
import { changeHeals, readHeals, rememberHeals } from './recent-heals.ts';
import {
  closeRecord,
  countFields,
  decideEpisodes,
  digestOfDrift,
  isEndedByApply,
  isEndedByHeal,
  isHealable,
  openRecord,
  updateRecord,
  type ClosedState,
  type DriftCounts,
  type Episode,
  type EpisodeChanges,
  type Loop,
  type Sighting,
} from './record.ts';

export interface EpisodeDeps {
  readonly store: Store;
  readonly bus: Bus;
  readonly metrics: Metrics;
  readonly clock: Clock;
  readonly ids: Ids;
  /** What is at work came of this; absent where nobody told. */
  readonly trace?: Trace;
}

type Episodes = OpenDrift['episodes'];

/** What one check of a target found, by object key (`refKey`). */
export interface Findings {
  readonly target: Target;
  /** Of the application, where its pointer was read. */
  readonly repository?: string | undefined;
  readonly drifts: ReadonlyMap<string, ObjectDrift>;
  /** Which objects could be judged, drifting or not; episodes of others stay open. */
  readonly isJudged: (key: string) => boolean;
  readonly loopBreaker: LoopBreaker;
  /** How long after one check of the target the next one comes; a loop that is slower than that cannot be seen. */
  readonly periodMs?: number;
  /** Who wrote to an object since the last check, where there is an audit log. Asked for new and changed drift only. */
  readonly whoDid?: ((drift: ObjectDrift) => Promise<Who | undefined>) | undefined;
  /** When the target was last known to be in order, ISO 8601; kept where an audit log is to tell later who it was. */
  readonly inOrderAt?: string | undefined;
}

/** What was recorded; `healable` tells whether a run has anything to put right. */
export interface Recorded extends EpisodeChanges {
  readonly healable: boolean;
}

/** EventBridge takes 256 KB an entry; the record has them all. */
const fieldsInEvent = 50;

/** A sweep, a run and a sweep on demand may meet at one index; more than that is a bug. */
const indexTries = 12;

/** Open episodes of a target, by object key. */
export async function readEpisodes(store: Store, target: Target): Promise<Episodes> {
  return (await readDocument(store, keys.openDrift(target), openDriftSchema))?.value.episodes ?? {};
}

/** Applications of a cluster that have open episodes; one list, however many there are. */
export async function driftingApplications(store: Store, cluster: string): Promise<ReadonlySet<string>> {
  const prefix = `${prefixes.openDrift}${cluster}/`;
  const names = await Array.fromAsync(store.list(prefix), (key) => key.slice(prefix.length, -'.json'.length));
  return new Set(names);
}

/**
 * Opens an episode per newly drifted object, updates those whose fields changed, closes those that are put right.
 * The index is written before the records as an intent and after them as the outcome: one that dies in between is
 * done again by the next check. A check that brings nothing new writes nothing.
 */
export async function recordFindings(deps: EpisodeDeps, findings: Findings): Promise<Recorded> {
  const { target, repository } = findings;
  const at = isoTime(deps.clock.now());
  const open = await readEpisodes(deps.store, target);
  const { drifts, loops } = await judgeLoops(deps, findings, open);
  const changes = decideEpisodes(open, drifts, findings.isJudged);
  const healable = [...drifts.values()].some((drift) => isHealable(countFields(drift)));
  const written = new Map<string, Sighting>();
  for (const key of [...changes.opened, ...changes.changed]) {
    const drift = drifts.get(key);
    if (drift === undefined) continue;
    const who = await findings.whoDid?.(drift);
    const loop = loops.get(key);
    const searched = findings.whoDid === undefined ? {} : { inOrderAt: findings.inOrderAt };
    written.set(key, { drift, at, who, repository, loop: loop && named(loop, who), ...searched });
  }
  if (written.size === 0 && changes.reverted.length === 0) return { ...changes, healable };
  await writeSightings(deps, target, written, changes.reverted);
  return { ...changes, healable };
}

/** The audit log knows a name where managedFields have none: who removed a field, or the object. */
function named(loop: Loop, who: Who | undefined): Loop {
  return loop.manager === 'unknown' && who !== undefined ? { ...loop, manager: who.user } : loop;
}

async function writeSightings(
  deps: EpisodeDeps,
  target: Target,
  sightings: ReadonlyMap<string, Sighting>,
  reverted: readonly string[],
): Promise<void> {
  const episodes = await markIntents(deps, target, sightings);
  const stale = new Set<string>();
  const detected: number[] = [];
  for (const [key, sighting] of sightings) {
    const episode = episodes[key];
    if (episode === undefined) continue;
    const told = await announce(deps, target, episode, sighting);
    if (told === 'stale') stale.add(key);
    else if (told !== undefined) detected.push(told);
  }
  if (target.application !== canaryApplication) await sendSeconds(deps, metrics.detectTime, detected);
  await endEpisodes(deps, target, reverted, { state: 'reverted' });
  await updateIndex(deps, target, (current) => {
    for (const [key, sighting] of sightings) {
      const episode = current[key];
      // An episode that a run closed in the meantime is not opened again: the next check tells whether it drifts anew.
      if (episode === undefined) continue;
      if (stale.has(key)) delete current[key];
      else current[key] = { ...episode, ...indexed(sighting), digest: digestOfDrift(sighting.drift) };
    }
    return current;
  });
}

function indexed({ drift, loop }: Sighting): Pick<Episode, keyof DriftCounts | 'loop'> {
  return { ...countFields(drift), loop: loop !== undefined };
}

/** Without open drift there is no loop: a clean check reads nothing of this. */
async function judgeLoops(
  { store, clock }: EpisodeDeps,
  { target, drifts, loopBreaker: breaker, periodMs = 0 }: Findings,
  open: Episodes,
): Promise<Pick<Judged, 'drifts' | 'loops'>> {
  if (drifts.size === 0) return { drifts, loops: new Map() };
  const now = clock.now();
  const judge = (objects: RecentHeals['objects']): Judged =>
    breakLoops(objects, drifts, (key) => open[key] !== undefined, { now, breaker, periodMs });
  const objects = await readHeals(store, target);
  const judged = judge(objects);
  if (judged.objects !== objects) await changeHeals(store, target, (current) => judge(current).objects);
  return judged;
}

/** Which episodes end, and how. `runId` names the run that did it. */
export interface Closing {
  readonly target: Target;
  /** Of drift that the rules do not heal. `healed`: a person asked for it; `overwritten`: a push did it by the way. */
  readonly state: ClosedState;
  readonly runId?: string | undefined;
  /** Keys (`refKey`) of objects that the run applied or pruned; those without an open episode are passed over. */
  readonly objects: Iterable<string>;
  /** Those among them that were applied for their drift alone: what is only observed was left as it is. */
  readonly heals?: ReadonlySet<string>;
  /** Heal loops that the run left alone. */
  readonly broken?: BrokenLoops | undefined;
}

/**
 * For the reconcile spine: closes the episodes of objects that a run has just applied, emits DriftHealed for each,
 * and sends the drift metrics so that an alarm returns at once. Episodes that an apply cannot end (foreign fields
 * only, extra objects, observed fields and broken loops after a heal) stay open. Costs one GET when nothing drifts. Returns how many
 * were closed.
 */
export async function closeEpisodes(deps: EpisodeDeps, closing: Closing): Promise<number> {
  const { target, state, runId, heals = new Set(), broken = new Map() } = closing;
  const open = await readEpisodes(deps.store, target);
  const touched = [...closing.objects].filter((key) => open[key] !== undefined);
  if (touched.length === 0) return 0;
  const left = await rememberHeals(deps, target, { touched, heals, open, broken });
  const ends = (key: string): boolean => {
    const episode = open[key];
    if (episode === undefined) return false;
    return heals.has(key) ? isEndedByHeal(episode) && !left.has(key) : isEndedByApply(episode);
  };
  const ending = touched.filter(ends);
  // A push may be quicker than the heal that was due; what was only observed it overwrites.
  const isHeal = (key: string): boolean => {
    const episode = open[key];
    return heals.has(key) || (episode !== undefined && isEndedByHeal(episode));
  };
  const [healed, others] = [ending.filter(isHeal), ending.filter((key) => !isHeal(key))];
  const afterHeals = await endEpisodes(deps, target, healed, { state: 'healed', runId });
  const after = (await endEpisodes(deps, target, others, { state, runId })) ?? afterHeals;
  if (after !== undefined) await sendDriftOf(deps, target, after);
  return ending.length;
}

/** Closes episodes of drift that a person accepts, and sends the drift metrics: the alarm returns at once. */
export async function acceptEpisodes(
  deps: EpisodeDeps,
  target: Target,
  objects: readonly string[],
): Promise<void> {
  if (objects.length === 0) return;
  const after = await endEpisodes(deps, target, objects, { state: 'accepted' });
  await sendDriftOf(deps, target, after ?? {});
}

/**
 * Closes every open episode of a target that has nothing left to compare, even those that no apply can end: nobody
 * looks at such a target again, so what stayed open would hold the drift alarm for ever. Costs one GET when there are
 * none. Returns how many were closed.
 */
export async function closeAllEpisodes(
  deps: EpisodeDeps,
  closing: Pick<Closing, 'target' | 'state' | 'runId'>,
): Promise<number> {
  const objects = Object.keys(await readEpisodes(deps.store, closing.target));
  if (objects.length === 0) return 0;
  const after = await endEpisodes(deps, closing.target, objects, closing);
  await sendDriftOf(deps, closing.target, after ?? {});
  return objects.length;
}

/** Adds the new episodes to the index, before their records exist; gives the index as it stands. */
async function markIntents(
  deps: EpisodeDeps,
  target: Target,
  sightings: ReadonlyMap<string, Sighting>,
): Promise<Episodes> {
  const fresh = new Map(
    [...sightings].map(([key, sighting]) => [key, intent(deps.ids.next(), target, sighting)]),
  );
  return updateIndex(deps, target, (current) => {
    for (const [key, episode] of fresh) current[key] ??= episode;
    return current;
  });
}

function intent(id: string, target: Target, sighting: Sighting): Episode {
  const { at } = sighting;
  const since = openRecord(id, target, sighting).happenedAt ?? at;
  return { record: keys.drift(target, at, id), openedAt: at, digest: '', since, ...indexed(sighting) };
}

/**
 * Writes the record, then emits the event: once per new or changed episode, again only after a crash in between.
 * Stale when a run has closed the record since: history is not reopened. Gives how long it took to find a new one, in seconds.
 */
async function announce(
  deps: EpisodeDeps,
  target: Target,
  episode: Episode,
  sighting: Sighting,
): Promise<number | 'stale' | undefined> {
  const { drift, at } = sighting;
  const { trace } = deps;
  let isNew = false;
  const record = await updateDocument(deps.store, episode.record, driftRecordSchema, (current) => {
    isNew = current === undefined;
    if (current === undefined) {
      const opened = openRecord(idOf(episode.record), target, { ...sighting, at: episode.openedAt });
      return { ...opened, ...(trace && { trace }) };
    }
    return current.state === 'open' ? updateRecord(current, sighting) : undefined;
  });
  if (record?.state !== 'open') return 'stale';
  const shown = { ...drift, fields: drift.fields.slice(0, fieldsInEvent) };
  const detail = {
    version: 1 as const,
    at,
    target,
    record: episode.record,
    mode: record.mode,
    drift: shown,
    ...(record.who !== undefined && { who: record.who }),
    ...(sighting.loop !== undefined && { loop: sighting.loop }),
    ...(trace && { trace }),
  };
  await deps.bus.publish([{ type: 'DriftDetected', detail }]);
  // Fields that others added are reported, and nobody waits for them.
  const counts = drift.kind !== 'fields' || countFields(drift).fields > 0;
  return isNew && counts ? record.secondsToDetect : undefined;
}

/** Closes records, emits the events, then takes the episodes out of the index. Gives those that are left; undefined where none ended. */
async function endEpisodes(
  deps: EpisodeDeps,
  target: Target,
  objects: readonly string[],
  { state, runId }: Pick<Closing, 'state' | 'runId'>,
): Promise<Episodes | undefined> {
  if (objects.length === 0) return undefined;
  const at = isoTime(deps.clock.now());
  const open = await readEpisodes(deps.store, target);
  const ending = objects.flatMap((key) => (open[key] === undefined ? [] : [[key, open[key]] as const]));
  if (ending.length === 0) return undefined;
  const healed: number[] = [];
  for (const [, episode] of ending) {
    const closed = await updateDocument(deps.store, episode.record, driftRecordSchema, (current) =>
      current === undefined ? undefined : closeRecord(current, { state, at, runId }),
    );
    if (closed === undefined) continue;
    await deps.bus.publish([healedEvent(closed, episode.record, at, deps.trace)]);
    if (closed.state === 'healed' && closed.secondsToHeal !== undefined) healed.push(closed.secondsToHeal);
  }
  const isCanary = target.application === canaryApplication;
  await sendSeconds(deps, isCanary ? metrics.canary : metrics.healTime, healed);
  return updateIndex(deps, target, (current) => {
    for (const [key, { record }] of ending) if (current[key]?.record === record) delete current[key];
    return current;
  });
}

/** Of the fleet: with a dimension for each cluster each of them would cost. */
async function sendSeconds(
  { metrics: port }: EpisodeDeps,
  name: MetricName,
  seconds: readonly number[],
): Promise<void> {
  if (seconds.length > 0) await port.put(seconds.map((value) => ({ name, value, unit: 'Seconds' })));
}

function healedEvent(record: DriftRecord, key: string, at: string, trace: Trace | undefined) {
  const { target, state, secondsToHeal } = record;
  return {
    type: 'DriftHealed' as const,
    detail: {
      version: 1 as const,
      at,
      target,
      record: key,
      state: state === 'open' ? ('reverted' as const) : state,
      ...(secondsToHeal === undefined ? {} : { secondsToHeal }),
      ...(trace && { trace }),
    },
  };
}

/** Changes the index by compare-and-set; the document goes with its last episode. */
async function updateIndex(
  { store }: EpisodeDeps,
  target: Target,
  change: (episodes: Episodes) => Episodes,
): Promise<Episodes> {
  const key = keys.openDrift(target);
  for (let attempt = 0; attempt < indexTries; attempt += 1) {
    const current = await readDocument(store, key, openDriftSchema);
    const episodes = change({ ...current?.value.episodes });
    const condition = current === undefined ? 'absent' : { etag: current.etag };
    const isEmpty = Object.keys(episodes).length === 0;
    if (isEmpty && condition === 'absent') return {};
    const index: OpenDrift = { version: 1, seq: (current?.value.seq ?? 0) + 1, target, episodes };
    const outcome =
      isEmpty && condition !== 'absent'
        ? await store.delete(key, condition)
        : (await writeDocument(store, key, index, condition)).kind;
    if (outcome !== 'conflict') return episodes;
  }
  throw new Retry({ subject: key, message: `changed under us ${indexTries} times in a row; try again` });
}

/** `drift/date=…/cluster/application/ID.json` ends in the id of the episode. */
function idOf(recordKey: string): string {
  return recordKey.slice(recordKey.lastIndexOf('/') + 1, -'.json'.length);
}
