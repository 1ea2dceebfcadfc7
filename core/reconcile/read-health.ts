import { Retry } from '../errors.ts';
import { hasHealth, healthOf, missing, worstHealth } from '../health.ts';
import type { HealthStatus, ObjectHealth } from '../model/health.ts';
import type { Inventory } from '../model/inventory.ts';
import type { LiveObject } from '../model/object.ts';
import type { HealthCheck } from '../model/rule.ts';
import { addressOf, stuckDeletions } from '../plan.ts';
import type { Clock, Cluster } from '../ports.ts';
import { observeObjects } from './fetch-objects.ts';

/** Health of a target as it was seen. */
export interface SeenHealth {
  readonly status: HealthStatus;
  readonly message: string;
  readonly objects: readonly ObjectHealth[];
}

/** What health is told by, besides the rules that are built in. */
export interface HealthBasis {
  readonly checks?: readonly HealthCheck[];
  /** By object key: as the cluster answered a moment ago. */
  readonly known?: ReadonlyMap<string, LiveObject>;
}

/** Whether it may settle by itself, so that another look is worth it. */
export function isUnsettled({ status }: Pick<SeenHealth, 'status'>): boolean {
  return status === 'Progressing' || status === 'Unknown';
}

/** As the inventory keeps it: since when looks have given the same status. */
export function healthSince(
  before: Inventory['health'],
  { status, message }: Pick<SeenHealth, 'status' | 'message'>,
  at: string,
): NonNullable<Inventory['health']> {
  const since = before?.status === status ? (before.since ?? before.at) : at;
  return { status, message, at, since };
}

/** Health right after a run. A cluster that does not answer now has taken the objects all the same: Unknown (rule 5). */
export async function seeHealth(
  cluster: Cluster,
  inventory: Inventory,
  clock: Clock,
  { checks = [], known = new Map() }: HealthBasis = {},
): Promise<SeenHealth> {
  try {
    const objects = await readHealth(cluster, inventory, clock, { checks, known });
    return { ...worstHealth(objects), objects };
  } catch (error) {
    if (!(error instanceof Retry)) throw error;
    return { status: 'Unknown', message: `could not be read: ${error.message}`, objects: [] };
  }
}

/** Health of every object of the inventory whose kind has any, or has a check, as the cluster has it now. */
export async function readHealth(
  cluster: Cluster,
  { target, entries }: Pick<Inventory, 'target' | 'entries'>,
  clock: Clock,
  { checks = [], known = new Map() }: HealthBasis = {},
): Promise<readonly ObjectHealth[]> {
  const served = await cluster.resources();
  const sought = Object.entries(entries)
    .filter(([, { ref, state }]) => state === 'applied' && hasHealth(ref, checks))
    .map(([key, entry]) => ({ key, ref: entry.ref, address: addressOf(entry, served), ours: true }));
  const unknown = sought.filter(({ key }) => !known.has(key));
  const { found, forbidden } = await observeObjects(cluster, target.application, unknown, {
    metadataOnly: false,
  });
  const seen = sought.map(({ key, ref }): ObjectHealth => {
    const refusal = forbidden.get(key);
    if (refusal !== undefined)
      return { ref, status: 'Unknown', reason: 'Forbidden', message: refusal.message };
    const live = known.get(key) ?? found.get(key);
    return { ref, ...(live === undefined ? missing : healthOf(live, clock.now(), checks)) };
  });
  return [...seen, ...stuckDeletions({ entries }, clock.now())];
}
