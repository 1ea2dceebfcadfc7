import { keys } from '../contract/keys.ts';
import { readDocument, updateDocument } from '../documents.ts';
import { Blocked, Retry, messageOf } from '../errors.ts';
import { worstHealth } from '../health.ts';
import { acquireLease } from '../lease.ts';
import { inventorySchema, type Inventory } from '../model/inventory.ts';
import type { ObjectHealth } from '../model/health.ts';
import { runRecordSchema, type RunRecord, type RunRequest } from '../model/run.ts';
import { isoTime, millisecondsOf, secondsBetween } from '../model/time.ts';
import type { Cluster } from '../ports.ts';
import { confirmDeletions } from './carry-out.ts';
import { lookDelaySeconds, slackMs } from './delays.ts';
import { InventoryWriter } from './inventory-writer.ts';
import type { ReconcileDeps } from './run-context.ts';
import { readStanding } from './standing.ts';

type Looked = { readonly kind: 'rested' | 'looked'; readonly why: string };

const reserveMs = 10_000;

/**
 * Looks again at the health of what the last run applied, and at deletions that were not finished. Between two looks
 * neither queue nor lease is held. When it settles, the run's event goes out once more with the health that it reached.
 */
export async function lookAtHealth(request: RunRequest, deps: ReconcileDeps): Promise<Looked> {
  const { target } = request;
  const { inventory } = await readStanding(deps.store, target);
  const last = inventory?.lastRun;
  if (inventory === undefined || last?.outcome !== 'applied') {
    return { kind: 'rested', why: 'no run waits for health' };
  }
  const now = deps.clock.now();
  if (!isDue(inventory, now)) return { kind: 'rested', why: 'nothing is progressing, or another look is under way' };
  const elapsed = secondsBetween(last.at, isoTime(now));
  let health: readonly ObjectHealth[];
  try {
    const cluster = await deps.clusters.connect(target.cluster, () => deps.deadline - reserveMs);
    health = await readHealth(cluster, inventory, deps.clock);
    await finishDeletions(request, deps, inventory, cluster);
  } catch (error) {
    if (!(error instanceof Retry || error instanceof Blocked)) throw error;
    await lookLater(request, deps, elapsed);
    return { kind: 'looked', why: `could not look: ${messageOf(error)}` };
  }
  return noteHealth(request, deps, { inventory, health, elapsed });
}
