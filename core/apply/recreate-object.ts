import { Retry } from '../errors.ts';
import { deletionOf, isGoing } from '../model/deletion.ts';
import type { LiveObject } from '../model/object.ts';
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
/** How long a run waits for the old object to go; after that the next run does. */
const waitTries = 60;
const waitMs = 500;

/** Their successor must not run beside what they run: what they own goes first. */
const foreground = new Set(['StatefulSet', 'Job', 'Pod']);

/**
 * Deletes an object so that it can be made again, and waits until it is gone. Undefined when it is; else what to report.
 * The intent in the inventory has the uid of the old object and the time: whatever line a run dies at, the next one finds
 * the old object (and tries again), none (and creates it), or a new one of our making (and keeps it).
 */
export async function deleteToRecreate(
  task: ApplyTask,
  live: LiveObject,
  effects: Effects,
  policy: 'recreate' | 'orphan-and-recreate',
): Promise<ObjectResult | undefined> {
  const { created, adopted, uid } = task.entry;
  if (live.metadata.uid !== uid || (!created && !adopted)) {
    const message = 'is not deleted to be made again: we neither created it nor were told to adopt it';
    return failed(task, 'refused', message);
  }
  const propagation =
    policy === 'orphan-and-recreate' ? 'Orphan' : foreground.has(task.ref.kind) ? 'Foreground' : 'Background';
  const refusal = (await rehearse(task, effects)) ?? (await remove(task, live, effects, propagation));
  return refusal ?? awaitGone(task, uid, effects);
}

/** Under this name nothing stands. */
const rehearsalName = 'trueup-rehearsal';
/** What only the old object stands in the way of, and what only another name is refused for. */
const noFault = /already (allocated|exists|defined|in use)|exceeded quota|metadata\.name:/;

/** Asks whether the new object would be accepted at all, before the old one is lost for it. */
async function rehearse(
  task: ApplyTask,
  { cluster, mayProceed }: Effects,
): Promise<ObjectResult | undefined> {
  const object = { ...task.object, metadata: { ...task.object.metadata, name: rehearsalName } };
  const address = { ...task.address, name: rehearsalName };
  await mayProceed();
  const outcome = await answered(cluster.apply(address, object, { dryRun: true, force: true }));
  if (outcome instanceof Retry) return failed(task, 'retry', outcome.message);
  if ((outcome.kind !== 'invalid' && outcome.kind !== 'refused') || noFault.test(outcome.message)) {
    return undefined;
  }
  const message = `was not deleted to be made again, since it could not be made again: ${outcome.message}`;
  return failed(task, outcome.kind, message);
}

async function remove(
  task: ApplyTask,
  first: LiveObject,
  { cluster, mayProceed }: Effects,
  propagation: 'Background' | 'Foreground' | 'Orphan',
): Promise<ObjectResult | undefined> {
  const { uid } = first.metadata;
  let live = first;
  for (let attempt = 1; attempt <= tries; attempt += 1) {
    const { resourceVersion } = live.metadata;
    if (isGoing(live)) return undefined;
    await mayProceed();
    const outcome = await answered(cluster.delete(task.address, { uid, resourceVersion }, { propagation }));
    if (outcome instanceof Retry) return unanswered(task, outcome);
    if (outcome.kind === 'refused') return failed(task, 'refused', outcome.message);
    if (outcome.kind !== 'conflict') return undefined;
    const now = await answered(cluster.get(task.address));
    if (now instanceof Retry) return unanswered(task, now);
    if (now?.metadata.uid !== uid) return undefined;
    live = now;
  }
  return failed(task, 'retry', `changed ${tries} times while it was to be deleted and made again`);
}

async function awaitGone(
  task: ApplyTask,
  uid: string,
  { cluster, clock, mayProceed }: Effects,
): Promise<ObjectResult | undefined> {
  let last: LiveObject | undefined;
  for (let attempt = 1; attempt <= waitTries; attempt += 1) {
    await mayProceed();
    const live = await answered(cluster.get(task.address));
    if (live instanceof Retry) return unanswered(task, live);
    if (live?.metadata.uid !== uid) return undefined;
    last = live;
    await clock.sleep(waitMs);
  }
  const why = (last && deletionOf(last)?.message) ?? 'is still there';
  return failed(task, 'retry', `${why}; it is made again once it is gone`);
}
