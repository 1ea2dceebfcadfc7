import { annotations, labels } from '../contract/kubernetes.ts';
import { Retry } from '../errors.ts';
import { describeRef, type ObjectRef } from '../model/object.ts';
import type { ObjectAddress } from '../ports.ts';
import { answered, failed, unanswered, type Effects, type ObjectResult } from './apply-object.ts';

/** Controllers write status all the time: a moved resourceVersion is read again so often. */
const tries = 5;

/** One object to delete: the very one that the plan saw. */
export interface PruneTask {
  readonly key: string;
  readonly ref: ObjectRef;
  readonly address: ObjectAddress;
  readonly uid: string;
  /** Whose inventory it is in. */
  readonly application: string;
  /** The desired object that turned out to be this very one, if any: then it is left alone (rule 6). */
  readonly wantedAs: ObjectRef | undefined;
}

/** What pruning adds to a result: whether the object is surely gone, or none of our business any more. */
export interface PruneResult extends ObjectResult {
  readonly forget: boolean;
}

/** Deletes one object with uid and resourceVersion preconditions. It leaves the inventory only when it is surely gone. */
export async function pruneObject(task: PruneTask, effects: Effects): Promise<PruneResult> {
  if (task.wantedAs !== undefined) return left(task, `is the same object as ${describeRef(task.wantedAs)}`);
  for (let attempt = 1; attempt <= tries; attempt += 1) {
    const live = await answered(effects.cluster.get(task.address));
    if (live instanceof Retry) return { ...unanswered(task, live), forget: false };
    if (live === undefined) return done(task, 'pruned');
    const { uid, resourceVersion, annotations: notes } = live.metadata;
    if (uid !== task.uid) return left(task, 'was replaced by somebody');
    // Taken over since the plan was made: the label is set by the apply that adopts it.
    const owner = live.metadata.labels?.[labels.application] ?? task.application;
    if (owner !== task.application) return left(task, `belongs to the application ${owner} now`);
    if (notes?.[annotations.prune] === 'disabled') {
      return { ...left(task, `its annotation ${annotations.prune} is disabled`), forget: false };
    }
    await effects.mayProceed();
    const outcome = await answered(effects.cluster.delete(task.address, { uid, resourceVersion }));
    if (outcome instanceof Retry) return { ...unanswered(task, outcome), forget: false };
    if (outcome.kind === 'conflict') continue;
    if (outcome.kind === 'refused') return { ...failed(task, 'refused', outcome.message), forget: false };
    return done(task, outcome.kind === 'deleting' ? 'pruning' : 'pruned');
  }
  return { ...failed(task, 'retry', `changed ${tries} times while it was to be deleted`), forget: false };
}

/** `pruning`: accepted, but finalizers or a grace period keep it; it stays in the inventory until it is gone. */
function done({ key, ref }: PruneTask, outcome: 'pruned' | 'pruning'): PruneResult {
  return { key, forget: outcome === 'pruned', outcome: { ref, outcome } };
}

function left({ key, ref }: PruneTask, message: string): PruneResult {
  return { key, forget: true, outcome: { ref, outcome: 'skipped', message: `${message}; left alone` } };
}
