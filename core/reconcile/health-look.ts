import { readDocument, updateDocument } from '../documents.ts';
import { Blocked, Retry, messageOf } from '../errors.ts';
import { keys } from '../contract/keys.ts';
import { worstHealth } from '../health.ts';
import { acquireLease } from '../lease.ts';
import type { ObjectHealth } from '../model/health.ts';
import { inventorySchema, type Inventory } from '../model/inventory.ts';
import { runRecordSchema, type RunRecord, type RunRequest } from '../model/run.ts';
import type { Target } from '../model/target.ts';
import { isoTime, millisecondsOf, secondsBetween } from '../model/time.ts';
import type { Cluster } from '../ports.ts';
import { confirmDeletions } from './carry-out.ts';
import { lookDelaySeconds, slackMs } from './delays.ts';
import { lookAtFailHooks, openFailHooks } from './fail-hooks.ts';
import { InventoryWriter } from './inventory-writer.ts';
import { wakeStages } from './next-stage.ts';
import { healthSince, isUnsettled, readHealth } from './read-health.ts';
import { sendLeadTimes } from './run-trace.ts';
import type { ReconcileDeps } from './run-context.ts';
import { readPointer } from './standing.ts';
import { trialSeen } from './trial.ts';

type Looked = { readonly kind: 'rested' | 'looked'; readonly why: string };
type LastRun = NonNullable<Inventory['lastRun']>;

const reserveMs = 10_000;

/**
 * Looks again at the health of what the last run applied, and at deletions that were under way. Between two looks
 * neither queue nor lease is held. When it settles, the run's event goes out once more, with the health it came to.
 * `early`: somebody stands and waits, so that a look counts before it is due.
 */
export async function lookAtHealth(
  { target }: Pick<RunRequest, 'target'>,
  deps: ReconcileDeps,
  { early = false }: { readonly early?: boolean } = {},
): Promise<Looked> {
  const inventory = await readInventory(deps, target);
  const last = inventory?.lastRun;
  if (inventory !== undefined && last !== undefined && openFailHooks(inventory, last.revision).length > 0) {
    return lookAtHooks(deps, target, last);
  }
  // A revision that waits reads health in its own runs; a restart has none of its own.
  const isWaited = last?.outcome === 'applied' || inventory?.restarted !== undefined;
  if (inventory === undefined || last === undefined || !isWaited) {
    return { kind: 'rested', why: 'no run waits for its health' };
  }
  if (!isUnderWay(inventory) || !(early || isDue(inventory, last, deps.clock.now()))) {
    return { kind: 'rested', why: 'nothing is progressing, or another look is under way' };
  }
  try {
    const cluster = await deps.clusters.connect(target.cluster, () => deps.deadline - reserveMs);
    const pointer = await readPointer(deps.store, target);
    // First: what is gone by now has no health any more.
    const current = hasDeletions(inventory) ? await finishDeletions(deps, inventory, cluster) : inventory;
    const health = await readHealth(cluster, current, deps.clock, {
      checks: pointer?.settings.health ?? [],
    });
    const isDeleting = hasDeletions(current);
    const looked = await note(deps, last, { target, health, isDeleting, restarted: current.restarted });
    // What a heal came to lets nobody else begin.
    const isNews = looked.settled && last.reason !== 'heal';
    if (isNews && pointer !== undefined) await wakeStages(deps, pointer);
    return looked;
  } catch (error) {
    if (!(error instanceof Retry || error instanceof Blocked)) throw error;
    await lookLater(deps, target, inventory.restarted ?? last);
    return { kind: 'looked', why: `could not look: ${messageOf(error)}` };
  }
}

async function lookAtHooks(deps: ReconcileDeps, target: Target, last: LastRun): Promise<Looked> {
  const pointer = await readPointer(deps.store, target);
  const { impersonate, health: checks = [] } = pointer?.settings ?? {};
  try {
    const connect = async (leaseEnd: () => number): Promise<Cluster> => {
      const deadline = () => Math.min(leaseEnd(), deps.deadline - reserveMs);
      return deps.clusters.connect(target.cluster, deadline, { impersonate });
    };
    const isOpen = await lookAtFailHooks(deps, target, connect, { revision: last.revision, checks });
    if (isOpen) await lookLater(deps, target, last);
    return { kind: 'looked', why: isOpen ? 'fail hooks are at work' : 'fail hooks have ended' };
  } catch (error) {
    if (!(error instanceof Retry || error instanceof Blocked)) throw error;
    await lookLater(deps, target, last);
    return { kind: 'looked', why: `could not look: ${messageOf(error)}` };
  }
}

