import type { Notifications } from '../contract/notifications.ts';
import { subjectKey, type NoticeMemory, type NoticeSubject } from '../model/notice-memory.ts';
import { targetKey } from '../model/target.ts';
import { isoTime, millisecondsOf } from '../model/time.ts';
import { tellInfos, tellProblems } from './incidents.ts';
import { nextOver, withReading, withTime } from './problems.ts';
import type { Reading } from './reading.ts';
import { isWanted } from './routed.ts';
import { infoTime, isForgettable, settleTime } from './timing.ts';

/** A subject that was looked at. */
export interface Looked {
  readonly subject: NoticeSubject;
  readonly reading: Reading;
}

interface DecideDeps {
  readonly notifications: Notifications;
  readonly fleet: string;
  readonly now: number;
}

export interface Decision {
  readonly memory: NoticeMemory;
  /** When to look next, in milliseconds since the epoch; undefined where nothing is under way. */
  readonly next: number | undefined;
}

/**
 * One step, the table of contents of notices: from what is remembered and what was just read to what is told. Pure, so that
 * a day of it can be tried in a test; what is told lies in the outbox of the new memory.
 */
export function decide(memory: NoticeMemory, looked: readonly Looked[], deps: DecideDeps): Decision {
  const { now } = deps;
  let problems = memory.problems;
  let infos = memory.infos;
  const hints = { ...memory.hints };
  const deployed = recent(memory.deployed, ({ at }) => isForgettable(at, now));
  const alarms = recent(memory.alarms, ({ state, heardAt }) => state === 'OK' && isForgettable(heardAt, now));
  for (const { subject, reading } of looked) {
    delete hints[subjectKey(subject)];
    problems = withReading(problems, subject, reading, now);
    infos = [...infos, ...reading.infos.map((news) => ({ at: isoTime(now), news }))];
    const news = newlyDeployed(subject, reading, deployed, deps);
    if (news !== undefined) infos = [...infos, { at: isoTime(now), news }];
  }
  const members = new Set(Object.values(memory.incidents).flatMap((incident) => incident.members));
  problems = withTime(problems, members, now);
  const told = tellProblems(problems, memory.incidents, deps);
  const infoDue = infos.length === 0 ? undefined : infoTime(infos.map(({ at }) => at));
  const isTime = infoDue !== undefined && infoDue <= now;
  const news = isTime ? infos.map((info) => info.news) : [];
  const outbox = [...memory.outbox, ...told.messages, ...tellInfos(news, deps)];
  const kept = isTime ? [] : infos;
  const { nextLook, ...rest } = memory;
  const isAsked = nextLook !== undefined && millisecondsOf(nextLook) > now;
  const times = [
    ...Object.values(hints).map(settleTime),
    told.next,
    nextOver(problems),
    isTime ? undefined : infoDue,
  ].filter((time) => time !== undefined);
  return {
    memory: {
      ...rest,
      hints,
      problems,
      incidents: told.incidents,
      infos: kept,
      deployed,
      alarms,
      outbox,
      ...(isAsked && { nextLook }),
    },
    next: times.length === 0 ? undefined : Math.min(...times),
  };
}

function recent<T>(entries: Readonly<Record<string, T>>, isOld: (entry: T) => boolean): Record<string, T> {
  return Object.fromEntries(Object.entries(entries).filter(([, entry]) => !isOld(entry)));
}

/** Once for each revision of a target. */
function newlyDeployed(
  subject: NoticeSubject,
  { deployed: found }: Reading,
  deployed: Record<string, NoticeMemory['deployed'][string]>,
  { notifications, now }: DecideDeps,
) {
  if (found === undefined || subject.kind !== 'target' || !isWanted('deployed', notifications))
    return undefined;
  const key = targetKey(subject.target);
  if ((deployed[key]?.revision ?? -1) >= found.revision) return undefined;
  deployed[key] = { revision: found.revision, at: isoTime(now) };
  return found.news;
}
