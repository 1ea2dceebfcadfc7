import { prefixes } from '../contract/keys.ts';
import { readDocument } from '../documents.ts';
import { inBatches } from '../in-batches.ts';
import { runRecordSchema, type RunRecord } from '../model/run.ts';
import { targetKey, type Target } from '../model/target.ts';
import { isoTime } from '../model/time.ts';
import type { Store } from '../ports.ts';

const readsAtOnce = 20;

export interface KeyedRun {
  readonly key: string;
  readonly run: RunRecord;
}

/** Runs of a target, newest first, of at most so many days back. */
export async function readRuns(
  store: Store,
  target: Target,
  { now, most, days = 30 }: { readonly now: number; readonly most: number; readonly days?: number },
): Promise<readonly KeyedRun[]> {
  const found: string[] = [];
  for (let day = 0; day < days && found.length < most; day += 1) {
    const date = isoTime(now - day * 86_400_000).slice(0, 10);
    const listed = await Array.fromAsync(store.list(`${prefixes.runs}date=${date}/${targetKey(target)}/`));
    // Ids sort by time of creation.
    found.push(...listed.reverse());
  }
  const read = await inBatches(found.slice(0, most), readsAtOnce, async (key) => {
    const run = await readDocument(store, key, runRecordSchema);
    return run === undefined ? [] : [{ key, run: run.value }];
  });
  return read.flat();
}