async function readInventory({ store }: ReconcileDeps, target: Target): Promise<Inventory | undefined> {
  return (await readDocument(store, keys.inventory(target), inventorySchema))?.value;
}

function hasDeletions({ entries }: Inventory): boolean {
  return Object.values(entries).some(({ state }) => state === 'deleting');
}

function isUnderWay(inventory: Inventory): boolean {
  const { health } = inventory;
  return (health !== undefined && isUnsettled(health)) || hasDeletions(inventory);
}

/** A look that comes before its time is a doubled message: the one that was sent for this time still comes. */
function isDue(inventory: Inventory, last: LastRun, now: number): boolean {
  const begun = (inventory.restarted ?? last).at;
  const since = inventory.health?.at ?? begun;
  const delay = lookDelaySeconds(secondsBetween(begun, since)) ?? 0;
  return now >= millisecondsOf(since) + delay * 1000 - slackMs;
}

/** Entries are changed under the lease only; while a run holds it, that run looks at its deletions itself. */
async function finishDeletions(
  deps: ReconcileDeps,
  inventory: Inventory,
  cluster: Cluster,
): Promise<Inventory> {
  const { target } = inventory;
  const lease = await acquireLease(deps, target);
  if (lease === undefined) return inventory;
  try {
    const writer = await InventoryWriter.claim(deps.store, target, lease.token);
    await confirmDeletions(writer, cluster);
    return writer.value;
  } finally {
    await lease.release();
  }
}

/** `since`: the run or restart whose health is looked at. */
async function lookLater(deps: ReconcileDeps, target: Target, since: Pick<LastRun, 'at'>): Promise<void> {
  const delay = lookDelaySeconds(secondsBetween(since.at, isoTime(deps.clock.now())));
  if (delay === undefined) return;
  const request: RunRequest = { version: 1, target, reason: 'health', requestedBy: 'health' };
  await deps.queues.runLater(request, delay);
}

interface Look {
  readonly target: Target;
  readonly health: readonly ObjectHealth[];
  readonly isDeleting: boolean;
  readonly restarted: Inventory['restarted'];
}

/** The inventory is written last: until then the message counts as not handled and comes again. */
async function note(
  deps: ReconcileDeps,
  last: LastRun,
  look: Look,
): Promise<Looked & { readonly settled: boolean }> {
  const at = isoTime(deps.clock.now());
  const worst = worstHealth(look.health);
  const isWaiting = isUnsettled(worst) || look.isDeleting;
  if (isWaiting) await lookLater(deps, look.target, look.restarted ?? last);
  let isOfRestart = false;
  const record = await updateDocument(deps.store, last.key, runRecordSchema, (current) => {
    isOfRestart = look.restarted !== undefined && !waitsForHealth(last, current);
    return current === undefined || isOfRestart
      ? undefined
      : { ...current, health: { status: worst.status, at, objects: [...look.health] } };
  });
  if (!isWaiting && !isOfRestart && record?.outcome !== undefined) {
    const { id: runId, target, reason, revision, commit, outcome, trace } = record;
    const { kind, counts, message } = outcome;
    const run = { runId, runKey: last.key, reason, revision, ...(trace && { trace }) };
    const detail = { version: 1 as const, at, target, ...run };
    const result = { sha: commit.sha, outcome: kind, counts, health: worst.status, message };
    await sendLeadTimes(deps.metrics, record, at, { applied: false, health: worst.status });
    await deps.bus.publish([{ type: 'ReconcileFinished', detail: { ...detail, ...result } }]);
  }
  await updateDocument(deps.store, keys.inventory(look.target), inventorySchema, (current) => {
    if (current?.lastRun?.runId !== last.runId) return undefined;
    const seen = healthSince(current.health, worst, at);
    if (isOfRestart) return { ...current, seq: current.seq + 1, health: seen };
    const { applied } = current;
    const isIn = worst.status === 'Healthy' && applied?.revision === last.revision;
    const healthy = isIn ? { applied: { ...applied, healthy: true as const } } : {};
    const trial = trialSeen(current.trial, { revision: last.revision, status: worst.status, at });
    return { ...current, seq: current.seq + 1, ...healthy, ...trial, health: seen };
  });
  const why = worst.message === '' ? worst.status : `${worst.status}: ${worst.message}`;
  return { kind: 'looked', why, settled: worst.status === 'Healthy' && !look.isDeleting && !isOfRestart };
}

/** Whether a run was applied and its health had not settled when the workloads were restarted: what follows is its own. */
function waitsForHealth(last: LastRun, record: RunRecord | undefined): boolean {
  return last.outcome === 'applied' && record?.health !== undefined && isUnsettled(record.health);
}
