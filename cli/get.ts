import { dump } from 'js-yaml';
import { openEpisodes } from '../core/api/records.ts';
import { objectRows } from '../core/api/ask-target.ts';
import { maskedLive } from '../core/api/live-object.ts';
import { readPlaced } from '../core/api/placed-snapshot.ts';
import type { ObjectRow } from '../core/api/contract.ts';
import { inBatches } from '../core/in-batches.ts';
import type { ApiDeps } from '../core/api/deps.ts';
import type { LiveCluster } from '../core/live-ports.ts';
import type { Json } from '../core/model/json.ts';
import { describeRef, refKey, refOf, type LiveObject } from '../core/model/object.ts';
import { healthOf } from '../core/health.ts';
import type { Target } from '../core/model/target.ts';
import { addressOf } from '../core/plan.ts';
import { newestRuns } from '../core/run-history.ts';
import type { TargetView } from '../core/view/target-view.ts';
import { CliError } from './cli-error.ts';
import { meantBy, nameOfObject } from './object-name.ts';
import { clipped, coloured, table, type Report } from './report.ts';
import { readTargets, type Selection } from './targets.ts';

export interface GetOptions extends Selection {
  readonly app: string;
  /** Look at the cluster itself, with the kubeconfig of the person. */
  readonly live?: boolean;
}

const readsAtOnce = 8;
const historyDays = 30;
/** Among which is one that saw health. */
const recentRuns = 5;

/** One object; `object` is the desired one with values of Secrets masked, or the live one where that was asked for. */
interface Got extends ObjectRow {
  readonly target: Target;
  readonly object: Json;
}

/** The objects of an application, or those that are named: what Git wants, what is there, and how it is. */
export async function get(
  deps: Pick<ApiDeps, 'store' | 'clock' | 'live'>,
  names: readonly string[],
  { live = false, ...selection }: GetOptions,
): Promise<Report> {
  const named = names.map(meantBy);
  const views = await readTargets(deps.store, selection);
  const all = (await inBatches(views, readsAtOnce, async (view) => objectsOf(view, deps, live))).flat();
  const found = all.filter((one) => named.length === 0 || named.some((isMeant) => isMeant(one)));
  const unknown = names.filter((_, index) => !found.some((one) => named[index]?.(one) === true));
  if (unknown.length > 0) {
    throw new CliError(
      `There is no ${unknown.join(', ')} there. \`trueup get --app ${selection.app} -o name\` lists what there is.`,
    );
  }
  const rows = found.map((one) => [
    one.target.cluster,
    describeRef(one),
    one.state,
    coloured(one.health),
    one.drift ?? '-',
  ]);
  const head = ['CLUSTER', 'OBJECT', 'STATE', 'HEALTH', 'DRIFT'];
  const more = found.map((one) => [one.origin ?? '-', clipped(one.kept ?? one.healthMessage, 100) || '-']);
  return {
    data: found,
    text: found.length === 0 ? 'no objects' : table(head, rows),
    wide: table(
      [...head, 'FILE', 'MESSAGE'],
      rows.map((row, index) => [...row, ...(more[index] ?? [])]),
    ),
    names: found.map(nameOfObject),
    yaml: found
      .filter(({ object }) => object !== null)
      .map(({ object }) => dump(object, { lineWidth: -1 }))
      .join('---\n'),
  };
}

async function objectsOf(
  view: TargetView,
  { store, clock, live: clusters }: Pick<ApiDeps, 'store' | 'clock' | 'live'>,
  isLive: boolean,
): Promise<readonly Got[]> {
  const { target, pointer, inventory } = view;
  const now = clock.now();
  const [snapshot, open, runs] = await Promise.all([
    readPlaced(store, target.application, pointer.snapshot, inventory),
    openEpisodes(store, target),
    newestRuns(store, [target], { now, days: historyDays, most: recentRuns }),
  ]);
  const desired = new Map((snapshot?.objects ?? []).map((object) => [refKey(refOf(object)), object]));
  const lastRun = runs.find(({ health }) => health !== undefined);
  const rows = objectRows({ view, snapshot, lastRun, open });
  if (!isLive) return rows.map((row) => ({ target, ...row, object: desired.get(row.key) ?? null }));
  if (clusters?.reaches(target.cluster) !== true) {
    throw new CliError(
      `--live: no context of the kubeconfig leads to cluster ${target.cluster}. Name one like it, or say which leads there: --cluster ${target.cluster} --context NAME.`,
    );
  }
  const cluster = await clusters.connect(target.cluster);
  return inBatches(rows, readsAtOnce, async (row): Promise<Got> => {
    const object = await readLive(cluster, row, view);
    return { target, ...row, ...seenHealth(object, view, now), object: object ? maskedLive(object) : null };
  });
}

async function readLive(
  cluster: LiveCluster,
  { key, group, kind, namespace, name }: ObjectRow,
  { inventory }: TargetView,
): Promise<LiveObject | undefined> {
  const served = await cluster.resources();
  const entry = inventory?.entries[key];
  if (entry !== undefined) return cluster.get(addressOf(entry, served));
  const resource = served.find((one) => one.group === group && one.kind === kind);
  if (resource === undefined) return undefined;
  const apiVersion = group === '' ? resource.version : `${group}/${resource.version}`;
  return cluster.get({ apiVersion, plural: resource.plural, namespace, name });
}

function seenHealth(
  object: LiveObject | undefined,
  { pointer }: TargetView,
  now: number,
): Pick<ObjectRow, 'health' | 'healthMessage'> {
  if (object === undefined) return { health: 'Missing', healthMessage: 'is not on the cluster' };
  const { status, message } = healthOf(object, now, pointer.settings.health);
  return { health: status, healthMessage: message };
}
