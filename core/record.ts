import { digestOf } from './model/digest.ts';
import type { DriftRecord, FieldDrift, ObjectDrift, OpenDrift, Who } from './model/drift.ts';
import type { DriftMode } from './model/rule.ts';
import type { Json } from './model/json.ts';
import type { Target } from './model/target.ts';
import { secondsBetween } from './model/time.ts';

export type Episode = OpenDrift['episodes'][string];
export type Loop = NonNullable<DriftRecord['loop']>;
export type ClosedState = Exclude<DriftRecord['state'], 'open'>;

/** Drift that counts in alarms. Foreign fields alone do not: restarts, Reloader or VPA leave such fields all the time. */
export function isAlarming({ kind, fields }: Pick<Episode, 'kind' | 'fields'>): boolean {
  return kind !== 'fields' || fields > 0;
}

/** Whether a heal has anything to put right: an extra object never goes, and what is only observed stays. */
export function isHealable({ healable }: Pick<Episode, 'healable'>): boolean {
  return healable > 0;
}

/** Whether a heal of the object ends its episode: nothing of ours is left as it is. Foreign fields may stay. */
export function isEndedByHeal({ healable, held }: Pick<Episode, 'healable' | 'held'>): boolean {
  return healable > 0 && held === 0;
}

/** Whether applying the object in full ends its episode, whatever the modes: a push, or a sync by a person. */
export function isEndedByApply({ kind, fields }: Pick<Episode, 'kind' | 'fields'>): boolean {
  return kind === 'missing' || fields > 0;
}

export type DriftCounts = Pick<Episode, 'kind' | 'fields' | 'foreign' | 'healable' | 'held'>;

/** How many fields are ours and how many foreign, and how many of them a heal puts right. */
export function countFields({ kind, mode, fields }: ObjectDrift): DriftCounts {
  const foreign = fields.filter((field) => field.class === 'foreign').length;
  const own = fields.length - foreign;
  const healed = fields.filter(isHealed);
  const healedOwn = healed.filter((field) => field.class !== 'foreign').length;
  const isMissing = kind === 'missing' && (mode ?? 'heal') === 'heal';
  const healable = isMissing ? 1 : healed.length;
  return { kind, fields: own, foreign, healable, held: own - healedOwn };
}

/** Whether a heal puts one field right. */
export function isHealed(field: FieldDrift): boolean {
  return (field.mode ?? (field.class === 'foreign' ? 'observe' : 'heal')) === 'heal';
}

/** Tells whether an episode changed. Times are left out: the same value written again is the same drift. */
export function digestOfDrift({ ref, kind, mode, fields }: ObjectDrift): string {
  const values = fields.map((field) => [
    field.class,
    field.path,
    field.desired ?? null,
    field.live ?? null,
    field.manager ?? null,
    field.mode ?? null,
  ]) satisfies Json;
  return digestOf([ref.group, ref.kind, ref.namespace ?? null, ref.name, kind, mode ?? null, values]);
}

/** What one check means for the episodes of its target, by object key. */
export interface EpisodeChanges {
  readonly opened: readonly string[];
  readonly changed: readonly string[];
  /** Open, looked at now, and no longer drifting though no run of ours was at work: somebody put it back. */
  readonly reverted: readonly string[];
}

/** `isJudged` tells which objects this check could judge: an episode of any other stays as it is (rule 5). */
export function decideEpisodes(
  open: OpenDrift['episodes'],
  found: ReadonlyMap<string, ObjectDrift>,
  isJudged: (key: string) => boolean,
): EpisodeChanges {
  const opened: string[] = [];
  const changed: string[] = [];
  for (const [key, drift] of found) {
    const episode = open[key];
    if (episode === undefined) opened.push(key);
    else if (episode.digest !== digestOfDrift(drift)) changed.push(key);
  }
  const reverted = Object.keys(open).filter((key) => isJudged(key) && !found.has(key));
  return { opened, changed, reverted };
}

