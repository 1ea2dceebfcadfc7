import type { StackConfig } from '../contract/config.ts';
import { driftOfExtra } from '../drift/object-drift.ts';
import type { Mask } from '../drift/shown-value.ts';
import { recordFindings, type EpisodeDeps, type Findings, type Recorded } from '../episodes.ts';
import { Retry, messageOf } from '../errors.ts';
import { inBatches } from '../in-batches.ts';
import type { TargetCheck } from '../model/check.ts';
import type { ObjectDrift } from '../model/drift.ts';
import { refKey, refOf, type ObjectRef } from '../model/object.ts';
import type { RunRequest } from '../model/run.ts';
import { isoTime, millisecondsOf } from '../model/time.ts';
import type { Target } from '../model/target.ts';
import type { ApiResource, AuditTrail, Cluster, Queues, Sealer } from '../ports.ts';
import { authorsOf } from '../who-did.ts';
import { Policy } from '../policy.ts';
import { countFields, isAlarming } from '../record.ts';
import { appliedObjects, type AppliedObjects } from './applied-objects.ts';
import { stuckDeletions, type ResolvedObject } from '../plan.ts';
import { checkObject, type CheckContext, type ObjectCheck } from './check-object.ts';
import { extraObjects, kindOf, type LabelledObjects } from './extra-objects.ts';
import { driftIgnored, isPending, judgeTarget } from './judge-target.ts';
import { nextRun } from './next-run.ts';
import { targetHealth } from './target-health.ts';
import { hasMoved, readTargetState, type TargetState } from './target-state.ts';

export interface CheckDeps extends EpisodeDeps {
  readonly sealer: Sealer;
  readonly queues: Queues;
  readonly config: Pick<StackConfig, 'loopBreaker'>;
  readonly audit?: AuditTrail | undefined;
}

/** One cluster as a sweep sees it: a connection, and what holds for all of its targets. */
export interface SweptCluster {
  readonly cluster: Cluster;
  readonly served: readonly ApiResource[];
  readonly labelled: LabelledObjects;
  /** Keys and uids of every inventory of the cluster. */
  readonly known: ReadonlySet<string>;
  readonly uids: ReadonlySet<string>;
  /** Applications with open episodes. */
  readonly drifting: ReadonlySet<string>;
  readonly mask: Mask;
}

const objectsAtOnce = 10;

/** What was seen of a target's objects, by object key. */
interface Look {
  readonly applied: AppliedObjects;
  readonly checks: ReadonlyMap<string, readonly [ObjectRef, ObjectCheck]>;
  readonly drifts: ReadonlyMap<string, ObjectDrift>;
  readonly unknown: readonly string[];
  /** The rules watch at least one object, or there is none. */
  readonly watched: boolean;
}

/**
 * Checks one target exactly: drift of everything in its inventory, extra objects, health; records it, and asks for a
 * run where one is needed. Only a run writes to the cluster. Undefined when there is nothing left to check.
 * Throws Retry when the cluster does not answer.
 */
export async function checkTarget(
  deps: CheckDeps,
  swept: SweptCluster,
  target: Target,
  previous: TargetCheck | undefined,
): Promise<TargetCheck | undefined> {
  const before = await readTargetState(deps, target);
  if (before === undefined) return undefined;
  if (before.busy)
    return unjudged(deps, before, previous, { sync: 'Reconciling', reason: 'a run is at work' });
  try {
    const look = await lookAt(deps, swept, before);
    const after = await readTargetState(deps, target);
    const moved = hasMoved(before, after);
    const findings = { ...look, unfinished: look.applied.unfinished, drifted: alarmingIn(look), moved };
    const verdict = judgeTarget(before, findings);
    if (moved) return unjudged(deps, before, previous, verdict);
    const isDrifting = look.drifts.size > 0 || swept.drifting.has(target.application);
    const whoDid = authors(deps, swept, look, previous?.at ?? before.inventory?.applied?.at);
    const recorded = isDrifting ? await record(deps, before, look, whoDid) : undefined;
    await askForRun(deps, before, { look, previous, healable: recorded?.healable ?? false });
    const isPartial = verdict.sync === 'Unknown' && verdict.reason !== driftIgnored;
    const at = isPartial ? lastSeen(deps, previous) : isoTime(deps.clock.now());
    const stuck = stuckDeletions(before.inventory ?? { entries: {} }, deps.clock.now());
    const settings = before.pointer.settings.health;
    const health = targetHealth(expectedIn(look), deps.clock.now(), settings, stuck);
    return { at, ...verdict, drifted: findings.drifted, revision: appliedRevision(before), ...health };
  } catch (error) {
    if (error instanceof Retry) throw error;
    return unjudged(deps, before, previous, { sync: 'Unknown', reason: messageOf(error) });
  }
}

/** An entry that says nothing new: when it was last looked at stays, so that its age goes on growing. */
export function unjudged(
  deps: Pick<CheckDeps, 'clock'>,
  state: Pick<TargetState, 'inventory'>,
  previous: TargetCheck | undefined,
  verdict: Pick<TargetCheck, 'sync' | 'reason'>,
): TargetCheck {
  return {
    at: lastSeen(deps, previous),
    ...verdict,
    drifted: previous?.drifted ?? 0,
    revision: appliedRevision(state),
    ...(verdict.sync === 'Unknown'
      ? { health: 'Unknown', healthMessage: verdict.reason }
      : { health: previous?.health ?? 'Unknown', healthMessage: previous?.healthMessage ?? '' }),
  };
}

