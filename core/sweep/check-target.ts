import type { StackConfig } from '../contract/config.ts';
import { recordFindings, type EpisodeDeps, type Findings, type Recorded } from '../episodes.ts';
import type { Holds, HoldsDeps } from '../holds.ts';
import { Retry, messageOf } from '../errors.ts';
import { LostSnapshot } from '../lost-snapshot.ts';
import type { TargetCheck } from '../model/check.ts';
import type { TargetMemory } from '../model/memory.ts';
import { isAppliedByItself } from '../model/pin.ts';
import type { RunRequest } from '../model/run.ts';
import type { Target } from '../model/target.ts';
import { isoTime, millisecondsOf } from '../model/time.ts';
import { stuckDeletions } from '../plan.ts';
import type { AuditTrail, Queues, ReferencedValues, Sealer, SopsOpener } from '../ports.ts';
import { countFields, isAlarming } from '../record.ts';
import { authorsOf } from '../who-did.ts';
import { driftIgnored, isPending, judgeTarget } from './judge-target.ts';
import { kindOf, kindOfKey } from './listed-kinds.ts';
import { trialOf } from '../reconcile/judge-trial.ts';
import { lookAtTarget, type Look } from './look-at-target.ts';
import { hookRows } from './extra-objects.ts';
import { nextRun } from './next-run.ts';
import { sameVersions, type AllVersions } from './records.ts';
import { isVersionOnly, rulesDigest } from './rules-digest.ts';
import type { Recalled, SweptCluster, SweptTarget } from './swept-cluster.ts';
import { targetHealth } from './target-health.ts';
import type { TargetState } from './target-state.ts';

export interface CheckDeps extends EpisodeDeps {
  readonly sealer: Sealer;
  readonly sops?: SopsOpener;
  readonly references?: ReferencedValues;
  readonly queues: Queues;
  readonly config: HoldsDeps['config'] & Pick<StackConfig, 'loopBreaker' | 'sweepMinutes'>;
  readonly audit?: AuditTrail | undefined;
}

/** What a check gave: the entry for the target, and what to remember of it; nothing new when that is absent. */
export interface Checked {
  readonly check: TargetCheck;
  readonly memory?: TargetMemory;
}

/** A target whose objects were looked at, before it is known whether a run was at work meanwhile. */
export interface Looked {
  readonly one: SweptTarget;
  readonly state: TargetState;
  readonly look: Look;
  readonly full: boolean;
}

const reconciling = { sync: 'Reconciling', reason: 'a run is at work' } as const;

/**
 * Looks at one target: drift of everything in its inventory, extra objects, health. `full`: every object is compared,
 * whatever is remembered of it. Gives the check itself where there is nothing to conclude. Throws Retry when the cluster
 * does not answer, LostSnapshot where there is nothing to compare with.
 */
export async function beginCheck(
  deps: CheckDeps,
  swept: SweptCluster,
  one: SweptTarget,
  state: TargetState,
  { recalled, full }: { readonly recalled: ReadonlyMap<string, Recalled>; readonly full: boolean },
): Promise<Looked | Checked> {
  const { memory, previous } = one;
  const revision = appliedRevision(state);
  if (state.busy) return { check: unjudged(deps, revision, previous, reconciling) };
  try {
    const isSameRules = memory?.rulesDigest === rulesDigest(state);
    const known = { recalled: isSameRules ? recalled : new Map<string, Recalled>(), full };
    const look = await lookAtTarget({ ...deps, now: deps.clock.now() }, swept, state, known);
    return { one, state, look, full: full || known.recalled.size === 0 };
  } catch (error) {
    // Of what is lost the sweep tells, for all targets at once.
    if (error instanceof Retry || error instanceof LostSnapshot) throw error;
    const verdict = { sync: 'Unknown', reason: messageOf(error) } as const;
    return { check: unjudged(deps, revision, previous, verdict) };
  }
}

/**
 * Judges what was seen of a target, records it, and asks for a run where one is needed. Only a run writes to the cluster.
 * `after`: versions of all records since then; where they moved, what was seen means nothing.
 */
