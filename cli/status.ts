import { describeFrozen, frozenBy } from '../core/freeze.ts';
import { describePin } from '../core/model/pin.ts';
import type { SecretVersions } from '../core/model/secret-reference.ts';
import { describeSuspension, suspensionOf, type Suspension } from '../core/model/suspension.ts';
import { waitingToGo } from '../core/plan.ts';
import { readSuspensions } from '../core/suspend.ts';
import { age, clipped, coloured, short, table, type Report } from './report.ts';
import type { Session } from './session.ts';
import { readTargets, type Selection, type TargetView } from './targets.ts';

/** One line of `trueup status`; times are ISO 8601. */
interface Row {
  readonly cluster: string;
  readonly application: string;
  readonly revision: string;
  readonly subject: string;
  readonly author: string;
  readonly sync: string;
  readonly health: string;
  /** Objects with drift. */
  readonly drift: number;
  readonly checkedAt: string | undefined;
  /** Of the values that its Secrets refer to, as last applied. */
  readonly secretVersions?: SecretVersions;
  readonly suspension?: Suspension;
  /** Why it is not Synced and Healthy. */
  readonly message: string;
}

/** Every target: which commit it should have, whether it has it, and how it is. */
export async function status(
  { store, clock }: Pick<Session, 'store' | 'clock'>,
  selection: Selection,
): Promise<Report> {
  const now = clock.now();
  const suspensions = await readSuspensions(store);
  const rows = (await readTargets(store, selection)).map((view) =>
    rowOf(view, suspensionOf(suspensions, view.target, now), now),
  );
  const lines = rows.map((row) => [
    row.cluster,
    row.application,
    row.revision,
    clipped(`${row.subject} (${row.author})`, 48),
    coloured(row.sync),
    coloured(row.health),
    String(row.drift),
    age(row.checkedAt, now),
  ]);
  const head = ['CLUSTER', 'APPLICATION', 'REVISION', 'COMMIT', 'SYNC', 'HEALTH', 'DRIFT', 'CHECKED'];
  const messages = messagesOf(rows);
  const text = [table(head, lines), ...(messages.length === 0 ? [] : ['', ...messages])].join('\n');
  return { data: rows, text };
}

/** One line for each target; of those on one cluster that have the same to say, one for all. */
function messagesOf(rows: readonly Row[]): readonly string[] {
  const told = rows.filter(({ message }) => message !== '');
  const alike = Map.groupBy(told, ({ cluster, message }) => `${cluster}\n${message}`);
  return [...alike.values()].flatMap(([first, ...others]) => {
    if (first === undefined) return [];
    const { cluster, application, message } = first;
    const names =
      others.length === 0 ? application : `{${[first, ...others].map((row) => row.application).join(',')}}`;
    return [`${cluster}/${names}: ${message}`];
  });
}

function rowOf(view: TargetView, suspension: Suspension | undefined, now: number): Row {
  const { target, pointer, inventory, check } = view;
  const checked = check?.targets[target.application];
  // A run may have ended since the last sweep looked.
  const isNewer = inventory?.health !== undefined && inventory.health.at > (check?.at ?? '');
  const health = isNewer ? inventory.health?.status : checked?.health;
  const told = isNewer ? (inventory.health?.message ?? '') : (checked?.healthMessage ?? '');
  const { sync, reason, at } = syncOf(view);
  return {
    ...target,
    revision: short(pointer.commit.sha),
    subject: pointer.commit.subject,
    author: pointer.commit.author.name,
    sync,
    health: health ?? 'Unknown',
    drift: checked?.drifted ?? 0,
    checkedAt: at,
    ...versionsOf(view),
    ...(suspension !== undefined && { suspension }),
    message: [
      ...new Set([
        reason,
        frozenOf(view, sync, now),
        told,
        failureOf(view),
        keptOf(view),
        pinOf(view),
        suspendedOf(reason, suspension),
      ]),
    ]
      .filter((each) => each !== '')
      .join('; '),
  };
}

interface SyncView {
  readonly sync: string;
  readonly reason: string;
  readonly at: string | undefined;
}

/** What the last sweep said, unless the pointer or a run has moved since. */
function syncOf({ target, pointer, inventory, check }: TargetView): SyncView {
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

function keptOf({ inventory }: TargetView): string {
  return (inventory && waitingToGo(inventory)) ?? '';
}

function versionsOf({ inventory }: TargetView): Pick<Row, 'secretVersions'> {
  const entries = Object.values(inventory?.entries ?? {});
  const versions = entries.flatMap(({ secretVersions }) => Object.entries(secretVersions ?? {}));
  return versions.length === 0 ? {} : { secretVersions: Object.fromEntries(versions) };
}

function pinOf({ pointer }: TargetView): string {
  return describePin(pointer) ?? '';
}

function failureOf({ pointer: { failed } }: TargetView): string {
  if (failed === undefined) return '';
  const faults = failed.faults.map(({ subject, message }) => `${subject}: ${message}`);
  return `commit ${short(failed.sha)} cannot be rendered: ${faults.join('; ')}`;
}
