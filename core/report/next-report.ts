import type { RepositoryState } from '../model/desired.ts';
import type { OlderCommit, Report, TargetReport, Told } from '../model/report.ts';
import { isoTime, millisecondsOf } from '../model/time.ts';
import { groupEntries, headLines, lineOf, type Entry, type Line, type LineBasis } from './lines.ts';

/** What is to be told of a commit. */
export interface Tell {
  readonly sha: string;
  readonly id: string;
  readonly line: Line;
}

/** All that a report is made of, as it was read. */
export interface Seen {
  readonly state: Pick<RepositoryState, 'head' | 'applications' | 'failing' | 'faults'>;
  /** Every target of the repository that has something to tell. */
  readonly targets: Readonly<Record<string, TargetReport>>;
}

/** Those after the newest ten are given up: by then a person looks at the head. */
const olderKept = 10;
/** The same state in other words is told no more often. */
const wordsEveryMs = 60_000;
/** A target that goes back and forth for weeks must not use up what the host takes (1,000 at GitHub). */
const mostWords = 100;
const mostStates = 900;

/**
 * The report with what was seen, and what is to be told of it. When the head has moved on, what was pending of the one before
 * goes on as long as its targets have the very revisions that it gave them.
 */
export function nextReport(
  before: Report,
  { state, targets }: Seen,
  basis: LineBasis,
  now: number,
): { readonly report: Report; readonly tells: readonly Tell[] } {
  const { sha } = state.head;
  const moved = sha === before.sha ? before : moveOn(before, sha, basis);
  const older = moved.older.map((commit) => withoutHealthy(commit, targets));
  const report: Report = { ...moved, targets: { ...targets }, older };
  const lines = headLines(state, Object.entries(targets), basis, Object.keys(report.told));
  const head = [...lines].map(([id, line]): Tell => ({ sha, id, line }));
  const earlier = older.flatMap((commit) => olderTells(commit, targets, sha));
  const isDue = ({ sha: of, id, line }: Tell) => isNews(toldOf(report, of, id), line, now);
  return { report, tells: [...head, ...earlier].filter(isDue) };
}

function moveOn(before: Report, sha: string, basis: LineBasis): Report {
  const isOpen = ({ state, unsure }: Told) => state === 'pending' || state === 'begun' || unsure === true;
  const waiting = Object.entries(before.told).filter(([, told]) => isOpen(told));
  const grouped = groupEntries(Object.entries(before.targets), basis);
  const lines = waiting.map(([id, told]) => [id, { told, waits: waitsOf(grouped.get(id) ?? []) }] as const);
  const left = { sha: before.sha, lines: Object.fromEntries(lines) };
  const older = [...(lines.length > 0 ? [left] : []), ...before.older].filter((one) => one.sha !== sha);
  return { ...before, sha, told: {}, older: older.slice(0, olderKept) };
}

/** No revision of its pointer: what the commit gave it was never there. */
const noRevision = -1;

function waitsOf(entries: readonly Entry[]): Record<string, number> {
  const open = entries.filter(([, { state, instead }]) => state !== 'success' || instead !== undefined);
  return Object.fromEntries(
    open.map(([key, { revision, instead }]) => [key, instead === undefined ? revision : noRevision]),
  );
}

/** What was healthy once is so for good, whatever comes after. */
function withoutHealthy({ sha, lines }: OlderCommit, targets: Seen['targets']): OlderCommit {
  const isOpen = ([key, revision]: [string, number]): boolean => {
    const report = targets[key];
    return report?.revision !== revision || report.state !== 'success';
  };
  const left = Object.entries(lines).map(([id, { told, waits }]) => {
    const open = Object.fromEntries(Object.entries(waits).filter(isOpen));
    return [id, { told, waits: open }] as const;
  });
  return { sha, lines: Object.fromEntries(left) };
}

/** A target that has another revision by now was not healthy with the one that this commit gave. */
function olderTells({ sha, lines }: OlderCommit, targets: Seen['targets'], head: string): readonly Tell[] {
  return Object.entries(lines).map(([id, { waits }]): Tell => {
    const now = Object.entries(waits).map(([key, revision]) => ({ key, revision, report: targets[key] }));
    if (now.some(({ revision, report }) => report?.revision !== revision)) {
      const text = `superseded by ${head.slice(0, 7)} before it was healthy`;
      return { sha, id, line: { state: 'superseded', text } };
    }
    const entries = now.flatMap(({ key, report }): Entry[] =>
      report === undefined ? [] : [[key, asOwn(report)]],
    );
    if (entries.length === 0) return { sha, id, line: { state: 'success', text: 'healthy' } };
    return { sha, id, line: lineOf(id, entries) };
  });
}

/** Whatever keeps it from following the head is no matter of the commit that it has. */
function asOwn(report: TargetReport): TargetReport {
  const { instead: _, ...delivered } = report;
  return { ...delivered, own: true };
}

function isNews(told: Told | undefined, { state, text }: Line, now: number): boolean {
  if (told === undefined || told.unsure === true) return true;
  // What has failed for good stays that.
  if (told.state === 'failure' && state === 'superseded') return false;
  // The last word that fits is no success: nothing could take it back.
  if (told.state !== state) return told.times < (state === 'success' ? mostStates - 1 : mostStates);
  if (told.times >= mostWords) return false;
  return told.text !== text && now - millisecondsOf(told.at) >= wordsEveryMs;
}

function toldOf({ sha, told, older }: Report, of: string, id: string): Told | undefined {
  return of === sha ? told[id] : older.find((commit) => commit.sha === of)?.lines[id]?.told;
}

/** The report before the host is told these: whoever comes after a function that died between the two tells them once more. */
export function aboutToTell(report: Report, tells: readonly Tell[], now: number): Report {
  return tells.reduce((current, tell) => {
    const times = toldOf(current, tell.sha, tell.id)?.times ?? 0;
    return noting(current, tell, { ...toldBy(tell, now), times, unsure: true });
  }, report);
}

/** The report after the host was told. */
export function withTold(report: Report, tell: Tell, now: number): Report {
  const times = (toldOf(report, tell.sha, tell.id)?.times ?? 0) + 1;
  return noting(report, tell, { ...toldBy(tell, now), times });
}

function toldBy({ line: { state, text } }: Tell, now: number): Omit<Told, 'times'> {
  return { state, text, at: isoTime(now) };
}

function noting(report: Report, { sha, id }: Tell, told: Told): Report {
  if (sha === report.sha) return { ...report, told: { ...report.told, [id]: told } };
  const older = report.older.map((commit) => {
    const line = commit.lines[id];
    if (commit.sha !== sha || line === undefined) return commit;
    return { ...commit, lines: { ...commit.lines, [id]: { ...line, told } } };
  });
  return { ...report, older };
}

/** Without earlier commits of which nothing can change any more. */
export function withoutSettled(report: Report): Report {
  const isOpen = ([, { told, waits }]: [string, OlderCommit['lines'][string]]): boolean => {
    const isOver = Object.entries(waits).some(
      ([key, revision]) => report.targets[key]?.revision !== revision,
    );
    const isFinal =
      told.state === 'success' || told.state === 'superseded' || (told.state === 'failure' && isOver);
    return told.unsure === true || !isFinal;
  };
  const older = report.older.flatMap((commit) => {
    const lines = Object.entries(commit.lines).filter(isOpen);
    return lines.length === 0 ? [] : [{ ...commit, lines: Object.fromEntries(lines) }];
  });
  return { ...report, older };
}
