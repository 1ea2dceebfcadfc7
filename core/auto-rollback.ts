import type { EventDetail } from './contract/events.ts';
import { keys } from './contract/keys.ts';
import { metrics } from './contract/metrics.ts';
import { readDocument, updateDocument, writeDocument, type Document } from './documents.ts';
import { Retry, Stop } from './errors.ts';
import { desiredPointerSchema, type DesiredPointer } from './model/desired.ts';
import { inventorySchema, type Inventory } from './model/inventory.ts';
import { pinned } from './model/pin.ts';
import { targetKey } from './model/target.ts';
import { isoTime, millisecondsOf } from './model/time.ts';
import type { Bus, Clock, Metrics, Queues, Store } from './ports.ts';
import { trialOf } from './reconcile/judge-trial.ts';
import { countObjects, rolledBackEvent } from './rollback.ts';

export interface AutoRollbackDeps {
  readonly store: Store;
  readonly bus: Bus;
  readonly queues: Pick<Queues, 'run'>;
  readonly metrics: Metrics;
  readonly clock: Pick<Clock, 'now'>;
}

/** Who is said to have pinned it. */
const ourselves = 'trueup';
const tries = 5;
/** An event that is replayed from the archive tells of what was long ago. */
const longestDelayMs = 3_600_000;

/**
 * Takes a revision that has failed in its window off its target: the pointer goes back to what was healthy before and is
 * pinned there until a commit gives other objects. Once for a revision, and only while the pointer still has it: whatever
 * came meanwhile wins. Says what was done, for the log. May be asked twice.
 */
export async function rollBackFailed(
  failed: EventDetail<'RevisionFailed'>,
  deps: AutoRollbackDeps,
): Promise<string> {
  const { target, revision } = failed;
  for (let attempt = 0; attempt < tries; attempt += 1) {
    const [current, inventory] = await Promise.all([
      readDocument(deps.store, keys.desired(target), desiredPointerSchema),
      readDocument(deps.store, keys.inventory(target), inventorySchema),
    ]);
    if (current !== undefined && isUnsaid(current.value, revision)) {
      await follow(current.value, deps);
      return `said that revision ${revision} was rolled back`;
    }
    const chosen = choose(current, inventory?.value, failed, deps.clock.now());
    if (typeof chosen === 'string') return chosen;
    const { back, document } = chosen;
    const objects = await kept(deps, failed, back);
    if (typeof objects === 'string') return objects;
    const { snapshot, commit } = back;
    const pointer = pinned(
      document.value,
      { snapshot, commit, objects },
      pinFor(document.value, failed, deps),
    );
    const outcome = await writeDocument(deps.store, keys.desired(target), pointer, { etag: document.etag });
    if (outcome.kind !== 'written') continue;
    await follow(pointer, deps);
    return `rolled back from ${short(document.value)} to ${commit.sha.slice(0, 7)}: ${failed.reason}`;
  }
  throw new Retry({
    subject: `target ${targetKey(target)}`,
    message: `moved under us ${tries} times in a row; it is tried again`,
  });
}

interface Chosen {
  readonly document: Document<DesiredPointer>;
  readonly back: NonNullable<NonNullable<Inventory['trial']>['back']>;
}

/** Or why nothing is to be done. */
function choose(
  document: Document<DesiredPointer> | undefined,
  inventory: Inventory | undefined,
  { revision, at }: EventDetail<'RevisionFailed'>,
  now: number,
): Chosen | string {
  const foundAt = millisecondsOf(at);
  if (now - foundAt > longestDelayMs) return `that was at ${at}; the sweep looks how it is now`;
  if (document === undefined) return 'no application of Git has this target';
  const { value: pointer } = document;
  if (pointer.revision !== revision) return `revision ${pointer.revision} has come`;
  const standing = trialOf(pointer, inventory, foundAt);
  if (standing.kind === 'over') return standing.why;
  const { back } = standing.trial.trial;
  return back === undefined ? 'there is nothing to go back to' : { document, back };
}

/** Whoever moved the pointer died before it could say so. */
function isUnsaid({ pin }: DesiredPointer, revision: number): boolean {
  return pin?.rejects?.revision === revision && pin.rejects.told !== true;
}

async function kept(
  { store }: AutoRollbackDeps,
  { target }: EventDetail<'RevisionFailed'>,
  { snapshot, runId }: Chosen['back'],
): Promise<number | string> {
  try {
    return await countObjects(store, target, { snapshot, id: runId });
  } catch (error) {
    if (error instanceof Stop) return error.message;
    throw error;
  }
}

function pinFor(
  { revision, snapshot, commit }: DesiredPointer,
  { reason }: EventDetail<'RevisionFailed'>,
  { clock }: AutoRollbackDeps,
): NonNullable<DesiredPointer['pin']> {
  const rejects = { revision, snapshot, commit };
  return { by: ourselves, reason, at: isoTime(clock.now()), rejects };
}

/** The run first: whoever dies in between has put right the cluster. Noted last, so that nothing of it is lost. */
async function follow(
  pointer: DesiredPointer,
  { store, queues, bus, metrics: port, clock }: AutoRollbackDeps,
): Promise<void> {
  const { target, pin } = pointer;
  if (pin?.rejects === undefined) return;
  const { rejects } = pin;
  await queues.run({ version: 1, target, reason: 'push', requestedBy: 'rollback' });
  const said = rolledBackEvent(pointer, rejects, { at: isoTime(clock.now()) });
  if (said !== undefined) await bus.publish([said]);
  // No alarm of its own: that the target is not what Git says is what this one is about.
  const counted = { name: metrics.failedRuns, value: 1, unit: 'Count' } as const;
  await port.put([counted, { ...counted, cluster: target.cluster }]);
  await updateDocument(store, keys.desired(target), desiredPointerSchema, (current) => {
    if (current?.pin?.rejects?.revision !== rejects.revision) return undefined;
    const told = { ...current.pin, rejects: { ...rejects, told: true as const } };
    return { ...current, seq: current.seq + 1, pin: told };
  });
}

function short({ commit }: DesiredPointer): string {
  return commit.sha.slice(0, 7);
}