/** While there was no complete check yet: when the target was first seen. */
function lastSeen({ clock }: Pick<CheckDeps, 'clock'>, previous: TargetCheck | undefined): string {
  return previous?.at ?? isoTime(clock.now());
}

function appliedRevision({ inventory }: Pick<TargetState, 'inventory'>): number {
  return inventory?.applied?.revision ?? 0;
}

async function lookAt(deps: CheckDeps, swept: SweptCluster, state: TargetState): Promise<Look> {
  const applied = await appliedObjects(deps, state, swept.served);
  const checks = new Map<string, readonly [ObjectRef, ObjectCheck]>();
  const policy = policyOf(state);
  await inBatches(applied.objects, objectsAtOnce, async (desired) => {
    const baseline = state.inventory?.entries[desired.key]?.baseline;
    const check = await checkUnlessRefused(swept, desired, { mask: swept.mask, policy, baseline });
    checks.set(desired.key, [desired.ref, check]);
  });
  const drifts = new Map<string, ObjectDrift>();
  const unknown = [...applied.unknown, ...unlistable(swept, state)];
  for (const [key, [, check]] of checks) {
    if (check.kind === 'drifted') drifts.set(key, check.drift);
    if (check.kind === 'unknown') unknown.push(check.reason);
  }
  for (const live of extrasOf(swept, state)) {
    const drift = driftOfExtra(live, policy);
    if (drift !== undefined) drifts.set(refKey(refOf(live)), drift);
  }
  const { objects } = applied;
  const watched = objects.length === 0 || objects.some(({ object }) => policy.isWatched(object));
  return { applied, checks, drifts, unknown, watched };
}

/** What the Application says, and what people accepted since. */
function policyOf({ pointer, inventory }: TargetState): Policy {
  return new Policy(pointer.settings, inventory?.accepted);
}

/** A read that is forbidden makes one object unknown, not all of them. */
async function checkUnlessRefused(
  { cluster }: SweptCluster,
  desired: ResolvedObject,
  context: CheckContext,
): Promise<ObjectCheck> {
  try {
    return await checkObject(cluster, desired, context);
  } catch (error) {
    if (error instanceof Retry) throw error;
    return { kind: 'unknown', reason: messageOf(error), live: undefined };
  }
}

function extrasOf({ labelled, known, uids }: SweptCluster, { pointer, inventory }: TargetState) {
  // Before its first run nothing of an application is extra: that run adopts what it finds, or asks.
  if (inventory === undefined) return [];
  // The lists are older than this look at the inventory: what a run created since is not extra.
  const all = new Set([...known, ...Object.keys(inventory.entries)]);
  const options = { known: all, uids, prune: pointer.settings.prune };
  return extraObjects(labelled, pointer.target.application, options);
}

function unlistable({ labelled }: SweptCluster, { inventory }: TargetState): string[] {
  const kinds = new Set(Object.values(inventory?.entries ?? {}).map(({ ref }) => kindOf(ref)));
  return [...labelled.failed].flatMap(([kind, reason]) => (kinds.has(kind) ? [reason] : []));
}

/** Whoever ignores an object does not miss it either. */
function expectedIn({ checks }: Look): readonly (readonly [ObjectRef, ObjectCheck])[] {
  return [...checks.values()].filter(([, { kind, live }]) => kind !== 'ignored' || live !== undefined);
}

function alarmingIn({ drifts }: Look): number {
  return [...drifts.values()].filter((drift) => isAlarming(countFields(drift))).length;
}

/** Judged are the objects that were compared, and those that nobody expects any more: extra ones that are gone. */
async function record(
  deps: CheckDeps,
  { pointer, inventory }: TargetState,
  look: Look,
  whoDid: Findings['whoDid'],
): Promise<Recorded> {
  const { target } = pointer;
  const entries = inventory?.entries ?? {};
  const isJudged = (key: string): boolean => {
    const check = look.checks.get(key)?.[1];
    return check === undefined
      ? entries[key] === undefined && look.unknown.length === 0
      : check.kind !== 'unknown';
  };
  const { loopBreaker } = deps.config;
  return recordFindings(deps, { target, drifts: look.drifts, isJudged, loopBreaker, whoDid });
}

/** Nobody is named where there is no audit log. `since`: when the objects were last known to be in order. */
function authors(
  { audit, clock }: CheckDeps,
  { served }: SweptCluster,
  { drifts }: Look,
  since: string | undefined,
): Findings['whoDid'] {
  if (audit === undefined) return undefined;
  const until = clock.now();
  return authorsOf({
    trail: audit,
    drifts: drifts.values(),
    since: since === undefined ? until : millisecondsOf(since),
    until,
    pluralOf: (ref) => served.find(({ group, kind }) => group === ref.group && kind === ref.kind)?.plural,
  });
}

async function askForRun(
  deps: CheckDeps,
  state: TargetState,
  {
    look,
    previous,
    healable,
  }: {
    readonly look: Look;
    readonly previous: TargetCheck | undefined;
    readonly healable: boolean;
  },
): Promise<void> {
  const needs = {
    pending: isPending(state, look.applied.unfinished),
    // A partial check does not say whether it was; one message too many finds nothing to do.
    wasPending: previous?.sync === 'Pending' || previous?.sync === 'Unknown',
    healable,
  };
  const reason = nextRun(state, needs, deps.clock.now());
  if (reason === undefined) return;
  const { target } = state.pointer;
  const request: RunRequest = { version: 1, target, reason, requestedBy: 'sweep' };
  // Not through the target's FIFO group: the message of a run that died still blocks that for minutes.
  await deps.queues.runLater(request, 0);
}
