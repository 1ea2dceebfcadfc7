import { annotations, labels } from '../contract/kubernetes.ts';
import { Retry } from '../errors.ts';
import { deletionOf, isGoing } from '../model/deletion.ts';
import type { InventoryEntry } from '../model/inventory.ts';
import { describeRef, type LiveObject, type ObjectRef } from '../model/object.ts';
import type { ObjectAddress } from '../ports.ts';
import { answered, failed, unanswered, type Effects, type ObjectResult } from './object-result.ts';

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
  /** A person agreed to lose it, though its annotation asks first. */
  readonly confirmed: boolean;
  /** The entry as it stands in the inventory while the object goes. */
  readonly entry: InventoryEntry;
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
    const { uid, resourceVersion } = live.metadata;
    if (uid !== task.uid) return left(task, 'was replaced by somebody');
    // Taken over since the plan was made: the label is set by the apply that adopts it.
    const owner = live.metadata.labels?.[labels.application] ?? task.application;
    if (owner !== task.application) return left(task, `belongs to the application ${owner} now`);
    // Deleted already, by an earlier run or by somebody: asking again would change nothing.
    if (isGoing(live)) return pruning(task, live);
    const protection = protectionOf(task, live);
    if (protection !== undefined) return { ...left(task, protection), forget: false, entry: stays(task) };
    await effects.mayProceed();
    const outcome = await answered(effects.cluster.delete(task.address, { uid, resourceVersion }));
    if (outcome instanceof Retry) return { ...unanswered(task, outcome), forget: false };
    if (outcome.kind === 'conflict') continue;
    if (outcome.kind === 'refused') return { ...failed(task, 'refused', outcome.message), forget: false };
    return outcome.kind === 'deleting' ? whatHolds(task, effects) : done(task, 'pruned');
  }
  return { ...failed(task, 'retry', `changed ${tries} times while it was to be deleted`), forget: false };
}

function protectionOf({ confirmed }: PruneTask, { metadata }: LiveObject): string | undefined {
  const wish = metadata.annotations?.[annotations.prune];
  if (wish === 'disabled') return `its annotation ${annotations.prune} is disabled`;
  return wish === 'confirm' && !confirmed
    ? `its annotation ${annotations.prune} asks a person first`
    : undefined;
}

/** The server has accepted the deletion; one more look tells what it waits for. */
async function whatHolds(task: PruneTask, { cluster }: Effects): Promise<PruneResult> {
  const live = await answered(cluster.get(task.address));
  if (live instanceof Retry) return done(task, 'pruning');
  return live?.metadata.uid === task.uid ? pruning(task, live) : done(task, 'pruned');
}

/** Finalizers or a grace period keep it: it stays in the inventory, with what it waits for, until it is gone. */
function pruning(task: PruneTask, live: LiveObject): PruneResult {
  const kept = deletionOf(live);
  if (kept === undefined) return done(task, 'pruning');
  const result = done(task, 'pruning');
  return {
    ...result,
    outcome: { ...result.outcome, message: kept.message },
    entry: { ...task.entry, kept },
  };
}

function done({ key, ref }: PruneTask, outcome: 'pruned' | 'pruning'): PruneResult {
  return { key, forget: outcome === 'pruned', outcome: { ref, outcome } };
}

/** It was to go, and does not: the inventory has it as it was. */
function stays({ entry }: PruneTask): InventoryEntry {
  return { ...entry, state: 'applied' };
}

function left({ key, ref }: PruneTask, message: string): PruneResult {
  return { key, forget: true, outcome: { ref, outcome: 'skipped', message: `${message}; left alone` } };
}
