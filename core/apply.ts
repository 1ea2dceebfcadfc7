import { applyObject } from './apply/apply-object.ts';
import { isDefinition } from './apply/apply-order.ts';
import { awaitEstablished } from './apply/await-established.ts';
import { healForeign } from './apply/heal-foreign.ts';
import type { ApplyTask, Effects, ObjectResult } from './apply/object-result.ts';
import { pruneObject, type PruneResult, type PruneTask } from './apply/prune-object.ts';
import { inBatches } from './in-batches.ts';
import { refOfKey } from './model/object.ts';

export { inApplyOrder } from './apply/apply-order.ts';
export type { ApplyTask, Effects, Failure, ObjectResult } from './apply/object-result.ts';
export type { PruneResult, PruneTask } from './apply/prune-object.ts';

/** Objects of one rank at once: the server's fair queues make more of them wait anyway. */
const atOnce = 8;
/** After so many objects in a row without an answer the cluster counts as gone; each may cost a connect timeout. */
const unansweredLimit = 8;

/** What became of a group of objects. `stopped` is why the others were not tried; what was done is done. */
export interface GroupResult<R extends ObjectResult = ObjectResult> {
  readonly results: readonly R[];
  readonly stopped?: unknown;
}

/** What earlier ranks of the same run did. */
export interface Earlier {
  /** Keys of everything that this run applies: a namespace among them that is not there yet soon is. */
  readonly planned: ReadonlySet<string>;
  /** Keys of what failed: objects that need one of them are skipped. */
  readonly failed: ReadonlySet<string>;
}

/** Applies the objects of one rank; one that fails does not stop the others. Returns when definitions are established. */
export async function applyRank(
  tasks: readonly ApplyTask[],
  effects: Effects,
  earlier: Earlier,
): Promise<GroupResult> {
  const patience = new Map<string, number>();
  return untilStopped(tasks, async (task) => {
    const missing = task.needs.find((key) => earlier.failed.has(key));
    if (missing !== undefined) return skipped(task, missing);
    const awaited = task.needs.filter((key) => earlier.planned.has(key));
    const redefined = awaited.some((key) => isDefinition(refOfKey(key)));
    const sending = { effects, awaited: awaited.length > 0, redefined, patience };
    const result = await applyObject(task, sending);
    if (isDefinition(task.ref)) return awaitEstablished(task, result, effects);
    return healForeign(task, result, effects);
  });
}

/** Deletes what the plan prunes, as far as it still is what the plan saw. */
export async function pruneRank(
  tasks: readonly PruneTask[],
  effects: Effects,
): Promise<GroupResult<PruneResult>> {
  return untilStopped(tasks, async (task) => pruneObject(task, effects));
}

function skipped(task: ApplyTask, missing: string): ObjectResult {
  const [, kind = '', , name = ''] = missing.split('/');
  const message = `was not tried: its ${kind} ${name} failed`;
  return { key: task.key, failure: 'retry', outcome: { ref: task.ref, outcome: 'skipped', message } };
}

/** Runs the tasks until one throws or too many in a row have no answer. */
async function untilStopped<T, R extends ObjectResult>(
  tasks: readonly T[],
  work: (task: T) => Promise<R>,
): Promise<GroupResult<R>> {
  const results: R[] = [];
  let stop: { readonly why: unknown } | undefined;
  let unanswered = 0;
  await inBatches(tasks, atOnce, async (task) => {
    if (stop !== undefined) return;
    try {
      const result = await work(task);
      results.push(result);
      unanswered = result.unanswered === undefined ? 0 : unanswered + 1;
      if (unanswered >= unansweredLimit) stop ??= { why: result.unanswered };
    } catch (error) {
      stop ??= { why: error };
    }
  });
  return stop === undefined ? { results } : { results, stopped: stop.why };
}