export async function concludeCheck(
  deps: CheckDeps,
  swept: SweptCluster,
  { one: { target, versions, previous }, state, look, full }: Looked,
  after: AllVersions,
): Promise<Checked> {
  const revision = appliedRevision(state);
  if (!sameVersions(versions, after.get(target.application)))
    return { check: unjudged(deps, revision, previous, reconciling) };
  const now = deps.clock.now();
  const drifted = [...look.drifts.values()].filter((drift) => isAlarming(countFields(drift))).length;
  const holds = await swept.holds();
  const verdict = judgeTarget(state, { ...look, drifted, holds }, now);
  const isDrifting = look.drifts.size > 0 || swept.drifting.has(target.application);
  const recorded = isDrifting ? await record(deps, swept, state, look, previous) : undefined;
  await askForRun(deps, state, { look, previous, healable: recorded?.healable ?? false, holds });
  await askForWatch(deps, state, now);
  const isPartial = verdict.sync === 'Unknown' && verdict.reason !== driftIgnored;
  const healths = [...look.objects.values()].flatMap(({ health }) => health ?? []);
  const stuck = stuckDeletions(state.inventory ?? { entries: {} }, now);
  const fullAt = full && !isPartial ? isoTime(now) : previous?.fullAt;
  const check: TargetCheck = {
    at: isPartial ? lastSeen(deps, previous) : isoTime(now),
    ...verdict,
    drifted,
    revision,
    ...targetHealth([...healths, ...stuck]),
    ...(isPartial && { triedAt: isoTime(now) }),
    ...(fullAt !== undefined && { fullAt }),
  };
  const settling = { isDrifting, holds, isWatched: isOnTrial(state, now) };
  return { check, memory: memoryOf(versions, state, look, { ...verdict, revision }, settling) };
}

/** An entry that says nothing new: when it was last looked at stays, so that its age goes on growing. */
export function unjudged(
  deps: Pick<CheckDeps, 'clock'>,
  revision: number,
  previous: TargetCheck | undefined,
  verdict: Pick<TargetCheck, 'sync' | 'reason'>,
): TargetCheck {
  return {
    at: lastSeen(deps, previous),
    triedAt: isoTime(deps.clock.now()),
    ...verdict,
    drifted: previous?.drifted ?? 0,
    revision,
    ...(verdict.sync === 'Unknown'
      ? { health: 'Unknown', healthMessage: verdict.reason }
      : { health: previous?.health ?? 'Unknown', healthMessage: previous?.healthMessage ?? '' }),
    ...(previous?.fullAt !== undefined && { fullAt: previous.fullAt }),
  };
}

/** While there was no complete check yet: when the target was first seen. */
function lastSeen({ clock }: Pick<CheckDeps, 'clock'>, previous: TargetCheck | undefined): string {
  return previous?.at ?? isoTime(clock.now());
}

export function appliedRevision({ inventory }: Pick<TargetState, 'inventory'>): number {
  return inventory?.applied?.revision ?? 0;
}

interface Settling {
  readonly isDrifting: boolean;
  readonly holds: Holds;
  /** Its revision may be rolled back yet: an alarm that rings changes no record. */
  readonly isWatched: boolean;
}

function memoryOf(
  records: TargetMemory['records'],
  state: TargetState,
  look: Look,
  settled: NonNullable<TargetMemory['settled']>,
  { isDrifting, holds, isWatched }: Settling,
): TargetMemory {
  const objects = [...look.objects.values()]
    .map(({ memory }) => memory)
    .filter((memory) => memory !== undefined);
  const { intervalSeconds } = state.pointer.settings;
  const isClean = !isDrifting && look.unknown.length === 0;
  const hooks = state.inventory === undefined ? [] : hookRows(state.inventory);
  const isKnown = objects.length === Object.keys(state.inventory?.entries ?? {}).length;
  return {
    records,
    rulesDigest: rulesDigest(state),
    versionOnly: isVersionOnly(state),
    ...(intervalSeconds !== undefined && { intervalSeconds }),
    ...(isClean && isKnown && !isWatched && isSettled(state, settled.sync, holds) && { settled }),
    objects,
    ...(hooks.length > 0 && { hooks }),
  };
}

/** Whether nothing but its objects, and nothing that time alone brings about, could give a sweep something to do. */
function isSettled({ pointer, inventory }: TargetState, sync: TargetCheck['sync'], holds: Holds): boolean {
  if (pointer.pin !== undefined || pointer.state === 'gone' || inventory?.waiting !== undefined) return false;
  const last = inventory?.lastRun;
  const isManual = !isAppliedByItself(pointer) && last?.outcome === 'applied';
  // What is said of a pending commit names what holds it back, which ends without a record of its own.
  const { freeze, schedule = [] } = pointer.settings;
  const isTimed = [...freeze, ...schedule, ...holds.freeze, ...(holds.suspensions?.active ?? [])].length > 0;
  return sync === 'Synced' || (sync === 'Pending' && isManual && !isTimed);
}

