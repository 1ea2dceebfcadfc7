import { inApplyOrder } from '../apply.ts';
import { Stop } from '../errors.ts';
import type { HookPhase, HookState, Inventory } from '../model/inventory.ts';
import { isoTime, millisecondsOf } from '../model/time.ts';
import { isPrecious } from '../model/precious-kinds.ts';
import { syncCommand } from '../model/sync-command.ts';
import { isDue, orderOf, type Occasion } from '../order.ts';
import { addressOf } from '../plan.ts';
import type { ApiResource, ObjectAddress } from '../ports.ts';
import {
  cleanUpHook,
  hookName,
  lookAtHook,
  startHook,
  type HookEffects,
  type HookLook,
} from './hook-object.ts';
import type { InventoryWriter } from './inventory-writer.ts';
import type { Hook } from './desired-order.ts';
import type { PlannedWork } from './plan-work.ts';
import { assertNewest, type Progress, type RunContext } from './run-context.ts';
import { Waiting, quickLooksMs } from './waiting.ts';

const messageLength = 1000;

/** A run that comes to one phase of its hooks. */
export interface HookRun {
  readonly context: RunContext;
  readonly phase: HookPhase;
  readonly effects: HookEffects;
  readonly progress: Progress;
}

/**
 * Runs the hooks of one phase, once for each revision, wave by wave. Returns when all have succeeded; throws Waiting
 * while one is at work, and Stop with its words when one has failed. A failed one is run again by `sync` alone.
 */
export async function runHooks(run: HookRun, work: PlannedWork): Promise<void> {
  const { context, phase } = run;
  const hooks = hooksOf(context, work, phase);
  const waves = Map.groupBy(hooks, ({ wave }) => wave);
  for (const [, wave] of [...waves].sort(([a], [b]) => a - b)) {
    for (const rank of inApplyOrder(wave, ({ desired }) => desired.ref)) {
      if (rank.every((hook) => isDone(context, phase, hook))) continue;
      await assertNewest(context);
      for (const hook of rank) await begin(run, hook);
      await awaitAll(run, rank);
    }
  }
}

/** Hooks of a phase that are meant on the occasion of this run. */
export function hooksOf(context: RunContext, work: PlannedWork, phase: HookPhase): readonly Hook[] {
  const occasion = occasionOf(context, work);
  return work.hooks.filter((hook) => isDue(hook, phase, occasion));
}

/** The first revision, until one was applied in full. Where objects of somebody else are taken over, nothing is installed. */
function occasionOf({ goal, inventory }: RunContext, { decision }: PlannedWork): Occasion {
  const { applied, entries } = inventory.value;
  if (applied !== undefined && applied.gone === undefined) {
    return goal.pointer.pin === undefined ? 'upgrade' : 'rollback';
  }
  const adopts =
    Object.values(entries).some(({ adopted }) => adopted) ||
    decision.apply.some(({ entry }) => entry.adopted);
  return adopts ? 'upgrade' : 'install';
}

/** Key in the inventory: one object may be the hook of several phases. */
function stateKey(phase: HookPhase, { desired }: Hook): string {
  return `${phase} ${desired.key}`;
}

/** Whether every hook of a phase has succeeded or failed for this revision already, or there are none. */
export function haveEnded(context: RunContext, work: PlannedWork, phase: HookPhase): boolean {
  const { goal, inventory } = context;
  return hooksOf(context, work, phase).every((hook) => {
    const state = inventory.value.hooks[stateKey(phase, hook)];
    return state?.revision === goal.revision && (state.state === 'succeeded' || state.state === 'failed');
  });
}

function isDone({ inventory, goal }: RunContext, phase: HookPhase, hook: Hook): boolean {
  const state = inventory.value.hooks[stateKey(phase, hook)];
  return state?.revision === goal.revision && state.state === 'succeeded' && !isLeftOver(state, hook);
}

/** Intent before effect (rule 1): a hook that a dying run created is known by its mark, and not created again. */
async function begin(run: HookRun, hook: Hook): Promise<void> {
  const { context, phase, effects, progress } = run;
  const { ref, address } = hook.desired;
  const key = stateKey(phase, hook);
  const before = context.inventory.value.hooks[key];
  const hookUids = hookUidsIn(context.inventory.value);
  let state = before;
  if (state?.revision !== context.goal.revision || (state.state === 'failed' && isAskedFor(context))) {
    if (before !== undefined && isLeftOver(before, hook)) await cleanUpHook(before, address, effects);
    state = intentOf(context, phase, hook, before);
    await note(context.inventory, key, state);
  }
  if (isLeftOver(state, hook)) await deleteEnded(context.inventory, key, state, address, effects);
  if (state.state !== 'intent') return;
  const mayReplace = hook.deletions.includes('before');
  const replacing = { mayReplace, hookUids, stateUid: prunableUid(context, hook) };
  const started = await startHook(hook.desired, state, replacing, effects);
  if (started.kind === 'failed') {
    await note(context.inventory, key, { ...state, state: 'failed', message: started.message });
    return;
  }
  await note(context.inventory, key, { ...state, state: 'running', uid: started.uid });
  if (started.created) {
    progress.results.push({ key, outcome: { ref, outcome: 'created', message: `${phase} hook` } });
  }
}

/** Uids of the objects that came of hooks of this application. */
function hookUidsIn({ hooks }: Pick<Inventory, 'hooks'>): ReadonlySet<string> {
  return new Set(Object.values(hooks).flatMap(({ uid }) => uid ?? []));
}

