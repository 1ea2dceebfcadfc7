import type { Effects } from '../apply.ts';
import { annotations, labels } from '../contract/kubernetes.ts';
import { Blocked, Retry } from '../errors.ts';
import { healthOf } from '../health.ts';
import { isGoing } from '../model/deletion.ts';
import type { HookState } from '../model/inventory.ts';
import { describeRef, type KubeObject, type LiveObject } from '../model/object.ts';
import type { HealthCheck } from '../model/rule.ts';
import { cameOfIntent, type ResolvedObject } from '../plan.ts';
import type { ApplyOutcome, ObjectAddress } from '../ports.ts';
import { Waiting } from './waiting.ts';

/** Controllers write status all the time: a moved resourceVersion is read again so often. */
const tries = 5;
const pauseMs = 500;
/** How long a run waits for an old object to go, before it lets another run go on. */
const looksForGone = 8;

/** What hooks need of the world, and the health checks of their application. */
export interface HookEffects extends Pick<Effects, 'cluster' | 'clock' | 'mayProceed'> {
  readonly checks: readonly HealthCheck[];
}

/** `running`: it was created, or had been by a run that died; `failed`: only a commit or a person helps. */
type Started =
  | { readonly kind: 'running'; readonly uid: string; readonly created: boolean }
  | { readonly kind: 'failed'; readonly message: string };

/** What one look at a hook gave; `open` may still end. */
export interface HookLook {
  readonly state: 'open' | 'succeeded' | 'failed';
  readonly message: string;
  readonly live: LiveObject | undefined;
}

export function hookName({ phase, ref }: Pick<HookState, 'phase' | 'ref'>): string {
  return `${phase} hook ${describeRef(ref)}`;
}

/** Marks the object of a hook with the intent that it came of: a run that follows one that died knows it again. */
function markOf({ revision, at }: HookState): string {
  return `${revision} ${at}`;
}

/**
 * Whether an object came of this very intent, and not of an earlier revision or of somebody else. A mark alone proves
 * nothing before its uid is noted: the run may have died after it wrote into what somebody else had just created.
 */
function cameOf(state: HookState, live: LiveObject): boolean {
  const { annotations: notes, uid } = live.metadata;
  if (notes?.[annotations.hookRun] !== markOf(state)) return false;
  return state.uid === undefined ? cameOfIntent({ intendedAt: state.at }, live) : state.uid === uid;
}

interface Replacing {
  readonly mayReplace: boolean;
  /** Objects that came of hooks, as the inventory knows them. */
  readonly hookUids: ReadonlySet<string>;
  /** The object that was part of the state until Git made it a hook, where the run may prune it. */
  readonly stateUid: string | undefined;
}

/** Creates the object of a hook whose intent is noted; one of an earlier run is deleted first, if that is allowed. */
export async function startHook(
  { object, address }: Pick<ResolvedObject, 'object' | 'address'>,
  state: HookState,
  replacing: Replacing,
  effects: HookEffects,
): Promise<Started> {
  const live = await effects.cluster.get(address);
  if (live !== undefined && cameOf(state, live)) {
    return { kind: 'running', uid: live.metadata.uid, created: false };
  }
  if (live !== undefined) {
    const refusal = replaceRefusal(live, object, replacing);
    if (refusal !== undefined) return { kind: 'failed', message: refusal };
    await removeHook(state, address, live.metadata.uid, effects);
    await awaitGone(state, address, effects);
  }
  await effects.mayProceed();
  const options = { dryRun: false, force: false, createOnly: true };
  const outcome = await effects.cluster.apply(address, marked(object, state), options);
  if (outcome.kind !== 'conflict') return startedBy(state, outcome);
  // A request whose answer was lost may have been sent again.
  const met = await effects.cluster.get(address);
  if (met === undefined) return startedBy(state, outcome);
  return cameOf(state, met)
    ? { kind: 'running', uid: met.metadata.uid, created: true }
    : { kind: 'failed', message: 'somebody created an object of that name in between; rename one' };
}

function marked(object: KubeObject, state: HookState): KubeObject {
  const { metadata } = object;
  const notes = { ...metadata.annotations, [annotations.hookRun]: markOf(state) };
  return { ...object, metadata: { ...metadata, annotations: notes } };
}