/**
 * Judged are the objects that were compared, those that nobody desires any more, and extra ones that are gone: these only
 * where their kind was listed, or is served no more.
 */
async function record(
  deps: CheckDeps,
  swept: SweptCluster,
  { pointer, inventory }: TargetState,
  look: Look,
  previous: TargetCheck | undefined,
): Promise<Recorded> {
  const { target, repository } = pointer;
  const entries = inventory?.entries ?? {};
  const isListed = (key: string): boolean =>
    swept.labelled.kinds.has(kindOfKey(key)) || !swept.served.some((kind) => kindOf(kind) === kindOfKey(key));
  const isJudged = (key: string): boolean => {
    const entry = entries[key];
    if (entry?.kept !== undefined) return true;
    return (
      look.objects.get(key)?.judged ?? (entry === undefined && look.unknown.length === 0 && isListed(key))
    );
  };
  const inOrderAt = previous?.at ?? inventory?.applied?.at;
  const { drifts } = look;
  const whoDid = authors(deps, swept, { target, drifts }, inOrderAt);
  const { loopBreaker, sweepMinutes } = deps.config;
  const periodMs = Math.max(pointer.settings.intervalSeconds ?? 0, sweepMinutes * 60) * 1000;
  return recordFindings(deps, {
    target,
    repository,
    drifts,
    isJudged,
    loopBreaker,
    periodMs,
    whoDid,
    inOrderAt,
  });
}

/** Nobody is named where there is no audit log. `since`: when the objects were last known to be in order. */
function authors(
  { audit, clock }: CheckDeps,
  { served }: SweptCluster,
  { target, drifts }: Pick<Look, 'drifts'> & { readonly target: Target },
  since: string | undefined,
): Findings['whoDid'] {
  if (audit === undefined) return undefined;
  const until = clock.now();
  return authorsOf({
    trail: audit,
    target,
    drifts: drifts.values(),
    since: since === undefined ? until : millisecondsOf(since),
    until,
    pluralOf: (ref) => served.find(({ group, kind }) => group === ref.group && kind === ref.kind)?.plural,
  });
}

function isOnTrial({ pointer, inventory }: TargetState, now: number): boolean {
  return trialOf(pointer, inventory, now).kind === 'trial';
}

/** A revision in its window looks after itself as long as no message is lost. */
async function askForWatch(deps: CheckDeps, state: TargetState, now: number): Promise<void> {
  const { pin, target } = state.pointer;
  const isUnsaid = pin?.rejects !== undefined && pin.rejects.told !== true;
  if (!isUnsaid && !isOnTrial(state, now)) return;
  await deps.queues.runLater({ version: 1, target, reason: 'watch', requestedBy: 'sweep' }, 0);
}

async function askForRun(
  deps: CheckDeps,
  state: TargetState,
  found: {
    readonly look: Look;
    readonly previous: TargetCheck | undefined;
    readonly healable: boolean;
    readonly holds: Holds;
  },
): Promise<void> {
  const { look, previous, healable, holds } = found;
  const needs = {
    pending: isPending(state, look.unfinished),
    // A partial check does not say whether it was; one message too many finds nothing to do.
    wasPending: previous?.sync === 'Pending' || previous?.sync === 'Unknown',
    healable,
    rotated: look.rotations.length > 0,
    holds,
  };
  const reason = nextRun(state, needs, deps.clock.now());
  if (reason === undefined) return;
  const { target } = state.pointer;
  const request: RunRequest = {
    version: 1,
    target,
    reason,
    requestedBy: 'sweep',
    // What goes on with a revision is traced to its push.
    ...(reason === 'heal' && deps.trace && { trace: deps.trace }),
    ...(reason === 'rotation' && {
      secretVersions: Object.fromEntries(look.rotations.map(({ place, current }) => [place, current])),
    }),
  };
  // Not through the target's FIFO group: the message of a run that died still blocks that for minutes.
  await deps.queues.runLater(request, 0);
}
