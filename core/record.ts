import { digestOf } from './model/digest.ts';
import type { DriftRecord, ObjectDrift, OpenDrift } from './model/drift.ts';
import type { DriftMode } from './model/rule.ts';
import type { Json } from './model/json.ts';
import type { Target } from './model/target.ts';
import { secondsBetween } from './model/time.ts';

export type Episode = OpenDrift['episodes'][string];
export type ClosedState = Exclude<DriftRecord['state'], 'open'>;

/** Drift that counts in alarms. Foreign fields alone do not: restarts, Reloader or VPA leave such fields all the time. */
export function isAlarming({ kind, fields }: Pick<Episode, 'kind' | 'fields'>): boolean {
  return kind !== 'fields' || fields > 0;
}

/** Whether applying again puts it right. It neither removes foreign fields nor objects that are in no inventory. */
export function isHealable({ kind, fields }: Pick<Episode, 'kind' | 'fields'>): boolean {
  return kind === 'missing' || fields > 0;
}

/** How many fields are ours, and how many foreign. */
export function countFields(drift: ObjectDrift): Pick<Episode, 'kind' | 'fields' | 'foreign'> {
  const foreign = drift.fields.filter((field) => field.class === 'foreign').length;
  return { kind: drift.kind, fields: drift.fields.length - foreign, foreign };
}

/** Tells whether an episode changed. Times are left out: the same value written again is the same drift. */
export function digestOfDrift({ ref, kind, fields }: ObjectDrift): string {
  const values = fields.map((field) => [
    field.class,
    field.path,
    field.desired ?? null,
    field.live ?? null,
    field.manager ?? null,
  ]) satisfies Json;
  return digestOf([ref.group, ref.kind, ref.namespace ?? null, ref.name, kind, values]);
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
  readonly mode: DriftMode;
  readonly at: string;
}

export function openRecord(id: string, target: Target, { drift, mode, at }: Sighting): DriftRecord {
  const happenedAt = earliest(drift);
  return {
    version: 1,
    id,
    target,
    drift,
    mode,
    openedAt: at,
    lastSeenAt: at,
    state: 'open',
    ...(happenedAt === undefined ? {} : { happenedAt, secondsToDetect: secondsBetween(happenedAt, at) }),
  };
}

/** The same episode with its newest fields; when it began and was found stays. */
export function updateRecord(record: DriftRecord, { drift, mode, at }: Sighting): DriftRecord {
  return { ...record, drift, mode, lastSeenAt: at };
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
  /** When the oldest alarming drift began, ISO 8601. */
  readonly oldest: string | undefined;
}

export function totalsOf(episodes: readonly Episode[]): DriftTotals {
  const alarming = episodes.filter(isAlarming);
  return {
    objects: alarming.length,
    foreignFields: episodes.reduce((sum, { foreign }) => sum + foreign, 0),
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
