import { readEpisodes } from '../episodes.ts';
import { loadDesired } from '../desired-state.ts';
import type { Blocked } from '../errors.ts';
import type { InventoryEntry } from '../model/inventory.ts';
import { refKey, type ObjectRef } from '../model/object.ts';
import type { Plan, PlannedAction } from '../model/plan.ts';
import { liveWave } from '../order.ts';
import {
  addressOf,
  definedKinds,
  resolveDesired,
  undesiredEntries,
  type Decision,
  type DesiredState,
  type Resolution,
} from '../plan.ts';
import type { ApiResource, Cluster } from '../ports.ts';
import { isHealable } from '../record.ts';
import { askedAlone } from './asked-alone.ts';
import { inTurns, type OrderedDesired } from './desired-order.ts';
import { observeObjects, type Observed, type Sought } from './fetch-objects.ts';
import { planAmongOthers, type HandOver } from './hand-over.ts';
import { versionsOf, withReferencedValues } from './referenced-values.ts';
import { confinedDecision, withinEnvironment } from './within-environment.ts';
import { withinProject } from './within-project.ts';
import { deadlineOf, holdLease, policyOf, type RunContext } from './run-context.ts';

/** A decided plan, with the connection that carries it out; undefined where nothing on the cluster is touched. */
export interface PlannedWork extends OrderedDesired {
  readonly decision: Decision;
  readonly served: readonly ApiResource[];
  readonly cluster: Cluster | undefined;
  /** `group/Kind` to the key of the definition in this set that brings it. */
  readonly definitions: ReadonlyMap<string, string>;
  /** Keys of objects that are blocked since the cluster does not serve their kind, which may come. */
  readonly unserved: ReadonlySet<string>;
  /** Something is blocked that time may mend: a kind that is not served, a read that is forbidden. */
  readonly mayPass: boolean;
  /** What other applications give up to this one or take over from it; undefined when nothing of the kind is planned. */
  readonly handOver: HandOver | undefined;
  /** File and line of a desired object, where they are known. */
  readonly originOf: (ref: ObjectRef) => string | undefined;
}

/**
 * Loads what is desired, looks at what is there, and decides. Writes nothing. `presumesAbsent`: only what we never had is
 * desired, and most likely is not there; applying it proves that, or throws Met.
 */
export async function planWork(
  context: RunContext,
  { presumesAbsent }: { readonly presumesAbsent: boolean },
): Promise<PlannedWork> {
  const { deps, goal, request, inventory } = context;
  const { target } = request;
  const isGone = goal.pointer.state === 'gone';
  if (isGone && goal.settings.onDelete === 'orphan') return leaveEverything(context);
  const state =
    isGone && Object.keys(inventory.value.entries).length === 0
      ? nothing(target.application)
      : await loadDesired(deps, target.application, goal.snapshot);
  const { impersonate } = goal.settings;
  const cluster = await deps.clusters.connect(target.cluster, () => deadlineOf(context), { impersonate });
  const { served, resolution } = await resolveOn(cluster, state);
  const originOf = (ref: ObjectRef) => originIn(state, ref);
  const { environment: bounds } = goal.settings;
  const confined = withinEnvironment(bounds, resolution);
  const all = inTurns(state, isGone ? resolution : withinProject(context, confined, originOf));
  const turns = isGone ? leavingTurns(context, all, originOf) : all;
  const ordered = await withReferencedValues(context, turns, originOf);
  const sought = ordered.desired.refusal === undefined ? soughtIn(context, ordered.desired, served) : [];
  await holdLease(context);
  // Which hooks are due depends on what is there: installing what is only taken over may cost data.
  const isPresumed = presumesAbsent && ordered.hooks.length === 0;
  const presumed = isPresumed ? sought.filter(({ ref }) => !isOftenThere(ref)) : [];
  const observed = await observeObjects(cluster, target.application, sought, {
    metadataOnly: true,
    presumed: new Set(presumed.map(({ key }) => key)),
  });
  const basis = await basisOf(context);
  const readable = withoutForbidden(ordered.desired, basis.entries, observed);
  const { desired, entries } = readable;
  const input = { ...basis, entries, desired, observed: observed.found };
  await holdLease(context);
  const planned = await planAmongOthers(context, input, { originOf, served, cluster });
  const { application } = target;
  const grounds = { bounds, application, entries, observed: observed.found, isGone };
  const decision = confinedDecision(planned.decision, grounds);
  const { handOver } = planned;
  return {
    ...ordered,
    handOver,
    originOf,
    desired,
    ...(request.only && { hooks: [], unservedHooks: [] }),
    decision: askedAlone(
      request,
      ordered.desired,
      withActions(decision, readable.blocked, versionsOf(ordered)),
    ),
    served,
    cluster,
    definitions: definitionsIn(state),
    waves: new Map([...liveWaves(observed), ...ordered.waves]),
    unserved: new Set(ordered.desired.blocked.map(({ ref }) => refKey(ref))),
    mayPass: ordered.desired.blocked.length > 0 || observed.forbidden.size > 0,
  };
}

