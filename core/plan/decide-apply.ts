import { annotations, labels } from '../contract/kubernetes.ts';
import type { Settings } from '../model/desired.ts';
import type { InventoryEntry } from '../model/inventory.ts';
import { describeRef, type LiveObject } from '../model/object.ts';
import type { PlannedAction } from '../model/plan.ts';
import type { DriftMode } from '../model/rule.ts';
import { describeRotation, rotationsBetween } from '../model/secret-reference.ts';
import { Policy } from '../policy.ts';
import type { ResolvedObject } from './resolve-desired.ts';
import { isBornOfIntent } from './settle-intent.ts';

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
  /** Only for drift: what is merely observed stays as it is. */
  readonly heals?: true;
}

export interface ApplyDecision {
  readonly action: PlannedAction;
  readonly step?: ApplyStep;
}

interface Circumstances {
  readonly application: string;
  readonly settings: Pick<Settings, 'drift' | 'adopt' | 'rules'>;
  /** With the rules that came after Git; default: what the settings say. */
  readonly policy?: Policy | undefined;
  readonly entries: Readonly<Record<string, InventoryEntry>>;
  readonly observed: ReadonlyMap<string, LiveObject | undefined>;
  readonly scope: ApplyScope;
  readonly drifted: ReadonlySet<string>;
  /** Objects that other applications give up for this one, with their entries there. */
  readonly handedOver?: ReadonlyMap<string, InventoryEntry> | undefined;
  /** Uids of objects that came of hooks of this application. */
  readonly hookUids?: ReadonlySet<string> | undefined;
  readonly at: string;
}

/** What becomes of one desired object. */
export function decideApply(desired: ResolvedObject, circumstances: Circumstances): ApplyDecision {
  const live = circumstances.observed.get(desired.key);
  const entry = circumstances.entries[desired.key];
  if (live === undefined) return whenAbsent(desired, entry, circumstances);
  if (entry === undefined) return whenUntracked(desired, live, circumstances);
  if (entry.uid === undefined) return whenIntended(desired, live, entry, circumstances);
  if (entry.uid !== live.metadata.uid) return whenReplaced(desired, live, entry, circumstances);
  return whenTracked(desired, live, entry, circumstances);
}

function whenAbsent(
  desired: ResolvedObject,
  entry: InventoryEntry | undefined,
  circumstances: Circumstances,
): ApplyDecision {
  const { scope, at } = circumstances;
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
  const { settings, policy = new Policy(settings) } = circumstances;
  const mode = policy.forMissing(desired.object);
  if (scope === 'all') return create('is missing on the cluster');
  if (mode === 'heal') return healing(create('is missing on the cluster'));
  return leave(desired, `is missing on the cluster; drift is ${leftBecause[mode]}`);
}

/** An object that exists already: ours under another name, given to us, to be adopted, or none of our business. */
function whenUntracked(
  desired: ResolvedObject,
  live: LiveObject,
  circumstances: Circumstances,
): ApplyDecision {
  const { uid } = live.metadata;
  const { at } = circumstances;
  const former = Object.values(circumstances.entries).find((entry) => entry.uid === uid);
  if (former !== undefined) {
    const why = `is the same object as ${describeRef(former.ref)} of another API group`;
    return act('update', desired, why, inherited(desired, former, live, at), live);
  }
  const given = circumstances.handedOver?.get(desired.key);
  if (given !== undefined) {
    const owner = live.metadata.labels?.[labels.application];
    const why = `is handed over by ${owner === undefined ? 'another application' : `the application ${owner}`}`;
    return act('update', desired, why, inherited(desired, given, live, at), live);
  }
  if (circumstances.hookUids?.has(uid) === true) {
    const entry = tracked(desired, { uid, created: true, adopted: false }, at);
    return act('update', desired, 'was created as a hook, and is part of the state now', entry, live);
  }
  return adoptOrAsk(desired, live, circumstances);
}

function whenIntended(
  desired: ResolvedObject,
  live: LiveObject,
  entry: InventoryEntry,
  circumstances: Circumstances,
): ApplyDecision {
  if (isBornOfIntent(circumstances.application, entry, live)) return whenBorn(desired, live, circumstances);
  return whenUntracked(desired, live, circumstances);
}

/** Created, or deleted and made again, by a run that died before it could note the answer. */
function whenBorn(desired: ResolvedObject, live: LiveObject, { at }: Circumstances): ApplyDecision {
  const entry = tracked(desired, { uid: live.metadata.uid, created: true, adopted: false }, at);
  return act('update', desired, 'was created by a run that ended early', entry, live);
}

function adoptOrAsk(
  desired: ResolvedObject,
  live: LiveObject,
  { settings, at }: Circumstances,
): ApplyDecision {
  const { uid } = live.metadata;
  const finding = 'exists already, and nothing proves that we created it';
  if (mayAdopt(desired, settings)) {
    const entry = tracked(desired, { uid, created: false, adopted: true }, at);
    return act('update', desired, `${finding}; it is adopted`, entry, live);
  }
  const owner = live.metadata.labels?.[labels.application];
  const whose = owner === undefined ? '' : ` (its label names the application ${owner})`;
  const why =
    `${finding}${whose}; to take it over, give it the annotation ${annotations.adopt}: allowed in Git, ` +
    'or the Application adopt: true';
  return { action: { action: 'blocked', ref: desired.ref, why } };
}

