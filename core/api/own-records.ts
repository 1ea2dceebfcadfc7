import { readDocument } from '../documents.ts';
import { inBatches } from '../in-batches.ts';
import { driftRecordSchema, type DriftRecord } from '../model/drift.ts';
import type { RunRecord } from '../model/run.ts';
import { targetKey } from '../model/target.ts';
import type { Store } from '../ports.ts';
import { readKeyedRun, type KeyedRun } from '../run-history.ts';
import type { TargetView } from '../view/target-view.ts';
import { seesAll, type Person } from './person.ts';

/** Hundreds of records for one answer. */
const readsAtOnce = 50;

export async function runsAt(store: Store, keys: readonly string[]): Promise<readonly KeyedRun[]> {
  const read = await inBatches(keys, readsAtOnce, async (key) => readKeyedRun(store, key));
  return read.flatMap((run) => run ?? []);
}

export async function driftsAt(store: Store, keys: readonly string[]): Promise<readonly DriftRecord[]> {
  const read = await inBatches(keys, readsAtOnce, async (key) => readDocument(store, key, driftRecordSchema));
  return read.flatMap((record) => record?.value ?? []);
}

interface Own {
  readonly run: (run: RunRecord) => boolean;
  readonly drift: (drift: DriftRecord) => boolean;
}

/**
 * Whether a record is of the repository that has the name of its target now: of a name that was another's before, only who
 * sees all projects is told.
 */
export function ownBy(views: readonly TargetView[], person: Person): Own {
  if (seesAll(person)) return { run: () => true, drift: () => true };
  const owners = new Map(views.map(({ target, pointer }) => [targetKey(target), pointer.repository]));
  return {
    run: ({ target, commit }) => commit.repository === owners.get(targetKey(target)),
    // Undefined: of before it was noted.
    drift: ({ target, repository }) =>
      repository !== undefined && repository === owners.get(targetKey(target)),
  };
}