/** Others make these too, and a presumption that fails costs another plan. */
function isOftenThere({ group, kind }: ObjectRef): boolean {
  return kind === 'Namespace' || group === 'apiextensions.k8s.io';
}

/** What the process knows of the served kinds may be a moment old: a kind that is missed is asked for again. */
async function resolveOn(
  cluster: Cluster,
  state: DesiredState,
): Promise<{ readonly served: readonly ApiResource[]; readonly resolution: Resolution }> {
  const known = await cluster.resources();
  const resolution = resolveDesired(state, known);
  if (resolution.blocked.length === 0) return { served: known, resolution };
  const served = await cluster.resources({ refresh: true });
  return { served, resolution: resolveDesired(state, served) };
}

/** Nobody is asked: the cluster may be gone as well. */
async function leaveEverything(context: RunContext): Promise<PlannedWork> {
  const desired: Resolution = { objects: [], blocked: [] };
  const input = { ...(await basisOf(context)), desired, observed: new Map() };
  const place = { originOf: () => undefined, served: [], cluster: undefined };
  const { decision, handOver } = await planAmongOthers(context, input, place);
  return {
    decision: askedAlone(context.request, desired, decision),
    handOver,
    originOf: place.originOf,
    desired,
    served: [],
    cluster: undefined,
    definitions: new Map(),
    hooks: [],
    unservedHooks: [],
    waves: new Map(),
    unserved: new Set(),
    mayPass: false,
  };
}

/** The renderer knows an object by the namespace that its file names, if any. */
function originIn({ origins }: DesiredState, ref: ObjectRef): string | undefined {
  return origins[refKey(ref)] ?? origins[refKey({ ...ref, namespace: undefined })];
}

function nothing(application: string): DesiredState {
  return { application, namespace: '', objects: [], origins: {} };
}

async function basisOf(context: RunContext) {
  const { deps, goal, request, inventory, startedAt } = context;
  const episodes = Object.entries(await readEpisodes(deps.store, request.target));
  return {
    application: request.target.application,
    repository: goal.pointer.repository,
    state: goal.pointer.state,
    settings: goal.settings,
    policy: policyOf(context),
    entries: inventory.value.entries,
    hookUids: new Set(Object.values(inventory.value.hooks).flatMap(({ uid }) => uid ?? [])),
    scope: goal.scope,
    drifted: new Set(episodes.filter(([, episode]) => isHealable(episode)).map(([key]) => key)),
    // Of an environment all of it comes and goes with its pull request.
    pruneCap: goal.settings.environment === undefined ? deps.config.pruneCap : noCap,
    confirmPrune: request.confirmPrune,
    keepUndesired: request.only === undefined ? request.keepUndesired : true,
    pruneFrozen: context.pruneFrozen,
    at: startedAt,
  };
}

