import type { StackConfig } from './contract/config.ts';
import type { Settings } from './model/desired.ts';
import type { InventoryEntry } from './model/inventory.ts';
import type { LiveObject } from './model/object.ts';
import type { Plan, PlannedAction } from './model/plan.ts';
import type { ApiResource, ObjectAddress } from './ports.ts';
import { decideApply, type ApplyScope, type ApplyStep } from './plan/decide-apply.ts';
import { decidePrune, type PruneStep } from './plan/decide-prune.ts';
import { heldBy, type KeptObject } from './plan/held-by.ts';
import { pruneRefusal } from './plan/prune-cap.ts';
import type { Resolution } from './plan/resolve-desired.ts';

export { definedKinds } from './plan/defined-kinds.ts';
export { resolveDesired } from './plan/resolve-desired.ts';
export type { DesiredState, Resolution, ResolvedObject } from './plan/resolve-desired.ts';
export type { ApplyScope, ApplyStep } from './plan/decide-apply.ts';
export type { PruneStep } from './plan/decide-prune.ts';

/** Everything that a plan depends on. */
export interface PlanInput {
  readonly application: string;
  readonly desired: Resolution;
  /** `gone`: the application left Git or the cluster left its selector; then nothing is desired. */
  readonly state: 'present' | 'gone';
  readonly settings: Settings;
  readonly entries: Readonly<Record<string, InventoryEntry>>;
  /** Object key to what the cluster has; undefined when it was looked for and is not there. */
  readonly observed: ReadonlyMap<string, LiveObject | undefined>;
  readonly scope: ApplyScope;
  /** Object keys with an open drift episode. */
  readonly drifted: ReadonlySet<string>;
  readonly pruneCap: StackConfig['pruneCap'];
  /** As many as a person agreed to lose. */
  readonly confirmPrune?: number | undefined;
  /** ISO 8601, noted in new intents. */
  readonly at: string;
}

/** The plan for people and records, and what to do with each object for the stages after. */
export interface Decision {
  readonly plan: Plan;
  readonly apply: readonly ApplyStep[];
  readonly prune: readonly PruneStep[];
  /** Keys that leave the inventory while their objects are left alone. */
  readonly forget: readonly string[];
}

/** Inventory entries that need a look at the cluster although nothing desires them: candidates for pruning. */
export function undesiredEntries(
  { objects, blocked }: Resolution,
  entries: Readonly<Record<string, InventoryEntry>>,
): ReadonlyMap<string, InventoryEntry> {
  const wanted = new Set(objects.map(({ key }) => key));
  // The scope of a kind that is not served is unknown: whatever it may have been called is not lost.
  const mayBe = ({ ref }: InventoryEntry): boolean =>
    blocked.some(
      (action) =>
        action.ref.group === ref.group && action.ref.kind === ref.kind && action.ref.name === ref.name,
    );
  return new Map(Object.entries(entries).filter(([key, entry]) => !wanted.has(key) && !mayBe(entry)));
}

/** Where an object of the inventory is found without its manifest, whatever version of its kind is served by now. */
export function addressOf(
  { apiVersion, plural, ref }: InventoryEntry,
  served: readonly ApiResource[],
): ObjectAddress {
  const { namespace, name } = ref;
  const versions = served.filter(({ group, kind }) => group === ref.group && kind === ref.kind);
  const [first] = versions.map(({ group, version }) => (group === '' ? version : `${group}/${version}`));
  const isServed = versions.some(
    ({ group, version }) => apiVersion === (group === '' ? version : `${group}/${version}`),
  );
  return { apiVersion: isServed ? apiVersion : (first ?? apiVersion), plural, namespace, name };
}

/** Decides what to do with each object, and why. Pure: it can be printed, stored and tested without a cluster. */
export function decidePlan(input: PlanInput): Decision {
  const { desired, entries, observed } = input;
  const applied = desired.objects.map((object) => decideApply(object, input));
  const wantedUids = new Map(
    desired.objects.flatMap(({ key, ref }) => {
      const uid = observed.get(key)?.metadata.uid;
      return uid === undefined ? [] : [[uid, ref] as const];
    }),
  );
  const candidates = [...undesiredEntries(desired, entries)];
  const { application, settings, state } = input;
  const decide = (key: string, entry: InventoryEntry, kept: readonly KeptObject[]) =>
    decidePrune({
      key,
      entry,
      application,
      live: observed.get(key),
      holds: heldBy(entry, kept),
      wantedUids,
      settings,
      state,
    });
  // What stays is known first: a Namespace or a definition takes along whatever is in it.
  const left = candidates.filter(([key, entry]) => decide(key, entry, []).action.action === 'leave');
  const kept = [
    ...desired.objects.map(({ ref, address }) => ({ ref, plural: address.plural })),
    ...left.map(([, { ref, plural }]) => ({ ref, plural })),
  ];
  const undesired = candidates.map(([key, entry]) => decide(key, entry, kept));
  const prune = undesired.flatMap(({ step }) => step ?? []);
  const actions: PlannedAction[] = [
    ...applied.map(({ action }) => action),
    ...desired.blocked,
    ...undesired.map(({ action }) => action),
  ];
  const refusal = desired.refusal ?? emptyRefusal(input) ?? pruneRefusal(prune.length, input);
  const plan = { actions, ...(refusal !== undefined && { refusal }) };
  return {
    plan,
    apply: applied.flatMap(({ step }) => step ?? []),
    prune,
    forget: undesired.flatMap(({ key, forget }) => (forget ? [key] : [])),
  };
}

/** Rule 6: a render that gave nothing never empties a target; only a deleted Application does. */
function emptyRefusal({ state, desired, entries }: PlanInput): string | undefined {
  const nothing = desired.objects.length === 0 && desired.blocked.length === 0;
  if (state === 'gone' || !nothing || Object.keys(entries).length === 0) return undefined;
  return 'the snapshot holds no objects, and the target has some; to remove them all, delete the Application';
}
