import type { StackConfig } from './contract/config.ts';
import type { Settings } from './model/desired.ts';
import type { InventoryEntry } from './model/inventory.ts';
import type { LiveObject } from './model/object.ts';
import type { Plan, PlannedAction } from './model/plan.ts';
import type { Policy } from './policy.ts';
import type { ApiResource, ObjectAddress } from './ports.ts';
import { decideApply, type ApplyDecision, type ApplyScope, type ApplyStep } from './plan/decide-apply.ts';
import { actionOf, type Candidate, type PruneStep } from './plan/decide-prune.ts';
import { pruneRefusal } from './plan/prune-cap.ts';
import type { ResolvedObject, Resolution } from './plan/resolve-desired.ts';
import { isInGrace, judgeUndesired, notesOf, unmarked, type Judged } from './plan/undesired.ts';

export { definedKinds } from './plan/defined-kinds.ts';
export { resolveDesired } from './plan/resolve-desired.ts';
export type { DesiredState, Resolution, ResolvedObject } from './plan/resolve-desired.ts';
export type { ApplyScope, ApplyStep } from './plan/decide-apply.ts';
export type { PruneStep } from './plan/decide-prune.ts';
export { cameOfIntent, isBornOfIntent } from './plan/settle-intent.ts';
export { pruneDue, stuckDeletions, waitingToGo } from './plan/two-phase.ts';

/** Everything that a plan depends on. */
export interface PlanInput {
  readonly application: string;
  /** Which Git it follows. */
  readonly repository: string;
  readonly desired: Resolution;
  /** `gone`: the application left Git or the cluster left its selector; then nothing is desired. */
  readonly state: 'present' | 'gone';
  readonly settings: Settings;
  /** With the rules that came after Git; default: what the settings say. */
  readonly policy?: Policy;
  readonly entries: Readonly<Record<string, InventoryEntry>>;
  /** Object key to what the cluster has; undefined when it was looked for and is not there. */
  readonly observed: ReadonlyMap<string, LiveObject | undefined>;
  readonly scope: ApplyScope;
  /** Object keys with an open drift episode. */
  readonly drifted: ReadonlySet<string>;
  readonly pruneCap: StackConfig['pruneCap'];
  /** As many as a person agreed to lose. */
  readonly confirmPrune?: number | undefined;
  /** Nothing is pruned, and what would be stays in the inventory. */
  readonly keepUndesired?: boolean | undefined;
  /** Why nothing is pruned now, though it will be: a freeze, in words. */
  readonly pruneFrozen?: string | undefined;
  /** ISO 8601, noted in new intents. */
  readonly at: string;
  /** Entries of other applications that gave their object up to this one, by its key here. */
  readonly handedOver?: ReadonlyMap<string, InventoryEntry>;
  /** Uids of objects that came of hooks of this application: ours, should they be desired as state now. */
  readonly hookUids?: ReadonlySet<string>;
  /** Object key to why another application comes first: the object is blocked, whatever may be adopted. */
  readonly rivals?: ReadonlyMap<string, string>;
  /** Object key to whose an untracked object is, in words, for one that is blocked. */
  readonly owners?: ReadonlyMap<string, string>;
  /** Keys of undesired objects to why another application may desire them. */
  readonly claims?: ReadonlyMap<string, string>;
  /** Keys of undesired Namespaces and definitions to what other applications have in them. */
  readonly contents?: ReadonlyMap<string, string>;
}

