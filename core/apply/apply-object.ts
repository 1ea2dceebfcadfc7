import { Retry } from '../errors.ts';
import type { InventoryEntry } from '../model/inventory.ts';
import type { KubeObject, LiveObject, ObjectRef } from '../model/object.ts';
import type { ObjectOutcome } from '../model/run.ts';
import type { ApplyOutcome, Clock, Cluster, ObjectAddress } from '../ports.ts';

/** How long an object may wait for the namespace or the definition that this run has just made. */
const waitTries = 20;
const waitMs = 500;
/** Longest wait of a throttled request within the run. */
const shortSeconds = 2;

/** What applying and pruning need of the world. */
export interface Effects {
  readonly cluster: Cluster;
  readonly clock: Clock;
  /** Call before every effect: renews the lease and watches the time. Throws to stop the run. */
  readonly mayProceed: () => Promise<void>;
}

/** One object to apply. */
export interface ApplyTask {
  readonly key: string;
  readonly ref: ObjectRef;
  readonly object: KubeObject;
  readonly digest: string;
  readonly address: ObjectAddress;
  readonly action: 'create' | 'update';
  /** Its intent, as the inventory has it. */
  readonly entry: InventoryEntry;
  readonly live: LiveObject | undefined;
  /** Keys of the namespace and the definition that it needs. */
  readonly needs: readonly string[];
}

/** `invalid`: only a new commit helps; `refused`: a person; `retry`: time. */
export type Failure = 'invalid' | 'refused' | 'retry';

/** What became of one object. `entry` is how the inventory must have it from now on. */
export interface ObjectResult {
  readonly key: string;
  readonly outcome: ObjectOutcome;
  readonly entry?: InventoryEntry;
  readonly live?: LiveObject;
  readonly failure?: Failure;
  /** Set when the server did not answer: many of these in a row mean that the cluster is gone. */
  readonly unanswered?: Retry;
}

/**
 * Applies one object. `awaited`: its namespace or definition is as new as itself, so a 404 is worth a wait. A server
 * that names a short time (throttled, or still opening the storage of a new kind) is taken at its word.
 */
export async function applyObject(
  task: ApplyTask,
  { cluster, clock, mayProceed }: Effects,
  awaited: boolean,
): Promise<ObjectResult> {
  const options = { dryRun: false, force: true } as const;
  for (let attempt = 1; ; attempt += 1) {
    await mayProceed();
    const outcome = await answered(cluster.apply(task.address, task.object, options));
    const pauseMs = attempt < waitTries ? pauseAfter(outcome, awaited) : undefined;
    if (pauseMs !== undefined) await clock.sleep(pauseMs);
    else return outcome instanceof Retry ? unanswered(task, outcome) : resultOf(task, outcome);
  }
}

/** How long to wait before the same object is tried again in this run; undefined when that is for another run. */
function pauseAfter(outcome: ApplyOutcome | Retry, awaited: boolean): number | undefined {
  if (!(outcome instanceof Retry)) return awaited && isTooEarly(outcome) ? waitMs : undefined;
  const { afterSeconds } = outcome;
  return afterSeconds !== undefined && afterSeconds <= shortSeconds ? afterSeconds * 1000 : undefined;
}

/** A kind or namespace not there yet; a new namespace also gets its service account a moment later. */
function isTooEarly(outcome: ApplyOutcome): boolean {
  if (outcome.kind === 'absent') return true;
  return outcome.kind === 'refused' && /service ?account .*not found/i.test(outcome.message);
}

const failures: Readonly<Record<Exclude<ApplyOutcome['kind'], 'applied'>, Failure>> = {
  invalid: 'invalid',
  refused: 'refused',
  conflict: 'retry',
  absent: 'retry',
};

function resultOf(task: ApplyTask, outcome: ApplyOutcome): ObjectResult {
  if (outcome.kind === 'applied') return applied(task, outcome);
  return failed(task, isTooEarly(outcome) ? 'retry' : failures[outcome.kind], outcome.message);
}

function applied(task: ApplyTask, outcome: Extract<ApplyOutcome, { kind: 'applied' }>): ObjectResult {
  const { object, created } = outcome;
  if (object.metadata['deletionTimestamp'] !== undefined) {
    return failed(task, 'retry', 'is being deleted by somebody; it is applied again once it is gone');
  }
  const { key, ref, live, digest } = task;
  const { intendedAt: _, ...entry } = task.entry;
  // Somebody was faster: what we wrote into is theirs, and not ours to prune (rule 1).
  const foreign = task.action === 'create' && !created;
  const notes = [
    ...outcome.warnings,
    ...(foreign ? ['existed already when it was applied: never pruned'] : []),
  ];
  const isUnchanged = live?.metadata.resourceVersion === object.metadata.resourceVersion;
  return {
    key,
    live: object,
    outcome: {
      ref,
      outcome: created ? 'created' : isUnchanged ? 'unchanged' : 'updated',
      ...(notes.length > 0 && { message: notes.join('; ') }),
    },
    entry: {
      ...entry,
      state: 'applied',
      created: created || entry.created,
      uid: object.metadata.uid,
      desiredDigest: digest,
    },
  };
}

type Task = Pick<ApplyTask, 'key' | 'ref'>;

export function failed({ key, ref }: Task, failure: Failure, message: string): ObjectResult {
  return { key, failure, outcome: { ref, outcome: 'failed', message } };
}

/** The server gave no answer, so nothing is known: the next run looks. */
export function unanswered(task: Task, error: Retry): ObjectResult {
  return { ...failed(task, 'retry', error.message), unanswered: error };
}

/** The answer, or the Retry that came instead: one object's trouble. Anything else thrown ends the run. */
export async function answered<T>(call: Promise<T>): Promise<T | Retry> {
  try {
    return await call;
  } catch (error) {
    if (error instanceof Retry) return error;
    throw error;
  }
}
