import { webhookIn } from '../apply/send-object.ts';
import { driftOfExtra } from '../drift/object-drift.ts';
import { Retry, messageOf } from '../errors.ts';
import { hasHealth, missing } from '../health.ts';
import { inBatches } from '../in-batches.ts';
import type { ObjectDrift } from '../model/drift.ts';
import type { ObjectHealth } from '../model/health.ts';
import type { InventoryEntry } from '../model/inventory.ts';
import type { ObjectMemory } from '../model/memory.ts';
import { describeRef, refKey, refOf, type ObjectRef } from '../model/object.ts';
import type { Rotation } from '../model/secret-reference.ts';
import type { ResolvedObject } from '../plan.ts';
import { Policy } from '../policy.ts';
import type { Cluster } from '../ports.ts';
import type { OpenDeps } from '../desired-state.ts';
import { appliedObjects } from './applied-objects.ts';
import { checkObject, type ObjectCheck } from './check-object.ts';
import { counts, hookRows } from './extra-objects.ts';
import { digestOfMetadata, glance } from './glance.ts';
import { kindOf, kindOfKey } from './listed-kinds.ts';
import { isTimed, recallHealth, rememberHealth } from './remembered-health.ts';
import { desiredDigest } from './rules-digest.ts';
import type { Recalled, SweptCluster } from './swept-cluster.ts';
import { objectHealth } from './target-health.ts';
import type { TargetState } from './target-state.ts';
import { lossOf } from './why-lost.ts';

/** What a check found of one object. */
export interface ObjectLook {
  /** False where it could not be compared. */
  readonly judged: boolean;
  /** Undefined where nobody expects it to be there. */
  readonly health: ObjectHealth | undefined;
  /** Set for an object that is clean, and of a kind that can be remembered. */
  readonly memory: ObjectMemory | undefined;
}

/** What was seen of a target, by object key. */
export interface Look {
  readonly objects: ReadonlyMap<string, ObjectLook>;
  readonly drifts: ReadonlyMap<string, ObjectDrift>;
  readonly unfinished: readonly string[];
  /** Why the look is partial, in words; empty when everything was judged. */
  readonly unknown: readonly string[];
  /** The rules watch at least one object, or there is none. */
  readonly watched: boolean;
  /** Values that were rotated since they were applied: a change that waits. */
  readonly rotations: readonly Rotation[];
}

export interface LookDeps extends OpenDeps {
  /** Milliseconds since the epoch. */
  readonly now: number;
}

const objectsAtOnce = 16;

/** What a look at one target goes by. */
interface Looking {
  readonly deps: LookDeps;
  readonly swept: SweptCluster;
  readonly state: TargetState;
  readonly policy: Policy;
  /** Of the objects that were clean by the rules of now. */
  readonly recalled: ReadonlyMap<string, Recalled>;
  readonly full: boolean;
  /** Why the cluster as a whole does not answer; undefined while it does. */
  readonly whyLost: () => Promise<string | undefined>;
  /** Kinds of which one object had no answer in time, with what was said: the others would wait as long. */
  readonly hanging: Map<string, string>;
}

/**
 * Looks at every object of a target: those that metadata shows to be unchanged since a clean check are taken as such, all
 * others are compared exactly; with `full` all are. Throws Retry when the cluster does not answer.
 */
