import { keys } from '../contract/keys.ts';
import { readDocument, updateDocument } from '../documents.ts';
import type { AuditWrite } from '../model/audit.ts';
import { keptWritesSchema, type KeptWrites } from '../model/kept-writes.ts';
import type { Target } from '../model/target.ts';
import { isoTime, millisecondsOf } from '../model/time.ts';
import type { AuditTrail, Clock, Store } from '../ports.ts';

interface KeepDeps {
  readonly store: Store;
  readonly clock: Clock;
}

/** Of one target; a burst beyond that loses its oldest writes, and with them who made these. */
const mostWrites = 1000;
const keptMs = 86_400_000;
/** After a check the next one waits so long: a burst of writes asks for one at its beginning and one at its end. */
const quietMs = 10_000;
/** A check that is so long overdue was lost, or its function died. */
const lostMs = 60_000;

/** In how many seconds a check is to be asked for; undefined where one is under way that will see these writes too. */
export type CheckDue = number | undefined;

/** Adds writes to those of a target, each once however often the log delivers it. */
export async function keepWrites(
  deps: KeepDeps,
  target: Target,
  writes: readonly AuditWrite[],
): Promise<CheckDue> {
  let due: CheckDue;
  await updateDocument(deps.store, keys.audit(target), keptWritesSchema, (current) => {
    const now = deps.clock.now();
    const before = current ?? { version: 1, seq: 0, target, waiting: [], seen: [] };
    const known = new Set([...before.waiting, ...before.seen].map(({ who }) => who.auditId));
    const fresh = writes.filter(({ who }) => !known.has(who.auditId));
    // A batch that comes again was perhaps noted by a function that died before it asked.
    const isAgain = fresh.length === 0 && before.waiting.length > 0;
    due = fresh.length === 0 && !isAgain ? undefined : dueIn(before, now, isAgain);
    if (fresh.length === 0 && due === undefined) return undefined;
    const asked = due === undefined ? before.asked : isoTime(now + due * 1000);
    const next = { ...before, seq: before.seq + 1, waiting: [...before.waiting, ...fresh] };
    return bounded({ ...next, ...(asked !== undefined && { asked }) }, now);
  });
  return due;
}

function dueIn({ asked, checked }: KeptWrites, now: number, isAgain: boolean): CheckDue {
  if (!isAgain && asked !== undefined && now < millisecondsOf(asked) + lostMs) return undefined;
  const quietUntil = checked === undefined ? now : millisecondsOf(checked) + quietMs;
  return Math.max(0, Math.ceil((quietUntil - now) / 1000));
}

/** Newest writes first to stay, those that wait before those that were seen. */
function bounded(kept: KeptWrites, now: number): KeptWrites {
  const seen = kept.seen.filter(({ endedAt }) => millisecondsOf(endedAt) >= now - keptMs);
  const waiting = kept.waiting.slice(-mostWrites);
  const room = mostWrites - waiting.length;
  const left = room === 0 ? [] : seen.slice(-room);
  const gone = [...kept.waiting.slice(0, -mostWrites), ...seen.slice(0, seen.length - left.length)];
  const dropped = gone.reduce(later, kept.dropped);
  return { ...kept, waiting, seen: left, ...(dropped !== undefined && { dropped }) };
}

function later(a: string | undefined, { endedAt }: AuditWrite): string {
  return a === undefined || a < endedAt ? endedAt : a;
}

/** What is kept of a target; undefined where the log told of nothing. */
export async function readKeptWrites(store: Store, target: Target): Promise<KeptWrites | undefined> {
  return (await readDocument(store, keys.audit(target), keptWritesSchema))?.value;
}

/** Notes that a check looked for these writes; gives when the next one is due for those that came meanwhile. */
export async function markChecked(
  deps: KeepDeps,
  target: Target,
  looked: readonly AuditWrite[],
): Promise<CheckDue> {
  const ids = new Set(looked.map(({ who }) => who.auditId));
  const isLooked = ({ who }: AuditWrite): boolean => ids.has(who.auditId);
  let due: CheckDue;
  await updateDocument(deps.store, keys.audit(target), keptWritesSchema, (current) => {
    if (current === undefined) return undefined;
    const now = deps.clock.now();
    const { asked: _, ...rest } = current;
    const waiting = rest.waiting.filter((write) => !isLooked(write));
    due = waiting.length === 0 ? undefined : quietMs / 1000;
    const next = {
      ...rest,
      seq: rest.seq + 1,
      waiting,
      seen: [...rest.seen, ...rest.waiting.filter(isLooked)],
      checked: isoTime(now),
      ...(due !== undefined && { asked: isoTime(now + due * 1000) }),
    };
    return bounded(next, now);
  });
  return due;
}

/** Notes that the check is put off, since a run is at work. */
export async function putOff(deps: KeepDeps, target: Target, seconds: number): Promise<void> {
  await updateDocument(deps.store, keys.audit(target), keptWritesSchema, (current) => {
    if (current === undefined) return undefined;
    return { ...current, seq: current.seq + 1, asked: isoTime(deps.clock.now() + seconds * 1000) };
  });
}

/** What was kept, as an audit log: for checks that find drift after the log told of it. */
export function keptTrail(store: Store): AuditTrail {
  return {
    async *writes(since, until, target) {
      const kept = await readKeptWrites(store, target);
      if (kept !== undefined) yield* writesBetween(kept, since, until);
    },
  };
}

/** None at all where some of that time are missing: of whoever is left somebody could be accused wrongly. */
export function writesBetween(kept: KeptWrites, since: number, until: number): readonly AuditWrite[] {
  if (kept.dropped !== undefined && millisecondsOf(kept.dropped) >= since) return [];
  return [...kept.seen, ...kept.waiting].filter(({ who, endedAt }) => {
    return millisecondsOf(endedAt) >= since && millisecondsOf(who.at) <= until;
  });
}
