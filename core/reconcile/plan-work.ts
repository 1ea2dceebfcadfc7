import { readEpisodes } from '../episodes.ts';
import { loadDesired } from '../desired-state.ts';
import { refKey, type ObjectRef } from '../model/object.ts';
import {
  addressOf,
  decidePlan,
  definedKinds,
  resolveDesired,
  undesiredEntries,
  type Decision,
  type DesiredState,
  type Resolution,
} from '../plan.ts';
import type { ApiResource, Cluster } from '../ports.ts';
import { isHealable } from '../record.ts';
import { fetchObjects, type Sought } from './fetch-objects.ts';
import { deadlineOf, type RunContext } from './run-context.ts';

/** A decided plan, with the connection that carries it out; undefined where nothing on the cluster is touched. */
export interface PlannedWork {
  readonly decision: Decision;
  readonly desired: Resolution;
  readonly served: readonly ApiResource[];
  readonly cluster: Cluster | undefined;
  /** `group/Kind` to the key of the definition in this set that brings it. */
  readonly definitions: ReadonlyMap<string, string>;
}

/** Loads what is desired, looks at what is there, and decides. Writes nothing. */
export async function planWork(context: RunContext): Promise<PlannedWork> {
  const { deps, goal, request } = context;
  const { target } = request;
  const isGone = goal.pointer.state === 'gone';
  if (isGone && goal.settings.onDelete === 'orphan') return leaveEverything(context);
  const state = isGone
    ? nothing(target.application)
    : await loadDesired(deps, target.application, goal.snapshot);
  const cluster = await deps.clusters.connect(target.cluster, () => deadlineOf(context));
  const served = await cluster.resources();
  const desired = resolveDesired(state, served);
  const sought = desired.refusal === undefined ? soughtIn(context, desired, served) : [];
  const observed = await fetchObjects(cluster, target.application, sought, { metadataOnly: true });
  const decision = decidePlan({ ...(await basisOf(context)), desired, observed });
  return { decision, desired, served, cluster, definitions: definitionsIn(state) };
}

/** Nobody is asked: the cluster may be gone as well. */
async function leaveEverything(context: RunContext): Promise<PlannedWork> {
  const desired: Resolution = { objects: [], blocked: [] };
  const decision = decidePlan({ ...(await basisOf(context)), desired, observed: new Map() });
  return { decision, desired, served: [], cluster: undefined, definitions: new Map() };
}

function nothing(application: string): DesiredState {
  return { application, namespace: '', objects: [], origins: {} };
}

async function basisOf({ deps, goal, request, inventory, startedAt }: RunContext) {
  const episodes = Object.entries(await readEpisodes(deps.store, request.target));
  return {
    application: request.target.application,
    state: goal.pointer.state,
    settings: goal.settings,
    entries: inventory.value.entries,
    scope: goal.scope,
    drifted: new Set(episodes.filter(([, episode]) => isHealable(episode)).map(([key]) => key)),
    pruneCap: deps.config.pruneCap,
    confirmPrune: request.confirmPrune,
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
