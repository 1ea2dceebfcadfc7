import { clipped } from '../model/clipped.ts';
import { digestOf } from '../model/digest.ts';
import type { News, Notice } from '../model/notice.ts';
import { isoTime, secondsBetween } from '../model/time.ts';
import { rank } from './routed.ts';

/** What one message is made of. */
export interface Telling {
  readonly phase: Notice['phase'];
  readonly incident: string;
  readonly cause: string;
  /** What it is about; in an update only what is new. */
  readonly news: readonly News[];
  /** How many it is about in all, where that is more. */
  readonly all?: number;
  /** As it was told first, where it was. */
  readonly title?: string;
  readonly since: string;
  readonly fleet: string;
  readonly now: number;
}

const mostItems = 10;
const mostTitle = 140;
const mostLinks = 3;

/** Puts one message into words. The same telling gives the same message, with the same id. */
export function compose(telling: Telling): Notice {
  const { phase, incident, news, since, fleet, now } = telling;
  const at = isoTime(now);
  const [first] = news;
  if (first === undefined) throw new Error('there is nothing to tell');
  const texts = new Set(news.map(({ text }) => text));
  const isOne = texts.size === 1;
  const items = news.length === 1 ? [] : news.slice(0, mostItems);
  const sorted = news.toSorted((one, other) => rank(other.severity) - rank(one.severity));
  const isOver = phase === 'resolved';
  return {
    version: 1,
    id: digestOf([incident, phase, at, news.map(({ headline }) => headline)]).slice(7, 39),
    incident,
    phase,
    event: sorted[0]?.event ?? first.event,
    severity: sorted[0]?.severity ?? first.severity,
    fleet,
    at,
    since,
    title: clipped(titleOf(telling), mostTitle),
    text: isOver ? `It lasted ${lasted(since, at)}.` : isOne ? first.text : '',
    items: items.map(({ headline, text }) => ({ subject: headline, text: isOne || isOver ? '' : text })),
    more: news.length === 1 ? 0 : Math.max(0, news.length - items.length),
    todo: isOver ? '' : first.todo,
    facts: factsOf(telling),
    links: linksOf(news),
  };
}

function titleOf(telling: Telling): string {
  const { phase, title, all = 0 } = telling;
  switch (phase) {
    case 'opened':
    case 'info':
    case 'test':
      return plainTitle(telling);
    case 'changed':
      return `Also: ${plainTitle(telling)} (${all} in all)`;
    case 'resolved':
      break;
  }
  return `Over: ${title ?? plainTitle(telling)}`;
}

function plainTitle({ cause, news }: Telling): string {
  const [first, ...others] = news;
  if (first === undefined) return '';
  if (others.length === 0) return first.headline;
  if (others.every(({ subject }) => subject === first.subject))
    return `${first.subject}: ${news.map(({ event }) => words[event].alone).join(', ')}`;
  return `${placeOf(cause, first)}: ${countsOf(news)}`;
}

function placeOf(cause: string, { commit, scope }: News): string {
  if (/ commit /.test(cause) && commit !== undefined)
    return `Commit ${commit.sha.slice(0, 7)} of ${commit.repository}`;
  if (/ cluster /.test(cause)) return scope.clusters[0] ?? 'one cluster';
  if (/ application /.test(cause)) return scope.applications[0] ?? 'one application';
  return 'Together';
}

/** `3 runs failed, 1 application is Degraded` */
function countsOf(news: readonly News[]): string {
  const groups = Map.groupBy(news, ({ event }) => event);
  return [...groups]
    .map(([event, { length }]) => `${length} ${length === 1 ? words[event].one : words[event].many}`)
    .join(', ');
}

interface Words {
  /** Behind the subject that it is about. */
  readonly alone: string;
  readonly one: string;
  readonly many: string;
}

const words: Readonly<Record<News['event'], Words>> = {
  'snapshot-failed': {
    alone: 'cannot be followed in full',
    one: 'repository cannot be followed in full',
    many: 'repositories cannot be followed in full',
  },
  'run-failed': { alone: 'the run failed', one: 'run failed', many: 'runs failed' },
  degraded: { alone: 'Degraded', one: 'application is Degraded', many: 'applications are Degraded' },
  drift: { alone: 'drift', one: 'application has drifted', many: 'applications have drifted' },
  'heal-loop': {
    alone: 'changed again after each heal',
    one: 'application is changed again after each heal',
    many: 'applications are changed again after each heal',
  },
  alarm: { alone: 'it rings', one: 'alarm', many: 'alarms' },
  deployed: {
    alone: 'deployed',
    one: 'application is deployed, and healthy',
    many: 'applications are deployed, and healthy',
  },
  healed: {
    alone: 'drift was put right',
    one: 'application had drift, which was put right',
    many: 'applications had drift, which was put right',
  },
  'rolled-back': {
    alone: 'went back',
    one: 'application went back',
    many: 'applications went back',
  },
};

function factsOf({ news, fleet }: Telling): Notice['facts'] {
  const [first] = news;
  const commits = new Map(news.flatMap(({ commit }) => (commit === undefined ? [] : [[commit.sha, commit]])));
  const [commit, ...others] = commits.values();
  const isShared = commit !== undefined && others.length === 0;
  const clusters = [...new Set(news.flatMap(({ scope }) => scope.clusters))];
  const projects = [...new Set(news.flatMap(({ scope }) => scope.projects))];
  return [
    ...(isShared
      ? [
          { name: 'Commit', value: `${commit.sha.slice(0, 7)} ${commit.subject} (${commit.author})` },
          { name: 'Repository', value: commit.repository },
        ]
      : []),
    ...(clusters.length === 0 || first?.event === 'snapshot-failed'
      ? []
      : [{ name: clusters.length === 1 ? 'Cluster' : 'Clusters', value: listed(clusters) }]),
    ...(projects.length === 0 ? [] : [{ name: 'Project', value: listed(projects) }]),
    { name: 'Fleet', value: fleet },
  ];
}

function listed(names: readonly string[]): string {
  const shown = names.slice(0, mostItems).join(', ');
  return names.length > mostItems ? `${shown} and ${names.length - mostItems} more` : shown;
}

/** Of several only what leads to all of them: each has a record of its own. */
function linksOf(news: readonly News[]): Notice['links'] {
  const [first, ...others] = news;
  const shared = (first?.links ?? []).filter(({ url }) =>
    others.every(({ links }) => links.some((link) => link.url === url)),
  );
  return shared.slice(0, mostLinks);
}

function lasted(since: string, at: string): string {
  const minutes = Math.round(secondsBetween(since, at) / 60);
  if (minutes < 1) return 'less than a minute';
  if (minutes < 120) return `${minutes} min`;
  const hours = Math.round(minutes / 60);
  return hours < 48 ? `${hours} hours` : `${Math.round(hours / 24)} days`;
}