export async function lookAtTarget(
  deps: LookDeps,
  swept: SweptCluster,
  state: TargetState,
  known: { readonly recalled: ReadonlyMap<string, Recalled>; readonly full: boolean },
): Promise<Look> {
  const policy = new Policy(state.pointer.settings, state.inventory?.accepted);
  const hanging = new Map<string, string>();
  const looking: Looking = { deps, swept, state, policy, ...known, whyLost: lossOf(swept.cluster), hanging };
  const objects = new Map<string, ObjectLook>();
  const drifts = new Map<string, ObjectDrift>();
  const entries = Object.entries(state.inventory?.entries ?? {});
  const unchanged = known.full ? [] : entries.filter(([key, entry]) => isUnchanged(looking, key, entry));
  await inBatches(unchanged, objectsAtOnce, async ([key, entry]) => {
    objects.set(key, await lookAgain(looking, key, entry));
  });
  const applied = await appliedObjects(deps, state, swept, new Set(objects.keys()));
  const unknown = [...applied.unknown, ...unlistable(swept, state)];
  await inBatches(applied.objects, objectsAtOnce, async (desired) => {
    const check = await checkUnlessRefused(looking, desired);
    if (check.kind === 'drifted') drifts.set(desired.key, check.drift);
    if (check.kind === 'unknown') unknown.push(check.reason);
    const { memory, ...look } = lookOf(looking, desired, check);
    // What is not as it should be is looked at by every sweep, though it is as it was applied.
    objects.set(desired.key, { ...look, memory: applied.rotations.has(desired.key) ? undefined : memory });
  });
  for (const live of extrasOf(looking)) {
    const drift = driftOfExtra(live, policy);
    if (drift !== undefined) drifts.set(refKey(refOf(live)), drift);
  }
  // What nobody watches is never remembered.
  const isNone = entries.length === 0 || (unchanged.length === 0 && applied.objects.length === 0);
  const watched =
    isNone || unchanged.length > 0 || applied.objects.some(({ object }) => policy.isWatched(object));
  const { unfinished, rotations } = applied;
  return { objects, drifts, unknown, watched, unfinished, rotations: [...rotations.values()].flat() };
}

function isUnchanged({ recalled }: Looking, key: string, entry: InventoryEntry): boolean {
  const known = recalled.get(key);
  if (known === undefined || known.glance === 'suspect') return false;
  return entry.state === 'applied' && entry.kept === undefined && known.memory[5] === desiredDigest(entry);
}

/** An object that is clean: its health is what it was, unless it was written to, or time may have changed it. */
async function lookAgain(
  looking: Looking,
  key: string,
  { ref, apiVersion, plural }: InventoryEntry,
): Promise<ObjectLook> {
  const { deps, swept, state, recalled } = looking;
  const known = recalled.get(key);
  if (known?.resourceVersion === undefined)
    return { judged: false, health: { ref, ...missing }, memory: undefined };
  const { memory, resourceVersion } = known;
  const [, uid, , generation, metadataDigest, digest, health] = memory;
  if (known.glance === 'same' && !isTimed(health)) {
    return { judged: true, health: { ref, ...recallHealth(health) }, memory };
  }
  const remembered = (text: string): ObjectMemory => [
    key,
    uid,
    resourceVersion,
    generation,
    metadataDigest,
    digest,
    text,
  ];
  const checks = state.pointer.settings.health;
  if (!hasHealth(ref, checks)) {
    return { judged: true, health: { ref, ...recallHealth('') }, memory: remembered('') };
  }
  const { namespace, name } = ref;
  const whole = await orRefused(looking, ref, async () =>
    swept.reader.read(key, { apiVersion, plural, namespace, name }),
  );
  if (typeof whole === 'string') {
    return { judged: true, health: { ref, status: 'Unknown', reason: 'NotRead', message: whole }, memory };
  }
  if (whole === undefined) return { judged: true, health: { ref, ...missing }, memory: undefined };
  const text = rememberHealth(whole, deps.now, checks);
  return { judged: true, health: { ref, ...recallHealth(text) }, memory: remembered(text) };
}

/** A read that is forbidden, or a webhook that does not answer, makes one object unknown, not all of them. */
async function orRefused<T>(
  { hanging, whyLost }: Looking,
  ref: ObjectRef,
  ask: () => Promise<T>,
): Promise<T | string> {
  const said = hanging.get(kindOf(ref));
  if (said !== undefined) return `${describeRef(ref)} was not asked for: ${said}`;
  try {
    return await ask();
  } catch (error) {
    if (!(error instanceof Retry) || webhookIn(error) !== undefined) return messageOf(error);
    if (!error.timedOut || (await whyLost()) !== undefined) throw error;
    hanging.set(kindOf(ref), error.message);
    return `${describeRef(ref)}: ${error.message}; an admission webhook of its kind may not answer`;
  }
}

