import { keys } from '../contract/keys.ts';
import type { EventDetail, TrueupEvent } from '../contract/events.ts';
import { metrics as metricNames } from '../contract/metrics.ts';
import { trackedRef } from '../contract/tracked-ref.ts';
import { readDocument } from '../documents.ts';
import type { Fault } from '../errors.ts';
import { inBatches } from '../in-batches.ts';
import { repositoryStateSchema, type DesiredPointer, type FaultRecord } from '../model/desired.ts';
import { inventorySchema } from '../model/inventory.ts';
import type { Bus, Metrics, Queues, Store } from '../ports.ts';
import type { StackConfig } from '../contract/config.ts';

const requestsAtATime = 16;

/** Asks for a run of each target, then tells the world. A target with `sync: manual` waits for a person. */
export async function announceReady(
  pointers: readonly DesiredPointer[],
  { at, deliveryId }: { readonly at: string; readonly deliveryId: string },
  { queues, bus }: { readonly queues: Queues; readonly bus: Bus },
): Promise<void> {
  const toRun = pointers.filter(({ settings }) => settings.sync === 'auto');
  await inBatches(toRun, requestsAtATime, ({ target, trace }) =>
    queues.run({ version: 1, target, reason: 'push', requestedBy: 'webhook', ...(trace && { trace }) }),
  );
  const ready = pointers
    .filter(({ state }) => state === 'present')
    .map(({ target, commit, snapshot, objects, revision, trace }): TrueupEvent => {
      const detail = { version: 1 as const, at, target, commit, snapshot, objects, revision, deliveryId };
      return { type: 'SnapshotReady', detail: { ...detail, ...(trace && { trace }) } };
    });
  if (ready.length > 0) await bus.publish(ready);
}

/**
 * Pointers that no run has answered to. Between moving a pointer and asking for its run a function can die;
 * only a message that comes again can have such a one before it, so only then this is asked.
 */
export async function unanswered(
  pointers: readonly DesiredPointer[],
  store: Store,
): Promise<readonly DesiredPointer[]> {
  const found = await inBatches(pointers, requestsAtATime, async (pointer) => {
    const inventory = (await readDocument(store, keys.inventory(pointer.target), inventorySchema))?.value;
    if (inventory === undefined) return pointer.state === 'present' ? [pointer] : [];
    const answered = Math.max(inventory.applied?.revision ?? 0, inventory.lastRun?.revision ?? 0);
    return answered < pointer.revision ? [pointer] : [];
  });
  return found.flat();
}

/** Together these stay below the 256 KiB that the bus takes, in any script: at most 50 x 1,500 characters of 3 bytes. */
const faultsTold = 50;
const messageLength = 1000;
/** Whoever wants them all has the event. */
const faultsKept = 5;
const subjectLength = 500;

/** One event for a commit, with its first 50 faults and a last one that counts the others. */
export async function announceFailed(
  detail: Omit<EventDetail<'SnapshotFailed'>, 'version' | 'faults'> & { readonly faults: readonly Fault[] },
  bus: Bus,
): Promise<void> {
  const faults = detail.faults.slice(0, faultsTold).map(({ subject, message }) => ({
    subject: subject.slice(0, subjectLength),
    message: message.slice(0, messageLength),
  }));
  const more = detail.faults.length - faults.length;
  if (more > 0) faults.push({ subject: `repository ${detail.repository}`, message: `and ${more} more` });
  await bus.publish([{ type: 'SnapshotFailed', detail: { version: 1, ...detail, faults } }]);
}

/** What the state of a repository keeps of the faults of its head. */
export function firstFaults(faults: readonly Fault[]): FaultRecord[] {
  return faults.slice(0, faultsKept).map(({ subject, message }) => ({
    subject: subject.slice(0, subjectLength),
    message: message.slice(0, messageLength),
  }));
}

/** Of a repository that tells its Git host of commits: one that changes nothing has no other event. */
export async function announceExamined(
  examined: Omit<EventDetail<'CommitExamined'>, 'version' | 'trace'>,
  { trace }: Pick<EventDetail<'PushReceived'>, 'trace'>,
  bus: Bus,
): Promise<void> {
  const detail = { version: 1 as const, ...examined, ...(trace && { trace }) };
  await bus.publish([{ type: 'CommitExamined', detail }]);
}

/**
 * Sends how many repositories have a newest commit that could not be followed in full. Sent when one fails and when
 * one recovers, so that the alarm returns, and not before the last has recovered.
 */
export async function sendFailing(
  repository: string,
  isFailing: boolean,
  {
    store,
    metrics,
    config,
  }: { readonly store: Store; readonly metrics: Metrics; readonly config: StackConfig },
): Promise<void> {
  const others = config.repositories.filter(({ name }) => name !== repository);
  const failing = await inBatches(others, requestsAtATime, async (other) => {
    const state = await readDocument(
      store,
      keys.repository(other.name, trackedRef(other)),
      repositoryStateSchema,
    );
    return state?.value.failing === true ? 1 : 0;
  });
  const value = failing.reduce<number>((sum, one) => sum + one, isFailing ? 1 : 0);
  await metrics.put([{ name: metricNames.failedSnapshots, value, unit: 'Count' }]);
}
