import { keys } from '../contract/keys.ts';
import { readDocument } from '../documents.ts';
import { clusterCheckSchema, type TargetCheck } from '../model/check.ts';
import type { HealthStatus } from '../model/health.ts';
import type { Inventory } from '../model/inventory.ts';
import type { Target } from '../model/target.ts';
import { isoTime, millisecondsOf } from '../model/time.ts';
import type { Clock, Store } from '../ports.ts';
import type { Goal } from './choose-goal.ts';
import type { InventoryWriter } from './inventory-writer.ts';
import { healthNow } from './rollout-gate.ts';
import { isBegunBefore } from './waiting.ts';

type Trial = NonNullable<Inventory['trial']>;

/**
 * Notes, before anything of a new revision is done, what was healthy before it: afterwards nobody could tell any more
 * whose objects are Degraded. Only where `spec.rollback.onFailure` asks for it.
 */
export async function beginTrial(
  inventory: InventoryWriter,
  goal: Goal,
  { store, clock }: { readonly store: Store; readonly clock: Pick<Clock, 'now'> },
): Promise<void> {
  const { revision, pointer, settings, rollout } = goal;
  if (!rollout) return;
  const { trial, lastRun } = inventory.value;
  if (settings.rollback?.onFailure === undefined || pointer.state === 'gone') {
    // What was healthy before revisions that nobody watched is not known any more.
    if (trial !== undefined) await inventory.save(({ trial: _over, ...current }) => current);
    return;
  }
  const since = isoTime(clock.now());
  if (trial?.revision !== revision) {
    const check = await readCheck(store, pointer.target);
    const { windowSeconds, alarms } = settings.rollback.onFailure;
    const isTried = alarms.length > 0 && isWithin(trial, windowSeconds, clock.now());
    const back = wayBack(inventory.value, check, isTried);
    await inventory.save((current) => ({ ...current, trial: { revision, since, ...(back && { back }) } }));
  } else if (lastRun?.revision === revision && lastRun.untouched === true) {
    // An alarm that rang while nothing was touched is not about this revision.
    await inventory.save((current) => ({ ...current, trial: { ...trial, since } }));
  }
}

async function readCheck(store: Store, { cluster, application }: Target): Promise<TargetCheck | undefined> {
  const found = await readDocument(store, keys.check(cluster), clusterCheckSchema);
  return found?.value.targets[application];
}

/**
 * What a revision that is about to begin may be rolled back to. What never became healthy passes on what it could have gone
 * back to itself; what was healthy and is not any more passes on nothing, since its successor may fail for the same reason.
 * `isTried`: an alarm may still ring about what is applied, healthy as it seems: it passes on its own way back.
 */
export function wayBack(
  inventory: Inventory,
  check: TargetCheck | undefined,
  isTried = false,
): Trial['back'] {
  const { applied, trial } = inventory;
  if (applied?.commit === undefined || applied.gone === true) return undefined;
  if (isBegunBefore(inventory) || isCutShort(inventory)) return trial?.back;
  if (isTried && trial?.revision === applied.revision && trial.back !== undefined) return trial.back;
  const { status } = healthNow(inventory, check);
  const isSettling = status === 'Progressing' || status === 'Unknown';
  if (status === 'Healthy' || status === 'Suspended' || (isSettling && applied.healthy === true)) {
    const { revision, snapshot, commit, runId } = applied;
    return { revision, snapshot, commit, runId };
  }
  if (applied.healthy === true || trial?.back?.snapshot === applied.snapshot) return undefined;
  return trial?.back;
}

function isWithin(trial: Inventory['trial'], windowSeconds: number, now: number): boolean {
  return trial !== undefined && now < millisecondsOf(trial.since) + windowSeconds * 1000;
}

/** A revision was begun, and the run died before it could say how far it came. */
function isCutShort({ applied, trial, lastRun }: Inventory): boolean {
  if (trial === undefined || trial.revision <= (applied?.revision ?? 0)) return false;
  return lastRun?.revision !== trial.revision;
}

/** The same after a look at the health of what was applied, which may be of another revision; `at`: ISO 8601. */
export function trialSeen(
  trial: Inventory['trial'],
  { revision, status, at }: { readonly revision: number; readonly status: HealthStatus; readonly at: string },
): Pick<Inventory, 'trial'> {
  if (trial?.revision !== revision || status === 'Unknown') return {};
  const { degradedSince = at, ...rest } = trial;
  return { trial: { ...rest, ...(status === 'Degraded' && { degradedSince }) } };
}