async function checkUnlessRefused(looking: Looking, desired: ResolvedObject): Promise<ObjectCheck> {
  const { swept, state, policy } = looking;
  const baseline = state.inventory?.entries[desired.key]?.baseline;
  const check = await orRefused(looking, desired.ref, async () =>
    checkObject(await viewOf(looking, desired), desired, { mask: swept.mask, policy, baseline }),
  );
  return typeof check === 'string' ? { kind: 'unknown', reason: check, live: undefined } : check;
}

/** The cluster for one object: its first read may come out of a list, and dry runs have the application's own rights. */
async function viewOf(
  { swept, state }: Looking,
  { key }: ResolvedObject,
): Promise<Pick<Cluster, 'get' | 'apply'>> {
  const { impersonate } = state.pointer.settings;
  const writer = impersonate === undefined ? swept.cluster : await swept.as(impersonate);
  let isFirst = true;
  return {
    get: async (address) => {
      if (!isFirst) return swept.cluster.get(address);
      isFirst = false;
      return swept.reader.read(key, address);
    },
    apply: async (address, object, options) => writer.apply(address, object, options),
  };
}

function lookOf(looking: Looking, { key, ref }: ResolvedObject, check: ObjectCheck): ObjectLook {
  const { deps, swept, state } = looking;
  const { health: checks } = state.pointer.settings;
  const health = objectHealth(ref, check, deps.now, checks);
  noteMissed(looking, key, check);
  const judged = check.kind !== 'unknown';
  const entry = state.inventory?.entries[key];
  const canRemember = swept.labelled.kinds.get(kindOf(ref))?.remembered !== undefined;
  if (check.kind !== 'clean' || entry === undefined || !canRemember) {
    return { judged, health, memory: undefined };
  }
  const { live } = check;
  const { uid, resourceVersion, generation = 0 } = live.metadata;
  const memory: ObjectMemory = [
    key,
    uid,
    resourceVersion,
    generation,
    digestOfMetadata(live, swept.mask),
    desiredDigest(entry),
    rememberHealth(live, deps.now, checks),
  ];
  return { judged, health, memory };
}

/** An exact check that finds drift in what a glance calls clean: the memory of this cluster is worth nothing. */
function noteMissed({ swept, recalled, state }: Looking, key: string, check: ObjectCheck): void {
  const known = recalled.get(key);
  const entry = state.inventory?.entries[key];
  if (check.kind !== 'drifted' || check.live === undefined || known === undefined || entry === undefined)
    return;
  if (known.glance === 'suspect' || known.memory[5] !== desiredDigest(entry)) return;
  // It may have been changed since it was listed.
  const kind = swept.labelled.kinds.get(kindOf(entry.ref))?.remembered;
  const again = glance(known.memory, check.live, { kind, versionOnly: known.versionOnly, mask: swept.mask });
  if (again !== 'suspect') swept.missed.push(describeRef(entry.ref));
}

function extrasOf({ swept, state: { pointer, inventory } }: Looking) {
  // Before its first run nothing of an application is extra: that run adopts what it finds, or asks.
  if (inventory === undefined) return [];
  const { prune } = pointer.settings;
  const extras = swept.extras.get(pointer.target.application) ?? [];
  const known = new Set([...Object.keys(inventory.entries), ...hookRows(inventory).flat()]);
  return extras.filter((live) => counts(live, { known, prune }));
}

/** Extra objects are of kinds that the inventory may not have: while one has an open episode, its kind counts too. */
function unlistable({ labelled, openExtras }: SweptCluster, { pointer, inventory }: TargetState): string[] {
  const kinds = new Set(Object.values(inventory?.entries ?? {}).map(({ ref }) => kindOf(ref)));
  for (const key of openExtras.get(pointer.target.application) ?? []) kinds.add(kindOfKey(key));
  return [...labelled.failed].flatMap(([kind, reason]) => (kinds.has(kind) ? [reason] : []));
}