/** The plan for people and records, and what to do with each object for the stages after. */
export interface Decision {
  readonly plan: Plan;
  readonly apply: readonly ApplyStep[];
  readonly prune: readonly PruneStep[];
  /** Keys that leave the inventory while their objects are left alone. */
  readonly forget: readonly string[];
  /** Keys that another application may want, if it was not asked yet: what goes, and what is given up. */
  readonly claimable: readonly string[];
  /** Entries to note before anything is done: why they are kept, or that they are desired again. */
  readonly notes: Readonly<Record<string, InventoryEntry>>;
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
  const { desired, entries } = input;
  const applied = desired.objects.map((object) => decideOwned(object, input));
  const { judged, confirmed } = judgeUndesired(candidatesIn(input), {
    desired: desired.objects.map(({ ref, address }) => ({ ref, plural: address.plural })),
    contents: input.contents ?? new Map(),
    confirmPrune: input.confirmPrune,
    repository: input.repository,
  });
  const prune = judged.flatMap((one) => pruneStep(one, confirmed));
  const actions: PlannedAction[] = [
    ...applied.map(({ action }) => action),
    ...desired.blocked,
    ...judged.map(({ candidate, decision }) => actionOf(decision, candidate.entry)),
  ];
  const refusal = desired.refusal ?? emptyRefusal(input, judged) ?? pruneRefusal(prune.length, input);
  const apply = applied.flatMap(({ step }) => step ?? []);
  const isApplied = new Set(apply.map(({ desired: { key } }) => key));
  const wantedAgain = desired.objects.flatMap(({ key }): [string, InventoryEntry][] => {
    const entry = entries[key];
    const isMarked = entry?.markedAt !== undefined || entry?.kept !== undefined;
    return isMarked && !isApplied.has(key) ? [[key, unmarked(entry)]] : [];
  });
  return {
    plan: { actions, ...(refusal !== undefined && { refusal }) },
    apply: apply.map((step) => ({ ...step, entry: unmarked(step.entry) })),
    prune,
    forget: judged.flatMap(({ decision: { key, kind } }) => (kind === 'forget' ? [key] : [])),
    claimable: judged.flatMap((one) => (isClaimable(one) ? [one.candidate.key] : [])),
    notes: Object.fromEntries([...wantedAgain, ...notesOf(judged)]),
  };
}

/** What another application of this installation still desires is not ours to apply, even where adoption is allowed. */
function decideOwned(object: ResolvedObject, input: PlanInput): ApplyDecision {
  const { key, ref } = object;
  const rival = input.rivals?.get(key);
  if (rival !== undefined) return { action: { action: 'blocked', ref, why: rival } };
  const decision = decideApply(object, input);
  const owner = decision.action.action === 'blocked' ? input.owners?.get(key) : undefined;
  if (owner === undefined) return decision;
  return { ...decision, action: { ...decision.action, why: `${owner}; ${decision.action.why}` } };
}

function candidatesIn(input: PlanInput): readonly Candidate[] {
  const { desired, entries, observed, application, settings, state, at } = input;
  const wantedUids = new Map(
    desired.objects.flatMap(({ key, ref }) => {
      const uid = observed.get(key)?.metadata.uid;
      return uid === undefined ? [] : [[uid, ref] as const];
    }),
  );
  return [...undesiredEntries(desired, entries)].map(([key, entry]) => ({
    key,
    entry,
    live: observed.get(key),
    isSought: observed.has(key),
    application,
    wantedUids,
    claim: input.claims?.get(key),
    isKept: input.keepUndesired === true,
    frozen: input.pruneFrozen,
    settings,
    state,
    at,
  }));
}

function pruneStep({ candidate, decision }: Judged, confirmed: boolean): PruneStep[] {
  if (decision.kind !== 'delete') return [];
  const { key, uid } = decision;
  return [{ key, entry: unmarked(candidate.entry), uid, confirmed }];
}

/** What goes, what is given up, and what was never marked before: the wait for a mark needs no other look. */
function isClaimable({ candidate: { entry }, decision }: Judged): boolean {
  if (decision.kind === 'forget') return decision.claimable;
  return decision.kind === 'delete' || (decision.because === 'grace' && entry.markedAt === undefined);
}

/** Rule 6: a render that gave nothing never empties a target; only a deleted Application does. */
function emptyRefusal({ state, desired }: PlanInput, judged: readonly Judged[]): string | undefined {
  const nothing = desired.objects.length === 0 && desired.blocked.length === 0;
  // What other applications have taken over, or will, is no loss.
  const isLoss = judged.some((one) => isClaimable(one) || isInGrace(one.decision));
  if (state === 'gone' || !nothing || !isLoss) return undefined;
  return 'the snapshot holds no objects, and the target has some; to remove them all, delete the Application';
}
