import {
  applyRank,
  inApplyOrder,
  pruneRank,
  type ApplyTask,
  type Effects,
  type ObjectResult,
  type PruneTask,
} from '../apply.ts';
import { deletionOf } from '../model/deletion.ts';
import { Blocked } from '../errors.ts';
import type { Inventory, InventoryEntry } from '../model/inventory.ts';
import { describeRef, refKey, type ObjectRef } from '../model/object.ts';
import type { ObjectOutcome } from '../model/run.ts';
import { addressOf, type ApplyStep } from '../plan.ts';
import type { Cluster } from '../ports.ts';
import { claimsSince } from './hand-over.ts';
import { Met } from './met.ts';
import type { PlannedWork } from './plan-work.ts';
import { forgetHooks, hooksOf, runHooks, type HookRun } from './run-hooks.ts';
import { assertNewest, mayProceed, policyOf, type Progress, type RunContext } from './run-context.ts';
import { Waiting } from './waiting.ts';
import { assertServed, assertSettled, stepsByWave } from './waves.ts';

type Entries = Readonly<Record<string, InventoryEntry>>;

/**
 * Carries out a plan. For a revision that is not applied yet: its pre hooks, wave by wave, prune, post hooks. Heals and
 * syncs of one that is applied keep the order of waves, and neither wait nor run hooks.
 */
export async function carryOut(context: RunContext, work: PlannedWork, progress: Progress): Promise<void> {
  const { goal } = context;
  await noteKept(context, work);
  if (work.cluster === undefined) return leaveAll(context, work);
  const effects = effectsOf(context, work.cluster);
  const run = { context, effects: { ...effects, checks: goal.settings.health }, progress };
  const isGone = goal.pointer.state === 'gone';
  for (const { ref, why } of goal.rollout ? work.unservedHooks : []) {
    throw new Blocked({ subject: `hook ${describeRef(ref)}`, message: why });
  }
  const later = isGone ? work : await applyOwnNamespace(context, work, effects, progress);
  if (goal.rollout) await runHooks({ ...run, phase: isGone ? 'delete' : 'pre' }, work);
  await applyWaves(context, later, effects, progress);
  const isWhole =
    work.decision.plan.actions.every(({ action }) => action !== 'blocked') &&
    progress.results.every(({ failure }) => failure === undefined);
  if (!isWhole) {
    progress.results.push(...work.decision.prune.map(({ key, entry }) => heldBack(key, entry.ref)));
    return;
  }
  await pruneAll(context, work, effects, progress);
  if (!goal.rollout) return;
  if (isGone) await runLast(run, work);
  if (!isGone && hooksOf(context, work, 'post').length > 0) {
    await context.inventory.flush();
    await assertSettled(context, work, effects, { reason: 'post hooks wait' });
    await runHooks({ ...run, phase: 'post' }, work);
  }
  await forgetHooks(context, work, run.effects);
}

/** A preview environment brings its namespace, and its pre hooks need one. Gives the work that is left. */
async function applyOwnNamespace(
  context: RunContext,
  work: PlannedWork,
  effects: Effects,
  progress: Progress,
): Promise<PlannedWork> {
  const { environment } = context.goal.settings;
  const { decision } = work;
  const key = environment === undefined ? undefined : namespaceKey(environment.namespace);
  const steps = decision.apply.filter(({ desired }) => desired.key === key);
  if (steps.length === 0) return work;
  const before = context.inventory.value.entries;
  await noteIntents(context, steps, []);
  await applyAll(context, { work, steps, before }, effects, progress);
  const apply = decision.apply.filter(({ desired }) => desired.key !== key);
  return { ...work, decision: { ...decision, apply } };
}

/** Post-delete hooks, once nothing of the application is left that is being deleted. */
async function runLast(run: Omit<HookRun, 'phase'>, work: PlannedWork): Promise<void> {
  const { context } = run;
  if (hooksOf(context, work, 'post-delete').length === 0) return;
  const open = Object.values(context.inventory.value.entries).find(({ state }) => state === 'deleting');
  if (open !== undefined)
    throw new Waiting('order', `post-delete hooks wait until ${describeRef(open.ref)} is gone`);
  await runHooks({ ...run, phase: 'post-delete' }, work);
}

export function effectsOf(context: RunContext, cluster: Cluster): Effects {
  const { clock } = context.deps;
  return { cluster, clock, mayProceed: async () => mayProceed(context), policy: policyOf(context) };
}

/** Why undesired objects stay, and what is desired again: noted first, since a second phase counts from here. */
async function noteKept({ inventory }: RunContext, { decision: { notes } }: PlannedWork): Promise<void> {
  if (Object.keys(notes).length > 0) await inventory.save(changing((entries) => ({ ...entries, ...notes })));
}

/** The objects stay, and we forget them. */
async function leaveAll({ inventory }: RunContext, { decision }: PlannedWork): Promise<void> {
  const forgotten = new Set(decision.forget);
  if (forgotten.size === 0) return;
  await inventory.save((current) => ({
    ...current,
    hooks: {},
    entries: without(current.entries, forgotten),
  }));
}

