import { keys } from '../contract/keys.ts';
import { readDocument } from '../documents.ts';
import { expressionOf, isTrue } from '../expression.ts';
import { inBatches } from '../in-batches.ts';
import type { Dependency } from '../model/application.ts';
import { clusterCheckSchema, type TargetCheck } from '../model/check.ts';
import { desiredPointerSchema } from '../model/desired.ts';
import { inventorySchema } from '../model/inventory.ts';
import type { Target } from '../model/target.ts';
import type { Store } from '../ports.ts';
import type { RunContext } from './run-context.ts';
import { readStanding, type Standing } from './standing.ts';
import { Waiting } from './waiting.ts';

const readsAtOnce = 16;

/** Before anything is touched for a new revision: throws Waiting, naming each dependency that is not ready and why. */
export async function assertDependencies({ deps, goal, request }: RunContext): Promise<void> {
  if (!goal.rollout || goal.pointer.state === 'gone') return;
  const waits = await inBatches(goal.settings.dependsOn, readsAtOnce, async (dependency) => {
    const { application, cluster = request.target.cluster } = dependency;
    const why = await whyNotReady(deps.store, { cluster, application }, dependency);
    return why === undefined ? [] : [`${application} on ${cluster}: ${why}`];
  });
  const reasons = waits.flat();
  if (reasons.length > 0) throw new Waiting('dependency', `waits for ${reasons.join('; for ')}`);
}

/**
 * What others depend on is pruned after them: throws Waiting while an application of the same cluster that names this
 * one is there, or has objects that are about to be pruned.
 */
export async function assertNoDependants({ deps, goal, request, inventory }: RunContext): Promise<void> {
  const { pointer, settings } = goal;
  if (pointer.state !== 'gone' || settings.onDelete !== 'prune') return;
  if (Object.keys(inventory.value.entries).length === 0) return;
  const { cluster } = request.target;
  const pointers = await Array.fromAsync(deps.store.list(keys.desiredOfCluster(cluster)));
  const found = await inBatches(pointers, readsAtOnce, async (key) =>
    dependant(deps.store, key, request.target),
  );
  const [first] = found.flat();
  if (first !== undefined) throw new Waiting('dependency', `its objects stay while ${first}`);
}

/** In words, why the application of a pointer keeps the target that it depends on. */
async function dependant(store: Store, key: string, target: Target): Promise<readonly string[]> {
  const pointer = (await readDocument(store, key, desiredPointerSchema))?.value;
  if (pointer === undefined) return [];
  const { cluster, application } = pointer.target;
  const isOf = ({ application: name, cluster: where = cluster }: Dependency): boolean =>
    name === target.application && where === target.cluster;
  if (!pointer.settings.dependsOn.some(isOf)) return [];
  const name = `${application} on ${cluster}`;
  if (pointer.state === 'present') return [`${name} depends on it (spec.dependsOn)`];
  if (pointer.settings.onDelete !== 'prune') return [];
  const inventory = await readDocument(store, keys.inventory(pointer.target), inventorySchema);
  // What stays for good, since it says so, holds nothing back.
  const left = Object.values(inventory?.value.entries ?? {}).filter(
    ({ kept }) => kept?.because !== 'protection' && kept?.because !== 'request',
  ).length;
  return left === 0 ? [] : [`${name}, which depends on it, is pruned: ${left} objects are left`];
}

/** What an expression may ask of a dependency. */
interface DependencyFacts {
  readonly sync: TargetCheck['sync'];
  readonly health: TargetCheck['health'];
  readonly revision: number;
  readonly commit: string;
  readonly message: string;
}

async function whyNotReady(store: Store, target: Target, { ready }: Dependency): Promise<string | undefined> {
  const standing = await readStanding(store, target);
  const { pointer, inventory } = standing;
  if (pointer === undefined) return 'there is no such application there';
  if (pointer.state === 'gone') return 'it is gone from Git';
  const checks = await readDocument(store, keys.check(target.cluster), clusterCheckSchema);
  const facts = factsOf(standing, checks?.value.targets[target.application]);
  if (ready !== undefined) {
    const answer = isTrue(expressionOf(ready, `ready of ${target.application}`), {
      dependency: { ...facts },
    });
    if (answer === true) return undefined;
    return answer === false ? `${ready} is not true yet` : answer.fault;
  }
  const isApplied = inventory?.applied?.revision === pointer.revision && inventory.waiting === undefined;
  if (!isApplied) return `revision ${pointer.revision} is not applied yet${progressOf(standing)}`;
  return facts.health === 'Healthy' ? undefined : `${facts.health}: ${facts.message}`;
}

function progressOf({ pointer, inventory }: Standing): string {
  const last = inventory?.lastRun;
  if (last === undefined || last.revision !== pointer?.revision || last.outcome === 'applied') return '';
  return ` (${last.outcome}: ${last.message})`;
}

/** Runs look at health until it settles, sweeps from then on: whichever looked last is right. */
function factsOf({ pointer, inventory }: Standing, check: TargetCheck | undefined): DependencyFacts {
  const { applied, health } = inventory ?? {};
  const isChecked = check !== undefined && check.revision === applied?.revision;
  const newest =
    isChecked && check.at > (health?.at ?? '')
      ? { status: check.health, message: check.healthMessage }
      : health;
  const isPending = applied?.revision !== pointer?.revision;
  return {
    sync: isPending ? 'Pending' : isChecked ? check.sync : 'Synced',
    health: newest?.status ?? 'Unknown',
    revision: applied?.revision ?? 0,
    commit: applied?.sha ?? '',
    message: newest?.message ?? '',
  };
}
