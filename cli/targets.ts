import { keys, prefixes } from '../core/contract/keys.ts';
import { readDocument } from '../core/documents.ts';
import { inBatches } from '../core/in-batches.ts';
import { clusterCheckSchema, type ClusterCheck } from '../core/model/check.ts';
import { desiredPointerSchema } from '../core/model/desired.ts';
import { inventorySchema } from '../core/model/inventory.ts';
import type { Target } from '../core/model/target.ts';
import type { Store } from '../core/ports.ts';
import { isOver, type TargetView } from '../core/view/target-view.ts';
import { CliError } from './cli-error.ts';

/** Which targets a verb is about; all of them when nothing is said. */
export interface Selection {
  readonly app?: string;
  readonly cluster?: string;
}

const readsAtOnce = 20;

/** Targets that a selection names, sorted by cluster and application. Throws CliError with the known names. */
export async function selectTargets(store: Store, { app, cluster }: Selection): Promise<readonly Target[]> {
  const all = await Array.fromAsync(store.list(prefixes.desired), targetOf);
  const wanted = all.filter(
    (target) =>
      (app === undefined || target.application === app) &&
      (cluster === undefined || target.cluster === cluster),
  );
  if (wanted.length > 0) return wanted;
  if (all.length === 0) {
    throw new CliError(
      'No application is known yet. Push a commit with an Application file to a repository of the stack configuration.',
    );
  }
  const applications = [...new Set(all.map((target) => target.application))];
  const clusters = [...new Set(all.map((target) => target.cluster))];
  if (app !== undefined && !applications.includes(app)) {
    throw new CliError(`There is no application ${app}. Known: ${applications.join(', ')}.`);
  }
  if (cluster !== undefined && !clusters.includes(cluster)) {
    throw new CliError(`No application is on a cluster ${cluster}. Known: ${clusters.join(', ')}.`);
  }
  const on = all.filter((target) => target.application === app).map((target) => target.cluster);
  throw new CliError(`Application ${app} is not on cluster ${cluster}. It is on: ${on.join(', ')}.`);
}

/** Reads the targets' records; those that are gone from Git and from their cluster are left out. */
export async function readTargets(store: Store, selection: Selection): Promise<readonly TargetView[]> {
  const targets = await selectTargets(store, selection);
  const checks = await readChecks(store, [...new Set(targets.map(({ cluster }) => cluster))]);
  const views = await inBatches(targets, readsAtOnce, async (target): Promise<TargetView | undefined> => {
    const [pointer, inventory] = await Promise.all([
      readDocument(store, keys.desired(target), desiredPointerSchema),
      readDocument(store, keys.inventory(target), inventorySchema),
    ]);
    if (pointer === undefined) return undefined;
    const check = checks.get(target.cluster);
    return { target, pointer: pointer.value, inventory: inventory?.value, check };
  });
  return views.filter((view) => view !== undefined).filter((view) => !isOver(view));
}

export async function readChecks(
  store: Store,
  clusters: readonly string[],
): Promise<ReadonlyMap<string, ClusterCheck>> {
  const checks = new Map<string, ClusterCheck>();
  await inBatches(clusters, readsAtOnce, async (cluster) => {
    const check = await readDocument(store, keys.check(cluster), clusterCheckSchema);
    if (check !== undefined) checks.set(cluster, check.value);
  });
  return checks;
}

/** `desired/CLUSTER/APPLICATION.json`. */
export function targetOf(key: string): Target {
  const [cluster = '', file = ''] = key.slice(prefixes.desired.length).split('/');
  return { cluster, application: file.replace(/\.json$/, '') };
}
