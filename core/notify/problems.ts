import { subjectKey, type NoticeMemory, type NoticeSubject, type Problem } from '../model/notice-memory.ts';
import type { News } from '../model/notice.ts';
import { isoTime } from '../model/time.ts';
import type { Reading } from './reading.ts';
import { forgetTime, overTime, withOpening } from './timing.ts';

type Problems = NoticeMemory['problems'];

/** Key of a problem. */
export function problemKey(event: News['event'], subject: NoticeSubject): string {
  return `${event} ${subjectKey(subject)}`;
}

/** Whether it is there now, as far as was looked. */
export function isOpen({ overSince, closed }: Problem): boolean {
  return overSince === undefined && closed !== true;
}

/** The problems of one subject as they were just read: begun, gone on, away since now, or left as they are. */
export function withReading(
  problems: Problems,
  subject: NoticeSubject,
  { found, unknown }: Reading,
  now: number,
): Problems {
  const next = { ...problems };
  const present = new Set<string>();
  for (const news of found) {
    const key = problemKey(news.event, subject);
    present.add(key);
    next[key] = goingOn(next[key], subject, news, now);
  }
  const own = subjectKey(subject);
  for (const [key, problem] of Object.entries(problems)) {
    if (subjectKey(problem.subject) !== own || present.has(key) || !isOpen(problem)) continue;
    if (unknown.includes(problem.news.event)) continue;
    next[key] = { ...problem, overSince: isoTime(now) };
  }
  return next;
}

function goingOn(before: Problem | undefined, subject: NoticeSubject, news: News, now: number): Problem {
  if (before === undefined) return { subject, news, openings: [isoTime(now)] };
  const { openings } = before;
  return { subject, news, openings: isOpen(before) ? openings : withOpening(openings, now) };
}

/** The same, those closed that stayed away for long enough, and those forgotten that need not be known any more. */
export function withTime(problems: Problems, members: ReadonlySet<string>, now: number): Problems {
  const kept = Object.entries(problems).flatMap(([key, problem]): [string, Problem][] => {
    const { overSince, closed, openings } = problem;
    const isOver = closed === true || (overSince !== undefined && overTime(openings, overSince) <= now);
    if (!isOver) return [[key, problem]];
    if (!members.has(key) && forgetTime(openings) <= now) return [];
    return [[key, { ...problem, closed: true }]];
  });
  return Object.fromEntries(kept);
}

/** When the next of those that are away counts as over. */
export function nextOver(problems: Problems): number | undefined {
  const times = Object.values(problems).flatMap(({ overSince, closed, openings }) =>
    overSince === undefined || closed === true ? [] : [overTime(openings, overSince)],
  );
  return times.length === 0 ? undefined : Math.min(...times);
}
