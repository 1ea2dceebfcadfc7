import { describeFrozen, frozenBy } from '../freeze.ts';
import type { ClusterCheck, TargetCheck } from '../model/check.ts';
import type { DesiredPointer } from '../model/desired.ts';
import type { HealthStatus } from '../model/health.ts';
import { describeAskedAlone, type Inventory } from '../model/inventory.ts';
import { describePin } from '../model/pin.ts';
import { describeSuspension, type Suspension } from '../model/suspension.ts';
import type { Target } from '../model/target.ts';
import { waitingToGo } from '../plan.ts';

/** One target with what the records say of it. */
export interface TargetView {
  readonly target: Target;
  readonly pointer: DesiredPointer;
  readonly inventory: Inventory | undefined;
  readonly check: ClusterCheck | undefined;
}

/** How a target is, from all its records together; times are ISO 8601. */
export interface TargetState {
  readonly sync: TargetCheck['sync'];
  readonly health: HealthStatus;
  /** Objects with drift. */
  readonly drift: number;
  readonly checkedAt: string | undefined;
  /** Why it is not Synced and Healthy, and what it is there for where Git does not say; else empty. */
  readonly message: string;
}

interface SyncState {
  readonly sync: TargetCheck['sync'];
  readonly reason: string;
  readonly at: string | undefined;
}

/** What stands now: a run may have ended since the last sweep looked, a commit have come since the last run. */
export function stateOf(view: TargetView, suspension: Suspension | undefined, now: number): TargetState {
  const { target, inventory, check } = view;
  const checked = check?.targets[target.application];
  const isNewer = inventory?.health !== undefined && inventory.health.at > (check?.at ?? '');
  const health = isNewer ? inventory.health?.status : checked?.health;
  const told = isNewer ? (inventory.health?.message ?? '') : (checked?.healthMessage ?? '');
  const { sync, reason, at } = syncOf(view);
  const reasons = [
    reason,
    frozenOf(view, sync, now),
    told,
    failureOf(view.pointer),
    (inventory && waitingToGo(inventory)) ?? '',
    (inventory && describeAskedAlone(inventory)) ?? '',
    describePin(view.pointer) ?? '',
    environmentOf(view.pointer),
    suspendedOf(reason, suspension),
  ];
  return {
    sync,
    health: health ?? 'Unknown',
    drift: checked?.drifted ?? 0,
    checkedAt: at,
    message: [...new Set(reasons)].filter((each) => each !== '').join('; '),
  };
}

/** What the last sweep said, unless the pointer or a run has moved since. */
function syncOf({ target, pointer, inventory, check }: TargetView): SyncState {
  const checked = check?.targets[target.application];
  const at = checked?.at;
  if (checked?.sync === 'Unknown') return checked;
  const applied = inventory?.applied;
  if (applied?.revision !== pointer.revision) {
    const last = inventory?.lastRun;
    const isStuck = last?.revision === pointer.revision && last.outcome !== 'applied';
    const isStaged = inventory?.waiting?.on === 'rollout' && inventory.waiting.revision === pointer.revision;
    if (isStaged) return { sync: 'Pending', reason: inventory.waiting?.reason ?? '', at };
    const reason = isStuck ? `the last run was ${last.outcome}: ${last.message}` : 'not applied yet';
    return { sync: 'Pending', reason, at };
  }
  // A run that applied everything since the sweep looked is as good as a check.
  const isOlder = checked?.revision !== pointer.revision || checked.sync === 'Pending';
  if (checked === undefined || (isOlder && applied.at > checked.at)) {
    return { sync: 'Synced', reason: '', at: applied.at };
  }
  return checked;
}

/** Of a commit that waits: the sweep tells of drift, and of the freezes of the installation. */
function frozenOf({ pointer, inventory }: TargetView, sync: string, now: number): string {
  if (sync !== 'Pending' || inventory?.applied?.revision === pointer.revision) return '';
  const frozen = frozenBy(pointer.settings, 'push', now);
  return frozen === undefined ? '' : describeFrozen(frozen);
}

/** The sweep may have said so already. */
function suspendedOf(reason: string, suspension: Suspension | undefined): string {
  const told = suspension === undefined ? '' : describeSuspension(suspension);
  return reason.includes(told) ? '' : told;
}

function environmentOf({ settings: { environment }, state }: DesiredPointer): string {
  if (environment === undefined) return '';
  const what = `preview environment of ${environment.application} for ${environment.url}`;
  return state === 'gone' ? `${what}, which goes` : what;
}

function failureOf({ failed }: DesiredPointer): string {
  if (failed === undefined) return '';
  const faults = failed.faults.map(({ subject, message }) => `${subject}: ${message}`);
  return `commit ${failed.sha.slice(0, 7)} cannot be rendered: ${faults.join('; ')}`;
}

/** Gone from Git, and from its cluster. */
export function isOver({ pointer, inventory }: Pick<TargetView, 'pointer' | 'inventory'>): boolean {
  return pointer.state === 'gone' && Object.keys(inventory?.entries ?? {}).length === 0;
}
