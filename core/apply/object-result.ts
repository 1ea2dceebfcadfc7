import { Retry } from '../errors.ts';
import type { InventoryEntry } from '../model/inventory.ts';
import type { KubeObject, LiveObject, ObjectRef } from '../model/object.ts';
import type { ObjectOutcome } from '../model/run.ts';
import type { SecretVersions } from '../model/secret-reference.ts';
import type { Policy } from '../policy.ts';
import type { Clock, Cluster, ObjectAddress } from '../ports.ts';

/** What applying and pruning need of the world. */
export interface Effects {
  readonly cluster: Cluster;
  readonly clock: Clock;
  /** Call before every effect: renews the lease and watches the time. Throws to stop the run. */
  readonly mayProceed: () => Promise<void>;
  /** Who wins fields that others own, and what becomes of immutable ones. */
  readonly policy: Policy;
}

/** One object to apply. */
export interface ApplyTask {
  readonly key: string;
  readonly ref: ObjectRef;
  readonly object: KubeObject;
  readonly digest: string;
  /** Of the values that it refers to. */
  readonly versions?: SecretVersions | undefined;
  readonly address: ObjectAddress;
  readonly action: 'create' | 'update';
  /** Its intent, as the inventory has it. */
  readonly entry: InventoryEntry;
  readonly live: LiveObject | undefined;
  /** Keys of the namespace and the definition that it needs. */
  readonly needs: readonly string[];
  /** Only for drift: what is merely observed stays as it is. */
  readonly heals?: true | undefined;
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
  /** It was to be created and is there: nothing was written, and a new plan has to say what becomes of it. */
  readonly existed?: true;
  /** Set when the server did not answer: many of these in a row mean that the cluster is gone. */
  readonly unanswered?: Retry;
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