/** Lower waves first; in a rollout they are also Healthy before higher ones begin. */
async function applyWaves(
  context: RunContext,
  work: PlannedWork,
  effects: Effects,
  progress: Progress,
): Promise<void> {
  const { goal } = context;
  let settledBelow = -Infinity;
  let areNoted = true;
  for (const { wave, steps, isLowest } of stepsByWave(work)) {
    if (goal.rollout && !isLowest) {
      if (!isWholeBelow(wave, work, progress)) {
        progress.results.push(...steps.map(({ desired }) => notTried(wave, desired.key, desired.ref)));
        areNoted = false;
        continue;
      }
      // A wait may be long: nothing that was done stays unsaved meanwhile.
      await context.inventory.flush();
      const waits = { from: settledBelow, below: wave, reason: `wave ${wave} waits` };
      await assertSettled(context, work, effects, waits);
      settledBelow = wave;
    }
    const before = context.inventory.value.entries;
    await noteIntents(context, steps, []);
    await applyAll(context, { work, steps, before }, effects, progress);
    if (goal.rollout && !isLowest) assertServed(wave, work, progress);
  }
  // An object under a new name is forgotten under its old one only when the new one is in the inventory (rule 1).
  if (areNoted) await noteIntents(context, [], work.decision.forget);
}

function isWholeBelow(wave: number, { decision, waves }: PlannedWork, { results }: Progress): boolean {
  const isBelow = (key: string): boolean => (waves.get(key) ?? 0) < wave;
  return (
    results.every(({ key, failure }) => failure === undefined || !isBelow(key)) &&
    decision.plan.actions.every(({ action, ref }) => action !== 'blocked' || !isBelow(refKey(ref)))
  );
}

/** Rule 1: an object is in the inventory before it is on the cluster. */
async function noteIntents(
  { inventory }: RunContext,
  steps: readonly ApplyStep[],
  forget: readonly string[],
): Promise<void> {
  if (steps.length === 0 && forget.length === 0) return;
  const intents = Object.fromEntries(steps.map(({ desired, entry }) => [desired.key, entry]));
  const forgotten = new Set(forget);
  await inventory.save(changing((entries) => ({ ...without(entries, forgotten), ...intents })));
}

async function applyAll(
  context: RunContext,
  {
    work,
    steps,
    before,
  }: { readonly work: PlannedWork; readonly steps: readonly ApplyStep[]; readonly before: Entries },
  effects: Effects,
  { results }: Progress,
): Promise<void> {
  const tasks = steps.map((step) => taskOf(step, work));
  // What a higher wave brings is not worth a wait.
  const highest = Math.max(...steps.map(({ desired }) => work.waves.get(desired.key) ?? 0));
  const planned = new Set(
    work.decision.apply.flatMap(({ desired: { key } }) =>
      (work.waves.get(key) ?? 0) <= highest ? [key] : [],
    ),
  );
  const blocked = work.decision.plan.actions.filter(({ action }) => action === 'blocked');
  const failures = results.flatMap(({ key, failure }) => (failure === undefined ? [] : [key]));
  const failed = new Set([...blocked.map(({ ref }) => refKey(ref)), ...failures]);
  const creations = new Set(
    steps.flatMap(({ action, desired: { key } }) => (action === 'create' ? key : [])),
  );
  const noteApplied = notesOn(context, creations, before);
  try {
    for (const rank of inApplyOrder(tasks, ({ ref }) => ref)) {
      await assertNewest(context);
      const done = await applyRank(rank, effects, { planned, failed });
      const tried = done.results.filter(({ existed }) => existed === undefined);
      results.push(...tried);
      await noteApplied(tried);
      if (done.stopped !== undefined) throw done.stopped;
      const met = new Set(done.results.flatMap(({ key, existed }) => (existed === true ? [key] : [])));
      if (met.size > 0) throw new Met(steps.filter(({ desired }) => met.has(desired.key)));
      for (const { key, failure } of tried) if (failure !== undefined) failed.add(key);
    }
  } catch (error) {
    await context.inventory.flush();
    throw error;
  }
}

const noteEveryMs = 1_000;

/**
 * Entries of what was applied, on their way into the inventory: at once they would cost a write for each rank, so they
 * go with the next one, which the end of a run has anyway. A run that dies before leaves intents, which the next one
 * settles (rule 1).
 */
function notesOn(
  { inventory, deps: { clock } }: RunContext,
  creations: ReadonlySet<string>,
  before: Entries,
) {
  let writtenAt = clock.now();
  return async (results: readonly ObjectResult[]): Promise<void> => {
    const applied = Object.fromEntries(
      results.flatMap(({ key, entry }) => (entry === undefined ? [] : [[key, entry] as const])),
    );
    // The server said no: there is nothing to look for, which the same rights may forbid.
    const refused = new Set(
      results.flatMap(({ key, failure }) =>
        creations.has(key) && (failure === 'refused' || failure === 'invalid') ? [key] : [],
      ),
    );
    const former = Object.fromEntries(Object.entries(before).filter(([key]) => refused.has(key)));
    inventory.note(changing((entries) => ({ ...without(entries, refused), ...former, ...applied })));
    if (clock.now() - writtenAt < noteEveryMs) return;
    await inventory.flush();
    writtenAt = clock.now();
  };
}

