import { isWriteTo, takesAlong, type AuditWrite } from './model/audit.ts';
import type { FieldDrift, ObjectDrift, Who } from './model/drift.ts';
import type { ObjectRef } from './model/object.ts';
import type { Target } from './model/target.ts';
import { millisecondsOf } from './model/time.ts';
import type { AuditTrail } from './ports.ts';

/** Where and when to look for whoever is behind the drift of one target. Milliseconds since the epoch. */
export interface Search {
  readonly trail: AuditTrail;
  readonly target: Target;
  readonly drifts: Iterable<ObjectDrift>;
  /** The last check that could have seen the drift, and this one. */
  readonly since: number;
  readonly until: number;
  /** Plural name of a kind, which is all that an audit log calls it by. */
  readonly pluralOf: (ref: ObjectRef) => string | undefined;
}

/** Audit logs are not looked through beyond a day: whoever needs more searches them by the record's time. */
const longestMs = 86_400_000;
/** Clocks of the API server and of the sweep differ, and managedFields know whole seconds. */
const slackMs = 5_000;

/** Gives the author of each drift; the log is read once, and not before the first of them is asked for. */
export function authorsOf(search: Search): (drift: ObjectDrift) => Promise<Who | undefined> {
  let reading: Promise<readonly AuditWrite[]> | undefined;
  return async (drift) => {
    const { since, until } = searchedTime(search);
    reading ??= Array.fromAsync(search.trail.writes(since, until, search.target));
    const resource = search.pluralOf(drift.ref);
    return resource === undefined ? undefined : authorOf(drift, { ...search, resource }, await reading);
  };
}

/** Between which times a log is searched for the authors of drifts that came up between two checks. */
export function searchedTime({
  drifts,
  since,
  until,
}: Pick<Search, 'drifts' | 'since' | 'until'>): Pick<Search, 'since' | 'until'> {
  const times = [...drifts].flatMap(({ fields }) => fields.flatMap(({ at }) => at ?? [])).map(millisecondsOf);
  return { since: Math.max(Math.min(since, ...times) - slackMs, until - longestMs), until: until + slackMs };
}

/** What one drift is matched by. */
export interface Suspicion extends Pick<Search, 'since' | 'until'> {
  readonly resource: string;
}

/**
 * Who is behind a drift, by the writes that an audit log knows. Where managedFields tell the time, the write of that
 * second by the field manager they name; else what happened between two checks, and then only if one user alone can have
 * done it. Nobody is accused by a guess: a record whose fields have different authors, or one of them an unknown one,
 * names none.
 */
export function authorOf(
  { ref, kind, fields }: ObjectDrift,
  { resource, since, until }: Suspicion,
  writes: readonly AuditWrite[],
): Who | undefined {
  const isBetween = ({ who, endedAt }: AuditWrite): boolean =>
    millisecondsOf(endedAt) >= since - slackMs && millisecondsOf(who.at) <= until + slackMs;
  const between = sorted(writes).filter(isBetween);
  const place = { ...ref, resource };
  if (kind === 'missing') {
    const direct = between.filter((write) => isDeletion(write) && isWriteTo(write, place));
    return onlyUser(direct.length > 0 ? direct : between.filter((write) => takesAlong(write, place)));
  }
  const own = sorted(writes).filter((write) => !isDeletion(write) && isWriteTo(write, place));
  const undated = own.filter(isBetween);
  const suspects = toBlame(fields).map((field) => suspectsOf(field, own, undated));
  if (suspects.length === 0) return onlyUser(undated);
  const isEachKnown = suspects.every((each) => each.length > 0);
  return isEachKnown ? onlyUser(sorted(suspects.flat())) : undefined;
}

function sorted(writes: readonly AuditWrite[]): AuditWrite[] {
  return [...writes].sort((a, b) => (a.endedAt < b.endedAt ? -1 : 1));
}

function isDeletion({ who }: AuditWrite): boolean {
  return who.verb === 'delete' || who.verb === 'deletecollection';
}

/** Fields of ours go before foreign ones: these are what the record is about. */
function toBlame(fields: readonly FieldDrift[]): readonly FieldDrift[] {
  const own = fields.filter((field) => field.class !== 'foreign');
  return own.length > 0 ? own : fields;
}

/** The server notes whole seconds, some time between a request and its answer. */
function suspectsOf(
  { at, manager }: FieldDrift,
  writes: readonly AuditWrite[],
  undated: readonly AuditWrite[],
): readonly AuditWrite[] {
  if (at === undefined) return undated;
  const second = millisecondsOf(at);
  return writes.filter(
    ({ who, endedAt, fieldManager }) =>
      fieldManager === manager && millisecondsOf(who.at) < second + 1000 && millisecondsOf(endedAt) >= second,
  );
}

/** The last of them, where all are of one user. */
function onlyUser(writes: readonly AuditWrite[]): Who | undefined {
  const users = new Set(writes.map(({ who }) => `${who.user} ${who.impersonated ?? ''}`));
  return users.size === 1 ? writes.at(-1)?.who : undefined;
}