/** Everything that is desired, and everything that we have and nobody desires. */
function soughtIn({ inventory }: RunContext, desired: Resolution, served: readonly ApiResource[]): Sought[] {
  const { entries } = inventory.value;
  const wanted = desired.objects.map(({ key, ref, address }) => ({
    key,
    ref,
    address,
    ours: key in entries,
  }));
  const others = [...undesiredEntries(desired, entries)].map(([key, entry]) => ({
    key,
    ref: entry.ref,
    address: addressOf(entry, served),
    ours: true,
  }));
  return [...wanted, ...others];
}

const noCap = { percent: 100, objects: Infinity };

type Entries = Readonly<Record<string, InventoryEntry>>;

/** What may be planned for. Objects that we may not read are blocked one by one; no entry of theirs counts as absent. */
interface Readable {
  readonly desired: Resolution;
  readonly entries: Entries;
  /** Actions about entries that nothing desires. */
  readonly blocked: readonly PlannedAction[];
}

function withoutForbidden(desired: Resolution, entries: Entries, { forbidden }: Observed): Readable {
  if (forbidden.size === 0) return { desired, entries, blocked: [] };
  const action = (ref: ObjectRef, refusal: Blocked): PlannedAction => {
    return { action: 'blocked', ref, why: `could not be read: ${refusal.message}` };
  };
  const blocked = desired.objects.flatMap(({ key, ref }) => {
    const refusal = forbidden.get(key);
    return refusal === undefined ? [] : [action(ref, refusal)];
  });
  const objects = desired.objects.filter(({ key }) => !forbidden.has(key));
  const wanted = new Set(desired.objects.map(({ key }) => key));
  const left = Object.entries(entries).filter(([key]) => forbidden.has(key) && !wanted.has(key));
  const known = Object.entries(entries).filter(([key]) => !forbidden.has(key) || wanted.has(key));
  return {
    desired: { ...desired, objects, blocked: [...desired.blocked, ...blocked] },
    entries: Object.fromEntries(known),
    blocked: left.flatMap(([key, { ref }]) => {
      const refusal = forbidden.get(key);
      return refusal === undefined ? [] : [action(ref, refusal)];
    }),
  };
}

function withActions(
  decision: Decision,
  more: readonly PlannedAction[],
  secretVersions: Plan['secretVersions'],
): Decision {
  if (more.length === 0 && secretVersions === undefined) return decision;
  const { plan } = decision;
  const actions = [...plan.actions, ...more];
  return { ...decision, plan: { ...plan, actions, ...(secretVersions && { secretVersions }) } };
}

/** For what nothing desires any more: no snapshot tells its wave, the object itself does. */
function liveWaves({ found }: Observed): readonly (readonly [string, number])[] {
  return [...found].flatMap(([key, live]) => (live === undefined ? [] : [[key, liveWave(live)] as const]));
}

function definitionsIn({ objects }: DesiredState): ReadonlyMap<string, string> {
  return new Map(
    objects.flatMap(({ object }) => {
      const ref: ObjectRef = {
        group: 'apiextensions.k8s.io',
        kind: object.kind,
        name: object.metadata.name,
      };
      return definedKinds(object).map(({ group, kind }) => [`${group}/${kind}`, refKey(ref)] as const);
    }),
  );
}

/** Of an application that Git gave up only hooks are made: those alone are asked for by its project. */
function leavingTurns(
  context: RunContext,
  all: OrderedDesired,
  originOf: (ref: ObjectRef) => string | undefined,
): OrderedDesired {
  const made = { objects: all.hooks.map(({ desired }) => desired), blocked: [] };
  const confined = withinEnvironment(context.goal.settings.environment, made);
  const isAllowed =
    made.objects.length === 0 || withinProject(context, confined, originOf).refusal === undefined;
  return { ...all, desired: { objects: [], blocked: [] }, hooks: isAllowed ? all.hooks : [] };
}
