import type { TargetCheck } from '../model/check.ts';
import type { DesiredPointer } from '../model/desired.ts';
import type { Inventory } from '../model/inventory.ts';
import { describePin } from '../model/pin.ts';
import type { Promotion, RolloutSettings } from '../model/rollout.ts';
import { describeSuspension, type Suspension } from '../model/suspension.ts';
import type { Target } from '../model/target.ts';
import { isoTime, millisecondsOf } from '../model/time.ts';

/** Why a revision may not begin on a target yet, and when to look again, in milliseconds since the epoch. */
export interface StageHeld {
  readonly why: string;
  /** The stage that is not in, or has stopped; absent where a promotion would not help. */
  readonly stage?: string;
  readonly lookAt?: number | undefined;
}

/** Another target of the same application, as the records have it. */
export interface Peer {
  readonly target: Target;
  readonly pointer: DesiredPointer | undefined;
  readonly inventory: Inventory | undefined;
  readonly check: TargetCheck | undefined;
  /** Why its cluster could not be read by the last sweep. */
  readonly unreachable: string | undefined;
  readonly suspension: Suspension | undefined;
}

/** `in`: it has the newest revision, healthy for long enough, or nothing is asked of it. */
export type PeerVerdict =
  | { readonly kind: 'in' }
  | { readonly kind: 'open'; readonly why: string; readonly until?: number }
  | { readonly kind: 'failed'; readonly why: string; readonly at: number };

const isIn: PeerVerdict = { kind: 'in' };

/** How far a target is. What cannot be told counts as open, never as in (rule 5). */
export function judgePeer(
  { target, pointer, inventory, check, unreachable, suspension }: Peer,
  { repository, now, soakSeconds = 0 }: { repository: string; now: number; soakSeconds?: number | undefined },
): PeerVerdict {
  if (pointer === undefined || pointer.state === 'gone' || pointer.repository !== repository) return isIn;
  const open = (why: string, until?: number): PeerVerdict => ({
    kind: 'open',
    why: `${target.cluster} ${why}`,
    ...(until !== undefined && { until }),
  });
  // What it runs is not the newest commit: that was not tried there. A pin that has run out is not lifted yet.
  if (pointer.pin !== undefined) return open(`is ${describePin(pointer)}`);
  const applied = inventory?.applied;
  const last = inventory?.lastRun?.revision === pointer.revision ? inventory.lastRun : undefined;
  if (last?.outcome === 'failed' || last?.outcome === 'blocked') {
    return { kind: 'failed', why: `${target.cluster}: ${last.message}`, at: millisecondsOf(last.at) };
  }
  if (unreachable !== undefined) return open(`cannot be reached: ${unreachable}`);
  if (suspension !== undefined) return open(`has it not yet: ${describeSuspension(suspension)}`);
  if (inventory === undefined || applied?.revision !== pointer.revision) return open('has it not yet');
  const { status, message, since } = healthNow(inventory, check);
  if (status === 'Degraded' || status === 'Missing') {
    return { kind: 'failed', why: `${target.cluster} is ${status}: ${message}`, at: since };
  }
  if (status !== 'Healthy' && status !== 'Suspended') return open(`is ${status}`);
  const until = Math.max(since, millisecondsOf(applied.since ?? applied.at)) + soakSeconds * 1000;
  return now < until ? open(`soaks until ${isoTime(until)}`, until) : isIn;
}

/** Runs look at health until it settles, sweeps from then on: whichever looked last is right. */
export function healthNow(
  { applied, health }: Pick<Inventory, 'applied' | 'health'>,
  check: TargetCheck | undefined,
) {
  const checkedAt = check?.triedAt ?? check?.at ?? '';
  if (check !== undefined && check.revision === applied?.revision && checkedAt > (health?.at ?? '')) {
    // Each may have missed a change that the other saw.
    const told = health?.status === check.health ? (health.since ?? health.at) : '';
    const [since = checkedAt] = [check.healthSince ?? check.at, told].toSorted().toReversed();
    return { status: check.health, message: check.healthMessage, since: millisecondsOf(since) };
  }
  if (health === undefined) return { status: 'Unknown' as const, message: '', since: 0 };
  return { ...health, since: millisecondsOf(health.since ?? health.at) };
}

type Stages = RolloutSettings['stages'];
type Stage = Stages[number];

/** Where a target stands in its rollout. */
export interface Place {
  readonly stage: number;
  readonly rank: number;
  /** Clusters of each stage, in the order in which they have their turn. */
  readonly members: readonly (readonly string[])[];
}

/** One that no stage has comes after all of them. */
export function placeOf(members: Place['members'], cluster: string): Place {
  const stage = members.findIndex((clusters) => clusters.includes(cluster));
  if (stage === -1) return { stage: members.length, rank: 0, members };
  return { stage, rank: members[stage]?.indexOf(cluster) ?? 0, members };
}

/** How many targets of a stage may be under way at once. */
export function widthOf({ maxParallel }: Pick<Stage, 'maxParallel'>, members: number): number {
  if (maxParallel === undefined) return Infinity;
  if (typeof maxParallel === 'number') return maxParallel;
  return Math.max(1, Math.floor((members * Number.parseInt(maxParallel, 10)) / 100));
}

/** A stage by its number; those that no stage of the Application has are the last one. */
export function stageAt(stages: Stages, stage: number): Stage {
  return stages[stage] ?? { name: 'the rest' };
}

/** When a person last said that this stage, or a later one, is good enough, in milliseconds since the epoch. */
export function promotedAt(
  promotions: readonly Promotion[],
  stages: Stages,
  stage: number,
): number | undefined {
  const names = new Set(stages.slice(stage).map(({ name }) => name));
  const times = promotions.filter((one) => names.has(one.stage)).map(({ at }) => millisecondsOf(at));
  return times.length === 0 ? undefined : Math.max(...times);
}

/** A promotion is about what was there when it was given: a pointer that moved since needs another. */
export function isCovered(pointer: DesiredPointer | undefined, promoted: number | undefined): boolean {
  if (promoted === undefined) return false;
  return pointer === undefined || millisecondsOf(pointer.examined.at) <= promoted;
}

/** Whether a target still stands in the way of others: not after a promotion, but for what failed since. */
export function isObstacle(verdict: PeerVerdict, { pointer }: Peer, promoted: number | undefined): boolean {
  if (verdict.kind === 'in') return false;
  if (promoted === undefined || !isCovered(pointer, promoted)) return true;
  return verdict.kind === 'failed' && verdict.at > promoted;
}