/** Somebody deleted ours and made one of the same name: it may be written, but it is not ours to prune any more. */
function whenReplaced(
  desired: ResolvedObject,
  live: LiveObject,
  entry: InventoryEntry,
  circumstances: Circumstances,
): ApplyDecision {
  const { settings, at } = circumstances;
  const mode = driftMode(desired, circumstances);
  if (entry.state === 'intent' && isBornOfIntent(circumstances.application, entry, live))
    return whenBorn(desired, live, circumstances);
  const why = 'was replaced by somebody: it has another uid now, and is not ours to prune';
  const reason = reasonToApply(desired, entry, circumstances);
  if (reason === undefined && mode !== 'heal') {
    return leave(desired, `${why}; drift is ${leftBecause[mode]}`);
  }
  const { uid } = live.metadata;
  const taken = tracked(desired, { uid, created: false, adopted: mayAdopt(desired, settings) }, at);
  const decision = act('update', desired, why, taken, live);
  return reason === undefined || isHeal(reason, entry) ? healing(decision) : decision;
}

/** What Git says of the object itself, or of all objects of the application. */
function mayAdopt({ object }: ResolvedObject, { adopt }: Pick<Settings, 'adopt'>): boolean {
  return adopt || object.metadata.annotations?.[annotations.adopt] === 'allowed';
}

function whenTracked(
  desired: ResolvedObject,
  live: LiveObject,
  entry: InventoryEntry,
  circumstances: Circumstances,
): ApplyDecision {
  const why = reasonToApply(desired, entry, circumstances);
  if (why === undefined) return leave(desired, 'is unchanged');
  const intent: InventoryEntry = {
    ...entry,
    ...placeOf(desired),
    state: 'intent',
    intendedAt: circumstances.at,
  };
  const decision = act('update', desired, why, intent, live);
  return isHeal(why, entry) ? healing(decision) : decision;
}

/** What an earlier run left unfinished without a change in Git was a heal, or a sync that comes again as one. */
function isHeal(reason: string, { desiredDigest }: InventoryEntry): boolean {
  return reason === hasDrifted || (reason === unfinished && desiredDigest !== undefined);
}

const hasDrifted = 'has drifted';
const unfinished = 'was not finished by an earlier run';
const leftBecause = { observe: 'only observed', ignore: 'ignored' } as const;

function driftMode({ object }: ResolvedObject, { settings, policy }: Circumstances): DriftMode {
  return (policy ?? new Policy(settings)).forObject(object).drift;
}

function reasonToApply(
  desired: ResolvedObject,
  entry: InventoryEntry,
  circumstances: Circumstances,
): string | undefined {
  const { key, digest, object, versions } = desired;
  const { scope, drifted, settings, policy = new Policy(settings) } = circumstances;
  if (entry.desiredDigest !== digest) return 'changed in Git';
  const rotations = rotationsBetween(entry.secretVersions, versions);
  if (rotations.length > 0) return rotations.map(describeRotation).join('; ');
  if (scope === 'all') return 'is applied again';
  if (entry.state !== 'applied') return unfinished;
  // What a rule for single fields heals is in the list for that alone.
  const mayHeal = policy.hasFieldRules(object) || policy.forObject(object).drift === 'heal';
  return mayHeal && drifted.has(key) ? hasDrifted : undefined;
}

/**
 * An entry of an object that exists: what we know of it holds, whatever becomes of this run. Its time is the proof of
 * what this run makes in its place, where a field can only be changed so.
 */
function tracked(
  desired: ResolvedObject,
  known: Pick<InventoryEntry, 'uid' | 'created' | 'adopted' | 'desiredDigest' | 'baseline'>,
  at: string,
): InventoryEntry {
  return { ref: desired.ref, ...placeOf(desired), state: 'intent', ...known, intendedAt: at };
}

/** What another entry knows of the same object. That it was applied before is part of it: it is adopted only once. */
function inherited(
  desired: ResolvedObject,
  { created, adopted, desiredDigest, baseline }: InventoryEntry,
  live: LiveObject,
  at: string,
): InventoryEntry {
  const known = { uid: live.metadata.uid, created, adopted };
  const applied = { ...(desiredDigest !== undefined && { desiredDigest }), ...(baseline && { baseline }) };
  return tracked(desired, { ...known, ...applied }, at);
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

/** The same, for drift alone. */
function healing({ action, step }: ApplyDecision): ApplyDecision {
  return { action: { ...action, heals: true }, ...(step && { step: { ...step, heals: true } }) };
}

function leave({ ref }: ResolvedObject, why: string): ApplyDecision {
  return { action: { action: 'leave', ref, why } };
}
