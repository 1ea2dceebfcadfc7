import { Retry } from '../errors.ts';
import type { InventoryEntry } from '../model/inventory.ts';
import type { LiveObject } from '../model/object.ts';
import { handoverOf } from './legacy-managers.ts';
import {
  answered,
  failed,
  unanswered,
  type ApplyTask,
  type Effects,
  type ObjectResult,
} from './object-result.ts';

/** Controllers write status all the time: a moved resourceVersion is read again so often. */
const tries = 5;

/** Managers whose fields are ours now, or why the object cannot be applied. */
export type Takeover =
  | { readonly kind: 'done'; readonly managers: readonly string[] }
  | { readonly kind: 'failed'; readonly result: ObjectResult };

/**
 * Whether this apply completes an adoption: told to take the object over, and never applied since. Only then the fields
 * of other tools become ours; what `kubectl apply` writes later is drift.
 */
export function isAdoption({ adopted, desiredDigest }: InventoryEntry): boolean {
  return adopted && desiredDigest === undefined;
}

/** Takes over what other tools declared of an object; may be done again by the next run when this one dies. */
export async function takeOver(task: ApplyTask, effects: Effects): Promise<Takeover> {
  let live: LiveObject | undefined = task.live;
  for (let attempt = 1; live !== undefined && live.metadata.uid === task.entry.uid; attempt += 1) {
    const handover = handoverOf(live);
    if (handover === undefined) return { kind: 'done', managers: [] };
    await effects.mayProceed();
    const { uid, resourceVersion } = live.metadata;
    const outcome = await answered(
      effects.cluster.patch(task.address, { uid, resourceVersion }, handover.operations),
    );
    if (outcome instanceof Retry) return { kind: 'failed', result: unanswered(task, outcome) };
    if (outcome.kind === 'applied') return { kind: 'done', managers: handover.managers };
    const now = await answered(effects.cluster.get(task.address));
    if (now instanceof Retry) return { kind: 'failed', result: unanswered(task, now) };
    const isMoved = now?.metadata.resourceVersion !== resourceVersion;
    if (!isMoved || attempt === tries) {
      const words = isMoved ? `it changed ${tries} times meanwhile` : outcome.message;
      const message = `the fields of ${handover.managers.join(', ')} could not be taken over: ${words}`;
      const failure = !isMoved && outcome.kind !== 'conflict' ? 'refused' : 'retry';
      return { kind: 'failed', result: failed(task, failure, message) };
    }
    live = now;
  }
  return { kind: 'done', managers: [] };
}
