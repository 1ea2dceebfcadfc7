import { Blocked, Retry, Stop, faultsOf } from '../errors.ts';
import { acquireLease } from '../lease.ts';
import type { HookState, Inventory } from '../model/inventory.ts';
import type { Target } from '../model/target.ts';
import type { Cluster } from '../ports.ts';
import { effectsOf } from './carry-out.ts';
import { Halted } from './halted.ts';
import type { HookEffects } from './hook-object.ts';
import { InventoryWriter } from './inventory-writer.ts';
import type { PlannedWork } from './plan-work.ts';
import type { Progress, ReconcileDeps, RunContext } from './run-context.ts';
import { haveEnded, hookAddress, runHooks, settleHook } from './run-hooks.ts';
import { judge, type Ending } from './run-outcome.ts';
import { Waiting } from './waiting.ts';

/**
 * Runs the fail hooks of a revision that failed for good: not after trouble that is tried again, nor where a person is
 * asked. They change nothing in how the run ends, except that one that could not be run is tried again with the run.
 */
export async function runFailHooks(
  context: RunContext,
  work: PlannedWork,
  ending: Ending,
  progress: Progress,
): Promise<Ending> {
  const { goal } = context;
  if (!goal.rollout || goal.pointer.state === 'gone' || work.cluster === undefined) return ending;
  if (haveEnded(context, work, 'fail')) return ending;
  const { outcome, retry } = judge(ending);
  if (outcome.kind !== 'failed' || retry === 'later') return ending;
  try {
    const effects = { ...effectsOf(context, work.cluster), checks: goal.settings.health };
    await runHooks({ context, phase: 'fail', effects, progress }, work);
    return ending;
  } catch (error) {
    if (error instanceof Waiting) return ending;
    if (error instanceof Halted || error instanceof Retry) return { ...ending, error };
    if (error instanceof Stop || error instanceof Blocked) return { ...ending, notes: faultsOf(error) ?? [] };
    throw error;
  }
}

/** Fail hooks that were at work when their run ended. */
export function openFailHooks(
  { hooks }: Pick<Inventory, 'hooks'>,
  ofRevision: number,
): readonly (readonly [string, HookState])[] {
  return Object.entries(hooks).filter(
    ([, { phase, state, revision }]) => phase === 'fail' && state === 'running' && revision === ofRevision,
  );
}

/** Looks at them again, and deletes what is to be deleted when it ends. Tells whether one is still at work. */
export async function lookAtFailHooks(
  deps: ReconcileDeps,
  target: Target,
  connect: (leaseEnd: () => number) => Promise<Cluster>,
  { revision, checks }: { readonly revision: number; readonly checks: HookEffects['checks'] },
): Promise<boolean> {
  const lease = await acquireLease(deps, target);
  if (lease === undefined) return true;
  try {
    const inventory = await InventoryWriter.claim(deps.store, target, lease.token);
    // No request may outlast the lease (rule 3).
    const cluster = await connect(lease.deadline);
    const effects = { cluster, clock: deps.clock, mayProceed: async () => lease.hold(), checks };
    const served = await cluster.resources();
    for (const [key, state] of openFailHooks(inventory.value, revision)) {
      await settleHook(inventory, key, state, hookAddress(state, served), effects);
    }
    return openFailHooks(inventory.value, revision).length > 0;
  } finally {
    await lease.release();
  }
}
