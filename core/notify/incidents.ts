import type { Notifications } from '../contract/notifications.ts';
import { digestOf } from '../model/digest.ts';
import type { Incident, NoticeMemory, Problem } from '../model/notice-memory.ts';
import type { News, Outgoing } from '../model/notice.ts';
import { isoTime } from '../model/time.ts';
import { compose } from './compose.ts';
import { groupByCause } from './group-by-cause.ts';
import { isOpen } from './problems.ts';
import { isRouted } from './routed.ts';
import { updateTime } from './timing.ts';

type Problems = NoticeMemory['problems'];
type Incidents = NoticeMemory['incidents'];

export interface Told {
  readonly incidents: Incidents;
  readonly messages: readonly Outgoing[];
  /** When something waits to be told, in milliseconds since the epoch. */
  readonly next: number | undefined;
}

interface Deps {
  readonly notifications: Notifications;
  readonly fleet: string;
  readonly now: number;
}

/**
 * What each channel is to be told: problems that it does not know, together with those of the same cause; what joins an
 * incident that it knows, at most every five minutes; and that an incident is over, once all of it is.
 */
export function tellProblems(problems: Problems, incidents: Incidents, deps: Deps): Told {
  const channels = deps.notifications.channels.map(({ name }) => name);
  const told = channels.map((channel) => tellChannel(channel, problems, incidents, deps));
  const times = told.flatMap(({ next }) => next ?? []);
  return {
    incidents: Object.fromEntries(told.flatMap((one) => Object.entries(one.incidents))),
    messages: told.flatMap(({ messages }) => messages),
    next: times.length === 0 ? undefined : Math.min(...times),
  };
}

interface Member {
  readonly key: string;
  readonly problem: Problem;
  readonly causes: readonly string[];
}

function tellChannel(channel: string, problems: Problems, incidents: Incidents, deps: Deps): Told {
  const known = Object.entries(incidents).filter(([, incident]) => incident.channel === channel);
  const told = new Set(known.flatMap(([, { members }]) => members));
  const fresh = Object.entries(problems).flatMap(([key, problem]): Member[] => {
    const isNew = isOpen(problem) && !told.has(key);
    return isNew && isRouted(problem.news, channel, deps.notifications)
      ? [{ key, problem, causes: problem.news.causes }]
      : [];
  });
  const next: Record<string, Incident> = {};
  const messages: Outgoing[] = [];
  const times: number[] = [];
  let left: readonly Member[] = fresh;
  for (const [id, incident] of known) {
    const joining = left.filter(({ causes }) => causes.includes(incident.cause));
    left = left.filter((member) => !joining.includes(member));
    const step = goOn(id, incident, joining, problems, deps);
    if (step.message !== undefined) messages.push({ channel, notice: step.message });
    if (step.incident !== undefined) next[id] = step.incident;
    if (step.next !== undefined) times.push(step.next);
  }
  for (const { cause, items } of groupByCause(left)) {
    const { id, incident, message } = begin(channel, cause, items, deps);
    next[id] = incident;
    messages.push({ channel, notice: message });
  }
  return { incidents: next, messages, next: times.length === 0 ? undefined : Math.min(...times) };
}

interface Step {
  /** Undefined: it is over. */
  readonly incident?: Incident;
  readonly message?: Outgoing['notice'];
  readonly next?: number;
}

function goOn(
  id: string,
  incident: Incident,
  joining: readonly Member[],
  problems: Problems,
  { fleet, now }: Deps,
): Step {
  const { members, title, cause, openedAt } = incident;
  const about = { incident: id, cause, title, since: openedAt, fleet, now };
  if (joining.length > 0) {
    // What is over meanwhile need not be told: nobody heard that it began.
    const due = updateTime(incident.toldAt);
    if (due > now) return { incident, next: due };
    const all = new Set([...members, ...joining.map(({ key }) => key)]);
    const news = joining.map(({ problem }) => problem.news);
    const message = compose({ ...about, phase: 'changed', news, all: all.size });
    return { incident: { ...incident, members: [...all], toldAt: isoTime(now) }, message };
  }
  const isOver = members.every((key) => problems[key]?.closed ?? problems[key] === undefined);
  if (!isOver) return { incident };
  const news = members.flatMap((key) => problems[key]?.news ?? []);
  return news.length === 0 ? {} : { message: compose({ ...about, phase: 'resolved', news }) };
}

function begin(
  channel: string,
  cause: string,
  items: readonly Member[],
  { fleet, now }: Deps,
): { readonly id: string; readonly incident: Incident; readonly message: Outgoing['notice'] } {
  const at = isoTime(now);
  const id = digestOf([channel, cause, at]).slice(7, 39);
  const news = items.map(({ problem }) => problem.news);
  const message = compose({ phase: 'opened', incident: id, cause, news, since: at, fleet, now });
  const members = items.map(({ key }) => key);
  return {
    id,
    incident: { channel, cause, openedAt: at, toldAt: at, title: message.title, members },
    message,
  };
}

/** What happened and is over, for each channel by cause. */
export function tellInfos(infos: readonly News[], { notifications, fleet, now }: Deps): readonly Outgoing[] {
  const at = isoTime(now);
  return notifications.channels.flatMap(({ name: channel }) => {
    const routed = infos.filter((news) => isRouted(news, channel, notifications));
    return groupByCause(routed).map(({ cause, items }): Outgoing => {
      const incident = digestOf([channel, cause, at, items.map(({ headline }) => headline)]).slice(7, 39);
      return {
        channel,
        notice: compose({ phase: 'info', incident, cause, news: items, since: at, fleet, now }),
      };
    });
  });
}
