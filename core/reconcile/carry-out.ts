import {
  applyRank,
  inApplyOrder,
  pruneRank,
  type ApplyTask,
  type Effects,
  type ObjectResult,
  type PruneTask,
} from '../apply.ts';
import type { Inventory, InventoryEntry } from '../model/inventory.ts';
import { refKey, type ObjectRef } from '../model/object.ts';
import type { ObjectOutcome } from '../model/run.ts';
import { addressOf, type ApplyStep } from '../plan.ts';
import type { Cluster } from '../ports.ts';
import type { PlannedWork } from './plan-work.ts';
import { assertNewest, mayProceed, type RunContext } from './run-context.ts';

/** What a run has done so far; grows as it goes on, and is all that is left when it stops half-way. */
export interface Progress {
  readonly results: ObjectResult[];
}

type Entries = Readonly<Record<string, InventoryEntry>>;

/** Carries out a plan: intents first, then rank by rank, noting each before the next; prunes when all is applied. */
export async function carryOut(context: RunContext, work: PlannedWork, progress: Progress): Promise<void> {
  await noteIntents(context, work);
  const { cluster } = work;
  if (cluster === undefined) return;
  const effects: Effects = {
    cluster,
    clock: context.deps.clock,
    mayProceed: async () => mayProceed(context),
  };
  await applyAll(context, work, effects, progress);
  const isWhole =
    work.desired.blocked.length === 0 &&
    work.decision.plan.actions.every(({ action }) => action !== 'blocked') &&
    progress.results.every(({ failure }) => failure === undefined);
  if (isWhole) await pruneAll(context, work, effects, progress);
  else progress.results.push(...work.decision.prune.map(({ key, entry }) => heldBack(key, entry.ref)));
}

/** Rule 1: an object is in the inventory before it is on the cluster. */
async function noteIntents({ inventory }: RunContext, { decision }: PlannedWork): Promise<void> {
  const intents = Object.fromEntries(decision.apply.map(({ desired, entry }) => [desired.key, entry]));
  const forgotten = new Set(decision.forget);
  if (decision.apply.length === 0 && forgotten.size === 0) return;
  await inventory.save(changing((entries) => ({ ...without(entries, forgotten), ...intents })));
}

async function applyAll(
  context: RunContext,
  work: PlannedWork,
  effects: Effects,
  { results }: Progress,
): Promise<void> {
  const tasks = work.decision.apply.map((step) => taskOf(step, work));
  const planned = new Set(tasks.map(({ key }) => key));
  const blocked = work.decision.plan.actions.filter(({ action }) => action === 'blocked');
  const failed = new Set(blocked.map(({ ref }) => refKey(ref)));
  for (const rank of inApplyOrder(tasks, ({ ref }) => ref)) {
    await assertNewest(context);
    const done = await applyRank(rank, effects, { planned, failed });
    results.push(...done.results);
    const applied = done.results.flatMap(({ key, entry }) =>
      entry === undefined ? [] : [[key, entry] as const],
    );
    if (applied.length > 0) {
      await context.inventory.save(changing((entries) => ({ ...entries, ...Object.fromEntries(applied) })));
    }
    if (done.stopped !== undefined) throw done.stopped;
    for (const { key, failure } of done.results) if (failure !== undefined) failed.add(key);
  }
}

function taskOf({ desired, action, entry, live }: ApplyStep, { definitions }: PlannedWork): ApplyTask {
  const { key, ref, object, digest, address } = desired;
  const definition = definitions.get(`${ref.group}/${ref.kind}`);
  const namespace = ref.namespace === undefined ? undefined : namespaceKey(ref.namespace);
  const needs = [definition, namespace].filter((need) => need !== undefined);
  return { key, ref, object, digest, address, action, entry, live, needs };
}

function namespaceKey(name: string): string {
  return refKey({ group: '', kind: 'Namespace', name });
}

/** Entries say `deleting` before the first deletion, and go when their objects are surely gone. */
async function pruneAll(
  context: RunContext,
  { decision, served, desired }: PlannedWork,
  effects: Effects,
  { results }: Progress,
): Promise<void> {
  if (decision.prune.length === 0) return;
  await assertNewest(context);
  const { inventory, request } = context;
  const { application } = request.target;
  const going = new Map(
    decision.prune.map(({ key, entry, uid }) => [key, { ...entry, uid, state: 'deleting' as const }]),
  );
  await inventory.save(changing((entries) => ({ ...entries, ...Object.fromEntries(going) })));
  const { entries } = inventory.value;
  const wanted = new Map(desired.objects.map(({ key, ref }) => [entries[key]?.uid, ref]));
  const tasks = decision.prune.map(({ key, entry, uid }): PruneTask => {
    const address = addressOf(entry, served);
    return { key, ref: entry.ref, uid, application, address, wantedAs: wanted.get(uid) };
  });
  for (const rank of [...inApplyOrder(tasks, ({ ref }) => ref)].reverse()) {
    const done = await pruneRank(rank, effects);
    results.push(...done.results);
    const gone = new Set(done.results.filter(({ forget }) => forget).map(({ key }) => key));
    if (gone.size > 0) await inventory.save(changing((current) => without(current, gone)));
    if (done.stopped !== undefined) throw done.stopped;
  }
}

/** Looks once more at what finalizers or grace periods kept, and forgets what is gone. Gives the keys of those. */
export async function confirmDeletions(
  inventory: { readonly value: Inventory; save(change: (inventory: Inventory) => Inventory): Promise<void> },
  cluster: Cluster,
): Promise<ReadonlySet<string>> {
  const served = await cluster.resources();
  const gone = new Set<string>();
  for (const [key, entry] of Object.entries(inventory.value.entries)) {
    if (entry.state !== 'deleting') continue;
    const live = await cluster.get(addressOf(entry, served));
    if (live === undefined || live.metadata.uid !== entry.uid) gone.add(key);
  }
  if (gone.size > 0) await inventory.save(changing((entries) => without(entries, gone)));
  return gone;
}

function heldBack(key: string, ref: ObjectRef): ObjectResult {
  const message = 'is not pruned while other objects of this run failed or are blocked';
  const outcome: ObjectOutcome = { ref, outcome: 'skipped', message };
  return { key, outcome };
}

function changing(change: (entries: Entries) => Entries) {
  return (inventory: Inventory): Inventory => ({ ...inventory, entries: change(inventory.entries) });
}

function without(entries: Entries, keys: ReadonlySet<string>): Entries {
  return Object.fromEntries(Object.entries(entries).filter(([key]) => !keys.has(key)));
}