/** One look at a drifted object. `at` is ISO 8601. */
export interface Sighting {
  readonly drift: ObjectDrift;
  readonly at: string;
  readonly who?: Who | undefined;
  readonly loop?: Loop | undefined;
  /** When the target was last known to be in order, where an audit log is searched for what happened since. */
  readonly inOrderAt?: string | undefined;
  /** Whose the application is; names are freed and taken again. */
  readonly repository?: string | undefined;
}

/** What becomes of a drift as a whole: `heal` where a heal puts any of it right. */
export function modeOf(drift: ObjectDrift): DriftMode {
  return isHealable(countFields(drift)) ? 'heal' : 'observe';
}

export function openRecord(
  id: string,
  target: Target,
  { drift, at, who, loop, inOrderAt, repository }: Sighting,
): DriftRecord {
  // The audit log knows when a field or an object went; managedFields only know who is there.
  const happenedAt = earliest(drift) ?? who?.at;
  return {
    version: 1,
    id,
    target,
    ...(repository !== undefined && { repository }),
    drift,
    mode: modeOf(drift),
    openedAt: at,
    lastSeenAt: at,
    state: 'open',
    ...(who !== undefined && { who }),
    ...(loop !== undefined && { loop }),
    ...(who === undefined && inOrderAt !== undefined && { inOrderAt }),
    ...(happenedAt === undefined ? {} : { happenedAt, secondsToDetect: secondsBetween(happenedAt, at) }),
  };
}

/** The same episode with its newest fields; when it began and was found stays, and so does that it was a loop. */
export function updateRecord(record: DriftRecord, { drift, at, who, loop }: Sighting): DriftRecord {
  return {
    ...record,
    drift,
    mode: modeOf(drift),
    lastSeenAt: at,
    ...(who !== undefined && { who }),
    ...(loop !== undefined && { loop }),
  };
}

/** The same record with who it was, once an audit log tells. What is known already stays, and so does a closed record closed. */
export function nameAuthor(record: DriftRecord, who: Who): DriftRecord {
  if (record.who !== undefined) return record;
  const { happenedAt = who.at } = record;
  const secondsToDetect = record.secondsToDetect ?? secondsBetween(happenedAt, record.openedAt);
  return { ...record, who, happenedAt, secondsToDetect };
}

/** Ends an episode. A record that is closed already stays as it is. */
export function closeRecord(
  record: DriftRecord,
  end: { readonly state: ClosedState; readonly at: string; readonly runId?: string | undefined },
): DriftRecord {
  if (record.state !== 'open') return record;
  return {
    ...record,
    state: end.state,
    closedAt: end.at,
    secondsToHeal: secondsBetween(record.happenedAt ?? record.openedAt, end.at),
    ...(end.runId === undefined ? {} : { runId: end.runId }),
  };
}

/** Drift of a cluster or of the fleet in figures, as the metrics show it. */
export interface DriftTotals {
  readonly objects: number;
  readonly foreignFields: number;
  /** Objects with a field that somebody changes after each heal. */
  readonly loops: number;
  /** When the oldest alarming drift began, ISO 8601. */
  readonly oldest: string | undefined;
}

export function totalsOf(episodes: readonly Episode[]): DriftTotals {
  const alarming = episodes.filter(isAlarming);
  return {
    objects: alarming.length,
    foreignFields: episodes.reduce((sum, { foreign }) => sum + foreign, 0),
    loops: episodes.filter(({ loop }) => loop === true).length,
    oldest: alarming.map(({ since }) => since).sort()[0],
  };
}

/** Earliest write of the managers at fault; ISO 8601 in UTC sorts as text. */
function earliest({ fields }: ObjectDrift): string | undefined {
  return fields
    .map(({ at }) => at)
    .filter((at) => at !== undefined)
    .sort()[0];
}
