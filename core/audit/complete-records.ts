import { keys } from '../contract/keys.ts';
import { readDocument, updateDocument } from '../documents.ts';
import { inBatches } from '../in-batches.ts';
import { isWriteTo, takesAlong } from '../model/audit.ts';
import { driftRecordSchema, type DriftRecord, type Who } from '../model/drift.ts';
import type { KeptWrites } from '../model/kept-writes.ts';
import type { ObjectRef } from '../model/object.ts';
import { millisecondsOf } from '../model/time.ts';
import type { Store } from '../ports.ts';
import { nameAuthor } from '../record.ts';
import { authorOf, searchedTime } from '../who-did.ts';
import { writesBetween } from './kept-writes.ts';

type PluralOf = (ref: ObjectRef) => string | undefined;

/** Records of one day and target that are looked at, the newest; a target that drifts more often is told of by its loop. */
const mostRecords = 50;
const readsAtOnce = 8;

/**
 * Names who did it in records that the log is later than: those of the days of the waiting writes, open or closed. Gives
 * how many were completed.
 */
export async function completeRecords(store: Store, kept: KeptWrites, pluralOf: PluralOf): Promise<number> {
  const days = new Set(
    kept.waiting.flatMap(({ who, endedAt }) => [who.at.slice(0, 10), endedAt.slice(0, 10)]),
  );
  const names = await Promise.all(
    [...days].map(async (day) => Array.fromAsync(store.list(keys.driftOfDay(kept.target, day)))),
  );
  const newest = names.flatMap((each) => each.slice(-mostRecords));
  const completed = await inBatches(newest, readsAtOnce, async (key) => {
    const record = (await readDocument(store, key, driftRecordSchema))?.value;
    const who = record && lateAuthorOf(record, kept, pluralOf);
    if (who === undefined) return 0;
    await updateDocument(store, key, driftRecordSchema, (current) => current && nameAuthor(current, who));
    return 1;
  });
  return completed.reduce<number>((sum, one) => sum + one, 0);
}

function lateAuthorOf(
  { who, drift, openedAt, inOrderAt }: DriftRecord,
  kept: KeptWrites,
  pluralOf: PluralOf,
): Who | undefined {
  const resource = pluralOf(drift.ref);
  // Without the last check nobody knows how far to look back.
  if (who !== undefined || drift.kind === 'extra' || resource === undefined || inOrderAt === undefined)
    return undefined;
  const place = { ...drift.ref, resource };
  if (!kept.waiting.some((write) => isWriteTo(write, place) || takesAlong(write, place))) return undefined;
  const between = { since: millisecondsOf(inOrderAt), until: millisecondsOf(openedAt) };
  const { since, until } = searchedTime({ drifts: [drift], ...between });
  return authorOf(drift, { resource, ...between }, writesBetween(kept, since, until));
}
