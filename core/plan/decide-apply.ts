import { annotations, labels } from '../contract/kubernetes.ts';
import type { Settings } from '../model/desired.ts';
import type { InventoryEntry } from '../model/inventory.ts';
import { describeRef, type LiveObject } from '../model/object.ts';
import type { PlannedAction } from '../model/plan.ts';
import type { ResolvedObject } from './resolve-desired.ts';
import { cameOfIntent } from './settle-intent.ts';

/**
 * Which of the objects that are in order already to apply: none (a push), or all (a person asked for a sync, or the
 * outcome of the last run is not known). Unchanged objects cost the server a full apply each, so a push leaves them:
 * what drifted is in the list of open episodes, what is missing shows in the look that every plan takes.
 */
export type ApplyScope = 'changed' | 'all';

/** One object to apply. */
export interface ApplyStep {
  readonly desired: ResolvedObject;
  readonly action: 'create' | 'update';
  /** The entry as it stands in the inventory before the effect: the intent (rule 1). */
  readonly entry: InventoryEntry;
  /** What was there when it was planned; the resourceVersion tells whether the apply moved anything. */
  readonly live: LiveObject | undefined;
}

export interface ApplyDecision {
  readonly action: PlannedAction;
  readonly step?: ApplyStep;
}

interface Circumstances {
  readonly settings: Pick<Settings, 'drift'>;
  readonly entries: Readonly<Record<string, InventoryEntry>>;
  readonly observed: ReadonlyMap<string, LiveObject | undefined>;
  readonly scope: ApplyScope;
  readonly drifted: ReadonlySet<string>;
  readonly at: string;
}

/** What becomes of one desired object. */
export function decideApply(desired: ResolvedObject, circumstances: Circumstances): ApplyDecision {
  const live = circumstances.observed.get(desired.key);
  const entry = circumstances.entries[desired.key];
  if (live === undefined) return whenAbsent(desired, entry, circumstances);
  if (entry === undefined) return whenUntracked(desired, live, circumstances);
  if (entry.uid === undefined) return whenIntended(desired, live, entry);
  if (entry.uid !== live.metadata.uid) return whenReplaced(desired, live, entry, circumstances);
  return whenTracked(desired, live, entry, circumstances);
}

function whenAbsent(
  desired: ResolvedObject,
  entry: InventoryEntry | undefined,
  { settings, scope, at }: Circumstances,
): ApplyDecision {
  const intent: InventoryEntry = {
    ref: desired.ref,
    apiVersion: desired.address.apiVersion,
    plural: desired.address.plural,
    state: 'intent',
    created: false,
    adopted: false,
    intendedAt: at,
  };
  const create = (why: string): ApplyDecision => act('create', desired, why, intent, undefined);
  if (entry === undefined) return create('is new');
  if (entry.uid === undefined) return create('was planned before and never created');
  // We deleted it, or died while writing it: that it is missing is no drift of somebody else's making.
  if (entry.state !== 'applied') return create('was not finished by an earlier run');
  if (entry.desiredDigest !== desired.digest) return create('changed in Git, and is missing on the cluster');
  if (scope === 'all' || settings.drift === 'heal') return create('is missing on the cluster');
  return leave(desired, 'is missing on the cluster; drift is only observed');
}

/** An object that exists already: ours under another name, told to be adopted, or none of our business. */
function whenUntracked(desired: ResolvedObject, live: LiveObject, { entries }: Circumstances): ApplyDecision {
  const { uid } = live.metadata;
  const former = Object.values(entries).find((entry) => entry.uid === uid);
  if (former !== undefined) {
    const { created, adopted } = former;
    const why = `is the same object as ${describeRef(former.ref)} of another API group`;
    return act('update', desired, why, tracked(desired, { uid, created, adopted }), live);
  }
  return adoptOrAsk(desired, live, 'exists already and is in no inventory');
}

function whenIntended(desired: ResolvedObject, live: LiveObject, entry: InventoryEntry): ApplyDecision {
  const { uid } = live.metadata;
  if (!cameOfIntent(entry, live))
    return adoptOrAsk(desired, live, 'exists, and nothing proves that we created it');
  const why = 'was created by a run that ended early';
  return act('update', desired, why, tracked(desired, { uid, created: true, adopted: false }), live);
}

function adoptOrAsk(desired: ResolvedObject, live: LiveObject, finding: string): ApplyDecision {
  const { uid } = live.metadata;
  if (mayAdopt(desired)) {
    const entry = tracked(desired, { uid, created: false, adopted: true });
    return act('update', desired, `${finding}; it is adopted`, entry, live);
  }
  const owner = live.metadata.labels?.[labels.application];
  const whose = owner === undefined ? '' : ` (its label names the application ${owner})`;
  const why = `${finding}${whose}; to take it over, give it the annotation ${annotations.adopt}: allowed in Git`;
  return { action: { action: 'blocked', ref: desired.ref, why } };
}

/** Somebody deleted ours and made one of the same name: it may be written, but it is not ours to prune any more. */
function whenReplaced(
  desired: ResolvedObject,
  live: LiveObject,
  entry: InventoryEntry,
  circumstances: Circumstances,
): ApplyDecision {
  const why = 'was replaced by somebody: it has another uid now, and is not ours to prune';
  if (
    reasonToApply(desired, entry, circumstances) === undefined &&
    circumstances.settings.drift === 'observe'
  ) {
    return leave(desired, `${why}; drift is only observed`);
  }
  const { uid } = live.metadata;
  const taken = tracked(desired, { uid, created: false, adopted: mayAdopt(desired) });
  return act('update', desired, why, taken, live);
}

function mayAdopt({ object }: ResolvedObject): boolean {
  return object.metadata.annotations?.[annotations.adopt] === 'allowed';
}

function whenTracked(
  desired: ResolvedObject,
  live: LiveObject,
  entry: InventoryEntry,
  circumstances: Circumstances,
): ApplyDecision {
  const why = reasonToApply(desired, entry, circumstances);
  if (why === undefined) return leave(desired, 'is unchanged');
  return act('update', desired, why, { ...entry, ...placeOf(desired), state: 'intent' }, live);
}

function reasonToApply(
  { key, digest }: ResolvedObject,
  entry: InventoryEntry,
  { scope, settings, drifted }: Circumstances,
): string | undefined {
  if (entry.desiredDigest !== digest) return 'changed in Git';
  if (entry.state !== 'applied') return 'was not finished by an earlier run';
  if (scope === 'all') return 'is applied again';
  return settings.drift === 'heal' && drifted.has(key) ? 'has drifted' : undefined;
}

/** An entry of an object that exists: what we know of it holds, whatever becomes of this run. */
function tracked(
  desired: ResolvedObject,
  known: Pick<InventoryEntry, 'uid' | 'created' | 'adopted'>,
): InventoryEntry {
  return { ref: desired.ref, ...placeOf(desired), state: 'intent', ...known };
}

function placeOf({ address }: ResolvedObject): Pick<InventoryEntry, 'apiVersion' | 'plural'> {
  return { apiVersion: address.apiVersion, plural: address.plural };
}

function act(
  action: 'create' | 'update',
  desired: ResolvedObject,
  reason: string,
  entry: InventoryEntry,
  live: LiveObject | undefined,
): ApplyDecision {
  const why = desired.note === undefined ? reason : `${reason}; ${desired.note}`;
  return { action: { action, ref: desired.ref, why }, step: { desired, action, entry, live } };
}

function leave({ ref }: ResolvedObject, why: string): ApplyDecision {
  return { action: { action: 'leave', ref, why } };
}
