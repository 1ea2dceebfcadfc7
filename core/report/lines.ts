import { contextOf, type CommitStatusConfig } from '../contract/commit-status.ts';
import type { RepositoryState } from '../model/desired.ts';
import type { LineState, TargetReport } from '../model/report.ts';
import { scrub } from '../model/scrub.ts';

/** What is to stand at a commit under one name. */
export interface Line {
  readonly state: LineState;
  readonly text: string;
  /** Set where it is of one cluster. */
  readonly cluster?: string | undefined;
  /** That which `text` is about, and the key of the record of its run. */
  readonly application?: string | undefined;
  readonly run?: string | undefined;
}

/** By `status NAME` or `deployment ENVIRONMENT`. */
export type Lines = ReadonlyMap<string, Line>;

export type LineKind = 'status' | 'deployment';

export function lineId(kind: LineKind, name: string): string {
  return `${kind} ${name}`;
}

export function readLineId(id: string): { readonly kind: LineKind; readonly name: string } {
  const space = id.indexOf(' ');
  return { kind: id.startsWith('status ') ? 'status' : 'deployment', name: id.slice(space + 1) };
}

/** One target in a line, by its key. */
export type Entry = readonly [key: string, report: TargetReport];

export interface LineBasis {
  readonly status: CommitStatusConfig;
  /** Labels by the cluster's name. */
  readonly labels: ReadonlyMap<string, Readonly<Record<string, string>>>;
}

/** The targets of each line but that of the render. */
export function groupEntries(
  entries: readonly Entry[],
  basis: LineBasis,
): ReadonlyMap<string, readonly Entry[]> {
  const { status } = basis;
  const statuses = Map.groupBy(entries, ([key]) =>
    lineId('status', contextOf(status, status.perCluster ? { cluster: clusterOf(key) } : 'clusters')),
  );
  if (!status.deployments) return statuses;
  const own = entries.filter(([, { own: isOwn }]) => isOwn === true);
  const deployments = Map.groupBy(own, ([key]) => lineId('deployment', environmentOf(clusterOf(key), basis)));
  return new Map([...statuses, ...deployments]);
}

function environmentOf(cluster: string, { status: { environmentLabel = '' }, labels }: LineBasis): string {
  return labels.get(cluster)?.[environmentLabel] ?? cluster;
}

function clusterOf(key: string): string {
  return key.slice(0, key.indexOf('/'));
}

/** What the head of a repository is to be told; `lines` are those that it was told already. */
export function headLines(
  state: Pick<RepositoryState, 'applications' | 'failing' | 'faults'>,
  entries: readonly Entry[],
  basis: LineBasis,
  lines: readonly string[],
): Lines {
  const grouped = groupEntries(entries, basis);
  const render = lineId('status', contextOf(basis.status, 'render'));
  // The last application of a cluster has gone: what was pending of it is done.
  const emptied = lines.filter((id) => id !== render && !grouped.has(id) && isMade(id, basis));
  return new Map([
    [render, renderLine(state)],
    ...[...grouped].map(([id, group]) => [id, lineOf(id, group.map(asHeadHas))] as const),
    ...emptied.map((id) => [id, { state: 'success', text: 'nothing is left here' }] as const),
  ]);
}

/** Not under other settings, of which nothing is known any more. */
function isMade(id: string, { status }: LineBasis): boolean {
  const { kind, name } = readLineId(id);
  if (kind === 'deployment') return status.deployments;
  const isOfAll = name === contextOf(status, 'clusters');
  return name.startsWith(`${status.context}/`) && isOfAll !== status.perCluster;
}

/** A head tells what keeps its targets from following it, and not how these are meanwhile. */
function asHeadHas([key, { instead, ...report }]: Entry): Entry {
  return [key, { ...report, ...instead }];
}

function renderLine({ applications, failing, faults = [] }: Parameters<typeof headLines>[0]): Line {
  if (!failing) {
    const clusters = new Set(Object.values(applications).flatMap((one) => one.clusters));
    const text = `${counted(Object.keys(applications).length, 'application')} for ${counted(clusters.size, 'cluster')}`;
    return { state: 'success', text };
  }
  const [first] = faults;
  if (first === undefined) return { state: 'failure', text: 'cannot be followed in full' };
  const more = faults.length > 1 ? ` (and ${faults.length - 1} more)` : '';
  return { state: 'failure', text: oneLine(`${first.subject}: ${first.message}${more}`) };
}

/** Many targets in one line: the worst of them, of those the first that the commit itself changed. */
export function lineOf(id: string, entries: readonly Entry[]): Line {
  const sorted = entries.toSorted(([a, one], [b, other]) => ownFirst(one, other) || (a < b ? -1 : 1));
  const failed = sorted.filter(([, { state }]) => state === 'failure');
  const worst = failed.length > 0 ? failed : sorted.filter(([, { state }]) => state === 'pending');
  const clusters = new Set(entries.map(([key]) => clusterOf(key)));
  const [cluster] = clusters.size === 1 ? clusters : [];
  const [first] = worst;
  if (first === undefined) return { state: 'success', text: healthyText(entries), cluster };
  const [key, { state, text, own, run }] = first;
  const application = key.slice(key.indexOf('/') + 1);
  const name = cluster === undefined ? key : application;
  const said = `${own === true ? name : `${name} (not changed here)`}: ${text}`;
  const share = `${worst.length} of ${entries.length} ${state === 'failure' ? 'failed' : 'pending'}: `;
  const isBegun = id.startsWith('deployment ') && sorted.some(([, report]) => report.run !== undefined);
  return {
    state: state === 'pending' && isBegun ? 'begun' : state,
    text: oneLine(entries.length === 1 ? said : `${share}${said}`),
    cluster: clusterOf(key),
    application,
    run,
  };
}

function ownFirst(one: TargetReport, other: TargetReport): number {
  return Number(other.own ?? false) - Number(one.own ?? false);
}

function healthyText(entries: readonly Entry[]): string {
  const suspended = entries.filter(([, { text }]) => text !== '').length;
  const all = `${counted(entries.length, 'application')} healthy`;
  return suspended === 0 ? all : `${all}, of these ${suspended} suspended`;
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

/** Hosts show one line, and cut it; what servers and controllers said may hold secrets. */
function oneLine(text: string): string {
  return scrub(text);
}
