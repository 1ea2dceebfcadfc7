import { annotations, labels } from '../contract/kubernetes.ts';
import { isGoing } from '../model/deletion.ts';
import type { Settings } from '../model/desired.ts';
import type { InventoryEntry } from '../model/inventory.ts';
import { describeRef } from '../model/object.ts';
import type { LiveObject, ObjectRef } from '../model/object.ts';
import type { PlannedAction } from '../model/plan.ts';
import { isPrecious } from '../model/precious-kinds.ts';
import { isBornOfIntent } from './settle-intent.ts';
import { dueAt } from './two-phase.ts';

/** One object to delete. Its uid was seen by this plan: an object of the same name that comes later is another one. */
export interface PruneStep {
  readonly key: string;
  readonly entry: InventoryEntry;
  readonly uid: string;
  /** A person agreed to lose it: its annotation asks for that. */
  readonly confirmed: boolean;
}

/** What a candidate is judged by. */
export interface Candidate {
  readonly key: string;
  readonly entry: InventoryEntry;
  readonly live: LiveObject | undefined;
  /** Whether the cluster was asked at all: it is not where everything is left alone. */
  readonly isSought: boolean;
  /** The application whose inventory this is. */
  readonly application: string;
  /** Uids that desired objects resolve to. */
  readonly wantedUids: ReadonlyMap<string, ObjectRef>;
  /** Why another application may desire it, in a sentence: then it is handed over, not deleted. */
  readonly claim: string | undefined;
  /** Whoever asked for the run wants nothing pruned. */
  readonly isKept: boolean;
  /** Why nothing is pruned for now. */
  readonly frozen?: string | undefined;
  readonly settings: Pick<Settings, 'prune' | 'onDelete'>;
  readonly state: 'present' | 'gone';
  /** ISO 8601. */
  readonly at: string;
}

type Because = NonNullable<InventoryEntry['kept']>['because'];

/**
 * What becomes of an object that nothing desires. `keep`: it stays in the inventory, and on the cluster.
 * `claimable` says that another application might want it.
 */
export type PruneDecision = { readonly key: string; readonly why: string } & (
  | { readonly kind: 'forget'; readonly claimable: boolean }
  | { readonly kind: 'keep'; readonly because: Because; readonly markedAt?: string | undefined }
  | { readonly kind: 'delete'; readonly uid: string }
);

/**
 * What becomes of an object of the inventory that nothing desires any more (rules 6 and 7). Everything that speaks
 * against deleting it comes first; what is left was created or adopted by us and is still that same object.
 * `confirmed`: a person agreed to lose it, at once.
 */
export function decidePrune(candidate: Candidate, confirmed: boolean): PruneDecision {
  const { key, entry, live, claim } = candidate;
  const none = (why: string): PruneDecision => ({ key, kind: 'forget', why, claimable: false });
  const reason = reasonToForget(candidate);
  if (reason !== undefined) return none(reason);
  if (claim !== undefined) return { key, kind: 'keep', because: 'hand-over', why: `is kept: ${claim}` };
  const policy = policyToForget(candidate);
  if (policy !== undefined) return { key, kind: 'forget', why: policy, claimable: true };
  if (live === undefined) return none('is not on the cluster any more');
  if (candidate.isKept) {
    return {
      key,
      kind: 'keep',
      because: 'request',
      why: `${whyGone(candidate)}; it is kept until a run may prune`,
    };
  }
  if (candidate.frozen !== undefined && !isGoing(live)) {
    return {
      key,
      kind: 'keep',
      because: 'freeze',
      why: `${whyGone(candidate)}; it stays for now: ${candidate.frozen}`,
    };
  }
  const protection = live.metadata.annotations?.[annotations.prune];
  if (protection === 'disabled') {
    const why = `is kept: its annotation ${annotations.prune} is disabled`;
    return { key, kind: 'keep', because: 'protection', why };
  }
  if (protection === 'confirm' && !confirmed && !isGoing(live)) {
    const why = `is kept: its annotation ${annotations.prune} asks for a person's confirmation`;
    return { key, kind: 'keep', because: 'confirmation', why };
  }
  const begun = isGoing(live) || entry.state === 'deleting';
  if (isPrecious(entry.ref) && !confirmed && !begun) {
    const { markedAt = candidate.at } = entry;
    const due = dueAt(markedAt);
    if (candidate.at < due) {
      const why = `${whyGone(candidate)}; it is deleted after ${due} unless it is desired again by then`;
      return { key, kind: 'keep', because: 'grace', why, markedAt };
    }
  }
  return { key, kind: 'delete', why: whyGone(candidate), uid: live.metadata.uid };
}

function whyGone({ state }: Candidate): string {
  return state === 'gone' ? 'the application is gone from Git' : 'is gone from Git';
}

/** Kept for what is in it: a Namespace takes its content along, a definition its instances. */
export function keptFor(key: string, markedAt: string | undefined, held: string): PruneDecision {
  const why = `is kept: deleting it would delete ${held}, which stays`;
  return { key, kind: 'keep', because: 'content', why, markedAt };
}

/** The line of the plan for one decision. */
export function actionOf(decision: PruneDecision, { ref, markedAt }: InventoryEntry): PlannedAction {
  const { why } = decision;
  if (decision.kind === 'forget') return { action: 'orphan', ref, why };
  if (decision.kind === 'delete') return { action: 'prune', ref, why };
  const isNew = decision.because === 'grace' && markedAt === undefined;
  return { action: isNew ? 'mark' : 'leave', ref, why };
}

/** What the application says of everything that leaves it. */
function policyToForget({ settings, state }: Candidate): string | undefined {
  if (state === 'gone' && settings.onDelete === 'orphan') {
    return 'the application is gone from Git and its onDelete is orphan';
  }
  return state === 'present' && !settings.prune ? 'is gone from Git, and prune is off' : undefined;
}

/** Whether it is none of our business any more, or never was. */
function reasonToForget(candidate: Candidate): string | undefined {
  const { entry, live, wantedUids, application, isSought } = candidate;
  if (live === undefined) return isSought ? 'is not on the cluster any more' : undefined;
  const { uid } = live.metadata;
  const owner = newOwner(live, application);
  if (owner !== undefined) return `belongs to the application ${owner} now`;
  const wanted = wantedUids.get(uid);
  if (wanted !== undefined) return `is the same object as ${describeRef(wanted)}, which is desired`;
  if (entry.uid === undefined) {
    return isBornOfIntent(application, entry, live)
      ? undefined
      : 'exists, and nothing proves that we created it';
  }
  // Deleted and made again by a run that died: the intent proves that the new one is ours too.
  if (entry.uid !== uid && entry.state === 'intent' && isBornOfIntent(application, entry, live))
    return undefined;
  if (entry.uid !== uid) return 'was replaced by somebody: the object of that name is another one now';
  // Told to adopt it, and never came to apply it: giving that up must not cost anybody the object.
  const isAdopted = entry.adopted && entry.desiredDigest !== undefined;
  return entry.created || isAdopted ? undefined : 'existed before us and was never adopted';
}

/** The application that took the object over, by our label on it; another application's object is not ours to delete. */
function newOwner({ metadata }: LiveObject, application: string): string | undefined {
  const owner = metadata.labels?.[labels.application];
  return owner === application ? undefined : owner;
}
