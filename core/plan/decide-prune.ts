import { annotations, labels } from '../contract/kubernetes.ts';
import type { Settings } from '../model/desired.ts';
import type { InventoryEntry } from '../model/inventory.ts';
import { describeRef } from '../model/object.ts';
import type { LiveObject, ObjectRef } from '../model/object.ts';
import type { PlannedAction } from '../model/plan.ts';
import { cameOfIntent } from './settle-intent.ts';

/** One object to delete. Its uid was seen by this plan: an object of the same name that comes later is another one. */
export interface PruneStep {
  readonly key: string;
  readonly entry: InventoryEntry;
  readonly uid: string;
}

interface Candidate {
  readonly key: string;
  readonly entry: InventoryEntry;
  readonly live: LiveObject | undefined;
  /** The application whose inventory this is. */
  readonly application: string;
  /** What would go with it, if it is a Namespace or a definition, and must stay. */
  readonly holds: ObjectRef | undefined;
  /** Uids that desired objects resolve to. */
  readonly wantedUids: ReadonlyMap<string, ObjectRef>;
  readonly settings: Pick<Settings, 'prune' | 'onDelete'>;
  readonly state: 'present' | 'gone';
}

interface PruneDecision {
  readonly key: string;
  readonly action: PlannedAction;
  readonly step?: PruneStep;
  readonly forget: boolean;
}

/**
 * What becomes of an object of the inventory that nothing desires any more (rules 6 and 7). Everything that speaks
 * against deleting it comes first; what is left was created or adopted by us and is still that same object.
 */
export function decidePrune(candidate: Candidate): PruneDecision {
  const { key, entry, live, state } = candidate;
  const { ref } = entry;
  const forget = (why: string): PruneDecision => ({
    key,
    action: { action: 'orphan', ref, why },
    forget: true,
  });
  const reason = reasonToForget(candidate);
  if (reason !== undefined) return forget(reason);
  if (live === undefined) return forget('is not on the cluster any more');
  if (live.metadata.annotations?.[annotations.prune] === 'disabled') {
    const why = `is kept: its annotation ${annotations.prune} is disabled`;
    return { key, action: { action: 'leave', ref, why }, forget: false };
  }
  if (candidate.holds !== undefined) {
    const why = `is kept: deleting it would delete ${describeRef(candidate.holds)}, which stays`;
    return { key, action: { action: 'leave', ref, why }, forget: false };
  }
  const why = state === 'gone' ? 'the application is gone from Git' : 'is gone from Git';
  const { uid } = live.metadata;
  return { key, action: { action: 'prune', ref, why }, step: { key, entry, uid }, forget: false };
}

function reasonToForget(candidate: Candidate): string | undefined {
  const { entry, live, wantedUids, settings, state, application } = candidate;
  if (state === 'gone' && settings.onDelete === 'orphan') {
    return 'the application is gone from Git and its onDelete is orphan';
  }
  if (state === 'present' && !settings.prune) return 'is gone from Git, and prune is off';
  if (live === undefined) return undefined;
  const { uid } = live.metadata;
  const owner = newOwner(live, application);
  if (owner !== undefined) return `belongs to the application ${owner} now`;
  const wanted = wantedUids.get(uid);
  if (wanted !== undefined) return `is the same object as ${describeRef(wanted)}, which is desired`;
  if (entry.uid === undefined) {
    return cameOfIntent(entry, live) ? undefined : 'exists, and nothing proves that we created it';
  }
  if (entry.uid !== uid) return 'was replaced by somebody: the object of that name is another one now';
  return entry.created || entry.adopted ? undefined : 'existed before us and was never adopted';
}

/** The application that took the object over, by our label on it; another application's object is not ours to delete. */
function newOwner({ metadata }: LiveObject, application: string): string | undefined {
  const owner = metadata.labels?.[labels.application];
  return owner === application ? undefined : owner;
}
