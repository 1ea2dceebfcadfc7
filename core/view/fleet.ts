import type { Fleet, FleetQuery, FleetRow } from '../api/contract.ts';
import type { StackConfig } from '../contract/config.ts';
import { frozenBy } from '../freeze.ts';
import { isPinned } from '../model/pin.ts';
import type { Commit } from '../model/commit.ts';
import { suspensionOf, type Suspensions } from '../model/suspension.ts';
import { commitPage } from './commit-page.ts';
import { stateOf, type TargetState, type TargetView } from './target-view.ts';

export interface FleetInput {
  readonly views: readonly TargetView[];
  readonly suspensions: Suspensions | undefined;
  readonly labels: ReadonlyMap<string, Readonly<Record<string, string>>>;
  readonly repositories: StackConfig['repositories'];
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** The rows that fit, a page of them, and how many there are of each state; pure, so that a page costs no request. */
export function fleetPage(input: FleetInput, query: FleetQuery): Fleet {
  const rows = input.views.map((view) => rowOf(view, input));
  const { offset, limit, after } = query;
  const fitting = rows
    .filter((row) => fits(row, query))
    .sort(orders[after === undefined ? query.sort : 'name']);
  const left = after === undefined ? fitting : fitting.filter((row) => byName(row, placeOf(after)) > 0);
  return {
    rows: left.slice(offset, offset + limit),
    offset,
    total: fitting.length,
    counts: {
      sync: countBy(fitting, ({ sync }) => sync),
      health: countBy(fitting, ({ health }) => health),
      attention: fitting.filter(({ attention }) => attention > 0).length,
    },
    facets: {
      clusters: unique(rows.map(({ cluster }) => cluster)),
      projects: unique(rows.flatMap(({ project }) => project ?? [])),
    },
  };
}

/** One target as the fleet shows it. */
export function rowOf(view: TargetView, input: Omit<FleetInput, 'views'>): FleetRow {
  const { target, pointer, inventory } = view;
  const suspension = suspensionOf(input.suspensions, target, input.now);
  const state = stateOf(view, suspension, input.now);
  const repository = input.repositories.find(({ name }) => name === pointer.repository);
  const project = pointer.settings.project ?? repository?.project;
  const { environment } = pointer.settings;
  const flags = flagsOf(view, suspension !== undefined, input.now);
  return {
    ...target,
    ...(project !== undefined && { project }),
    labels: input.labels.get(target.cluster) ?? {},
    revision: pointer.revision,
    commit: briefOf(pointer.commit, repository?.url),
    sync: state.sync,
    health: state.health,
    drift: state.drift,
    ...(state.checkedAt !== undefined && { checkedAt: state.checkedAt }),
    ...(inventory?.applied !== undefined && { appliedAt: inventory.applied.at }),
    flags,
    ...(environment !== undefined && {
      environment: { application: environment.application, url: environment.url },
    }),
    attention: attentionOf(state, flags),
    message: state.message,
  };
}

/** With a link where the pages of its host are known by the address it is cloned from. */
export function briefOf(commit: Commit, cloneUrl?: string): FleetRow['commit'] {
  const { sha, subject, author } = commit;
  const page = cloneUrl === undefined ? undefined : commitPage(cloneUrl, sha);
  return { sha, subject, author: author.name, at: author.at, ...(page !== undefined && { url: page }) };
}

function flagsOf({ pointer, inventory }: TargetView, isSuspended: boolean, now: number): FleetRow['flags'] {
  const isConfirmed = Object.values(inventory?.entries ?? {}).some(
    ({ kept }) => kept?.because === 'confirmation',
  );
  const flags: FleetRow['flags'] = [];
  if (isPinned(pointer, now)) flags.push('pinned');
  if (isSuspended) flags.push('suspended');
  if (frozenBy(pointer.settings, 'push', now) !== undefined) flags.push('frozen');
  if (inventory?.waiting?.on === 'rollout') flags.push('staged');
  if (pointer.failed !== undefined) flags.push('failed');
  if (isConfirmed) flags.push('confirm');
  return flags;
}

/** Higher first: what is broken, what differs, what nobody can tell, what waits for a person. */
function attentionOf({ sync, health }: TargetState, flags: FleetRow['flags']): number {
  if (health === 'Degraded' || health === 'Missing') return 5;
  if (sync === 'Drifted') return 4;
  if (flags.includes('failed')) return 3;
  if (sync === 'Unknown') return 2;
  return flags.includes('confirm') ? 1 : 0;
}

type Named = Pick<FleetRow, 'cluster' | 'application'>;

/** `CLUSTER/APPLICATION` */
function placeOf(after: string): Named {
  const [cluster = '', application = ''] = after.split('/');
  return { cluster, application };
}

const byName = (a: Named, b: Named): number =>
  order(a.application, b.application) || order(a.cluster, b.cluster);

/** Not by a locale, which takes a hundred times as long. */
function order(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

const orders: Readonly<Record<FleetQuery['sort'], (a: FleetRow, b: FleetRow) => number>> = {
  name: byName,
  attention: (a, b) => b.attention - a.attention || byName(a, b),
  checked: (a, b) => order(a.checkedAt ?? '', b.checkedAt ?? '') || byName(a, b),
};

function fits(row: FleetRow, query: FleetQuery): boolean {
  const { cluster, application, project, sync, health, label, q = '' } = query;
  const [key = '', value = ''] = label?.split('=') ?? [];
  if (cluster !== undefined && row.cluster !== cluster) return false;
  if (application !== undefined && row.application !== application) return false;
  if (project !== undefined && row.project !== project) return false;
  if (sync !== undefined && row.sync !== sync) return false;
  if (health !== undefined && row.health !== health) return false;
  if (label !== undefined && row.labels[key] !== value) return false;
  const text = `${row.cluster} ${row.application} ${row.commit.sha} ${row.commit.subject} ${row.message}`;
  const words = q.toLowerCase().split(/\s+/);
  return words.every((word) => text.toLowerCase().includes(word));
}

function countBy(rows: readonly FleetRow[], by: (row: FleetRow) => string): Record<string, number> {
  const groups = Map.groupBy(rows, by);
  return Object.fromEntries([...groups].map(([name, { length }]) => [name, length]));
}

function unique(names: readonly string[]): string[] {
  return [...new Set(names)].sort();
}