function startedBy(state: HookState, outcome: ApplyOutcome): Started {
  if (outcome.kind === 'applied') return { kind: 'running', uid: outcome.object.metadata.uid, created: true };
  if (outcome.kind === 'invalid') return { kind: 'failed', message: outcome.message };
  const early = outcome.kind === 'absent' && state.phase === 'pre';
  const advice = early ? '; pre hooks run before all that their application brings' : '';
  const fault = { subject: hookName(state), message: `was not created: ${outcome.message}${advice}` };
  // Rights and quotas are given without a commit; a namespace, or what somebody else writes, takes a moment.
  throw outcome.kind === 'refused' ? new Blocked(fault) : new Retry(fault);
}

/** Whether an object came of a hook whose run died before it could note its uid: the mark alone may be on theirs. */
function cameOfHook(live: LiveObject): boolean {
  const [, intendedAt] = (live.metadata.annotations?.[annotations.hookRun] ?? '').split(' ');
  return cameOfIntent({ intendedAt }, live);
}

function replaceRefusal(
  live: LiveObject,
  object: KubeObject,
  { mayReplace, hookUids, stateUid }: Replacing,
): string | undefined {
  const { annotations: notes, labels: own, uid } = live.metadata;
  const isLabelled = own?.[labels.application] === object.metadata.labels?.[labels.application];
  const wasState = uid === stateUid && notes?.[annotations.prune] === undefined;
  if (!isLabelled || !(wasState || hookUids.has(uid) || cameOfHook(live))) {
    return 'an object of that name exists already and is no hook of this application; rename one';
  }
  // Deleted after it ended, in the foreground, it stays until its Pods are gone.
  if (mayReplace || isGoing(live)) return undefined;
  return `its object of an earlier run is still there; delete it, or let ${annotations.hookDelete} hold before`;
}

/** Looks at a hook that was created. */
export async function lookAtHook(
  state: HookState,
  address: ObjectAddress,
  { cluster, clock, checks }: HookEffects,
): Promise<HookLook> {
  const live = await cluster.get(address);
  if (live === undefined || !cameOf(state, live)) {
    const message =
      'its object is gone, and nobody saw how it ended; let no ttlSecondsAfterFinished below 300 delete it';
    return { state: 'failed', message, live: undefined };
  }
  const { status, reason, message } = healthOf(live, clock.now(), checks);
  const words = [status, reason, message].filter((text) => text !== '').join(': ');
  const ended = status === 'Healthy' ? 'succeeded' : status === 'Degraded' ? 'failed' : 'open';
  return { state: ended, message: words, live };
}

/** Deletes the object that came of a hook, if it is still that very one. Needs no object to be there. */
export async function cleanUpHook(
  state: HookState,
  address: ObjectAddress,
  effects: HookEffects,
): Promise<void> {
  const live = await effects.cluster.get(address);
  if (live !== undefined && cameOf(state, live)) await removeHook(state, address, live.metadata.uid, effects);
}

async function removeHook(
  state: HookState,
  address: ObjectAddress,
  uid: string,
  { cluster, mayProceed }: HookEffects,
): Promise<void> {
  const subject = hookName(state);
  for (let attempt = 1; attempt <= tries; attempt += 1) {
    const live = await cluster.get(address);
    if (live === undefined || live.metadata.uid !== uid) return;
    if (live.metadata['deletionTimestamp'] !== undefined) return;
    await mayProceed();
    const { resourceVersion } = live.metadata;
    // Gone is the object only when its Pods are: a migration of an older revision must not run beside the next one.
    const options = { propagation: 'Foreground' } as const;
    const outcome = await cluster.delete(address, { uid, resourceVersion }, options);
    if (outcome.kind === 'refused') {
      throw new Blocked({ subject, message: `its old object was not deleted: ${outcome.message}` });
    }
    if (outcome.kind !== 'conflict') return;
  }
  throw new Retry({ subject, message: `its object changed ${tries} times while it was to be deleted` });
}

async function awaitGone(state: HookState, address: ObjectAddress, effects: HookEffects): Promise<void> {
  for (let look = 0; look < looksForGone; look += 1) {
    if ((await effects.cluster.get(address)) === undefined) return;
    await effects.mayProceed();
    await effects.clock.sleep(pauseMs);
  }
  const message = 'its object of an earlier run is being deleted';
  // Nobody goes on with a revision that failed: its fail hooks come again with the whole run alone.
  if (state.phase === 'fail') throw new Retry({ subject: hookName(state), message });
  throw new Waiting('order', `waits for ${hookName(state)}: ${message}`);
}