/** Of what was part of the state until Git made it a hook; what a person must agree to lose is not deleted for that. */
function prunableUid(
  { inventory, goal, request, pruneFrozen }: RunContext,
  { desired }: Hook,
): string | undefined {
  const entry = inventory.value.entries[desired.key];
  const isHeld = request.keepUndesired === true || pruneFrozen !== undefined;
  const mayPrune = goal.settings.prune && !isHeld && !isPrecious(desired.ref);
  return mayPrune && entry?.created === true ? entry.uid : undefined;
}

function isAskedFor({ request }: RunContext): boolean {
  return request.reason === 'sync';
}

/** A run may have died between noting how a hook ended and deleting its object. */
function isLeftOver({ state, uid }: HookState, { deletions }: Hook): boolean {
  return uid !== undefined && (state === 'succeeded' || state === 'failed') && deletions.includes(state);
}

/** Its uid goes from the state once its object is deleted. */
async function deleteEnded(
  inventory: InventoryWriter,
  key: string,
  ended: HookState,
  address: ObjectAddress,
  effects: HookEffects,
): Promise<void> {
  await cleanUpHook(ended, address, effects);
  const { uid: _gone, ...state } = ended;
  await note(inventory, key, state);
}

function intentOf(
  { goal, deps }: RunContext,
  phase: HookPhase,
  { desired }: Hook,
  before: HookState | undefined,
): HookState {
  const { ref, address } = desired;
  const { apiVersion, plural } = address;
  // Never the time of an earlier intent: the two make the mark.
  const now = Math.max(deps.clock.now(), before === undefined ? 0 : millisecondsOf(before.at) + 1);
  const at = isoTime(now);
  return { ref, apiVersion, plural, phase, revision: goal.revision, state: 'intent', at, message: '' };
}

/** Throws Stop as soon as one has failed: what it was to prepare or to prove is not there. */
async function awaitAll(run: HookRun, hooks: readonly Hook[]): Promise<void> {
  const { effects } = run;
  for (let look = 0; ; look += 1) {
    const open: string[] = [];
    for (const hook of hooks) {
      const words = await lookAt(run, hook);
      if (words !== undefined) open.push(words);
    }
    const [first] = open;
    if (first === undefined) return;
    const pauseMs = quickLooksMs[look];
    if (pauseMs === undefined) throw new Waiting('order', `waits for ${first}`);
    await effects.mayProceed();
    await effects.clock.sleep(pauseMs);
  }
}

/** What a hook is at, in words; undefined once it has succeeded. */
async function lookAt({ context, phase, effects }: HookRun, hook: Hook): Promise<string | undefined> {
  const key = stateKey(phase, hook);
  const state = context.inventory.value.hooks[key];
  if (state === undefined || state.state === 'succeeded') return undefined;
  if (state.state === 'failed') throw failure(context, state);
  const look = await settleHook(context.inventory, key, state, hook.desired.address, effects);
  if (look.state === 'open') return `${hookName(state)}: ${look.message}`;
  if (look.state === 'failed') throw failure(context, { ...state, message: look.message });
  return undefined;
}

/** Looks at a hook; notes how it ended, if it has, and deletes its object where it says so. */
export async function settleHook(
  inventory: InventoryWriter,
  key: string,
  state: HookState,
  address: ObjectAddress,
  effects: HookEffects,
): Promise<HookLook> {
  const look = await lookAtHook(state, address, effects);
  if (look.state === 'open') return look;
  const ended = { ...state, state: look.state, message: look.message.slice(0, messageLength) };
  await note(inventory, key, ended);
  const deletions = look.live === undefined ? [] : (orderOf(look.live).hook?.deletions ?? []);
  if (deletions.includes(look.state)) await deleteEnded(inventory, key, ended, address, effects);
  return look;
}

function failure({ goal, request }: RunContext, state: HookState): Stop {
  const again = syncCommand({ ...goal.pointer, ...request.target });
  const message = `failed: ${state.message}; mend it and push, or run it again with ${again}`;
  return new Stop({ subject: hookName(state), message });
}

async function note(inventory: InventoryWriter, key: string, state: HookState): Promise<void> {
  await inventory.save((current) => ({ ...current, hooks: { ...current.hooks, [key]: state } }));
}

/** Deletes the objects of hooks that are not desired any more and forgets them; all of them when nothing is desired. */
export async function forgetHooks(
  { inventory, goal }: RunContext,
  { hooks, served }: PlannedWork,
  effects: HookEffects,
): Promise<void> {
  const isGone = goal.pointer.state === 'gone';
  const wanted = new Set(
    isGone ? [] : hooks.flatMap((hook) => hook.phases.map((phase) => stateKey(phase, hook))),
  );
  for (const [key, state] of Object.entries(inventory.value.hooks)) {
    if (wanted.has(key)) continue;
    await cleanUpHook(state, hookAddress(state, served), effects);
    await inventory.save((current) => ({ ...current, hooks: without(current.hooks, key) }));
  }
}

/** Where the object of a hook is found without its manifest. */
export function hookAddress(state: HookState, served: readonly ApiResource[]): ObjectAddress {
  return addressOf({ ...state, state: 'applied', created: true, adopted: false }, served);
}

function without(hooks: Inventory['hooks'], key: string): Inventory['hooks'] {
  return Object.fromEntries(Object.entries(hooks).filter(([each]) => each !== key));
}