function taskOf({ desired, action, entry, live, heals }: ApplyStep, { definitions }: PlannedWork): ApplyTask {
  const { key, ref, object, digest, versions, address } = desired;
  const definition = definitions.get(`${ref.group}/${ref.kind}`);
  const namespace = ref.namespace === undefined ? undefined : namespaceKey(ref.namespace);
  const needs = [definition, namespace].filter((need) => need !== undefined);
  return { key, ref, object, digest, versions, address, action, entry, live, needs, heals };
}

function namespaceKey(name: string): string {
  return refKey({ group: '', kind: 'Namespace', name });
}

/** Entries say `deleting` before the first deletion, and go when their objects are surely gone. */
async function pruneAll(
  context: RunContext,
  work: PlannedWork,
  effects: Effects,
  { results }: Progress,
): Promise<void> {
  if (work.decision.prune.length === 0) return;
  await assertNewest(context);
  const { inventory, request } = context;
  const { application } = request.target;
  const { handOver } = work;
  const claims =
    handOver === undefined
      ? new Map<string, string>()
      : await claimsSince(context, handOver, work.decision.prune);
  const steps = work.decision.prune.filter(({ key }) => !claims.has(key));
  const going = steps.map(
    ({ key, entry, uid }) => [key, { ...entry, uid, state: 'deleting' as const }] as const,
  );
  await inventory.save(changing((entries) => ({ ...entries, ...Object.fromEntries(going) })));
  const { entries } = inventory.value;
  const wanted = new Map(work.desired.objects.map(({ key, ref }) => [entries[key]?.uid, ref]));
  const tasks = steps.map(({ key, entry, uid, confirmed }): PruneTask => {
    const address = addressOf(entry, work.served);
    const deleting = { ...entry, uid, state: 'deleting' as const };
    const wantedAs = wanted.get(uid);
    return { key, ref: entry.ref, uid, application, address, confirmed, entry: deleting, wantedAs };
  });
  for (const rank of inPruneOrder(tasks, work.waves)) {
    const done = await pruneRank(rank, effects);
    results.push(...done.results);
    const gone = new Set(done.results.filter(({ forget }) => forget).map(({ key }) => key));
    const held = done.results.flatMap(({ key, entry }) =>
      entry === undefined ? [] : [[key, entry] as const],
    );
    if (gone.size + held.length > 0) {
      await inventory.save(
        changing((current) => ({ ...without(current, gone), ...Object.fromEntries(held) })),
      );
    }
    if (done.stopped !== undefined) throw done.stopped;
  }
  for (const [key, message] of claims) {
    const ref = work.decision.prune.find((step) => step.key === key)?.entry.ref;
    if (ref !== undefined) results.push({ key, outcome: { ref, outcome: 'skipped', message } });
  }
}

/** Looks once more at what finalizers or grace periods kept, and forgets what is gone. Gives the keys of those. */
export async function confirmDeletions(
  inventory: { readonly value: Inventory; save(change: (inventory: Inventory) => Inventory): Promise<void> },
  cluster: Cluster,
): Promise<ReadonlySet<string>> {
  const served = await cluster.resources();
  const gone = new Set<string>();
  const held = new Map<string, InventoryEntry>();
  for (const [key, entry] of Object.entries(inventory.value.entries)) {
    if (entry.state !== 'deleting') continue;
    const live = await cluster.get(addressOf(entry, served));
    const kept = live === undefined ? undefined : deletionOf(live);
    if (live === undefined || live.metadata.uid !== entry.uid) gone.add(key);
    else if (kept !== undefined && kept.message !== entry.kept?.message) held.set(key, { ...entry, kept });
  }
  if (gone.size + held.size > 0) {
    await inventory.save(changing((entries) => ({ ...without(entries, gone), ...Object.fromEntries(held) })));
  }
  return gone;
}

/** The reverse of how it was built: waves from the highest, in each the kinds from the last. */
function inPruneOrder(
  tasks: readonly PruneTask[],
  waves: PlannedWork['waves'],
): readonly (readonly PruneTask[])[] {
  const byWave = Map.groupBy(tasks, ({ key }) => waves.get(key) ?? 0);
  return [...byWave]
    .sort(([a], [b]) => b - a)
    .flatMap(([, wave]) => [...inApplyOrder(wave, ({ ref }) => ref)].reverse());
}

function notTried(wave: number, key: string, ref: ObjectRef): ObjectResult {
  const message = `is of wave ${wave}, and was not tried while an object of a lower wave failed or is blocked`;
  return { key, outcome: { ref, outcome: 'skipped', message } };
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
