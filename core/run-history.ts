import { prefixes } from './contract/keys.ts';
import { readDocument } from './documents.ts';
import { runRecordSchema, type RunRecord } from './model/run.ts';
import { targetKey, type Target } from './model/target.ts';
import { isoTime } from './model/time.ts';
import type { Store } from './ports.ts';

/** Runs are kept by date; looking further back than that is Athena's work. */
const daysBack = 90;

/** The runs of one target, newest first, read day by day and one by one: whoever stops early pays no more. */
export async function* runsOfTarget(store: Store, target: Target, now: number): AsyncIterable<RunRecord> {
  for (let day = 0; day < daysBack; day += 1) {
    const date = isoTime(now - day * 86_400_000).slice(0, 10);
    const found = await Array.fromAsync(store.list(`${prefixes.runs}date=${date}/${targetKey(target)}/`));
    // Ids sort by time of creation.
    for (const key of found.reverse()) {
      const run = await readDocument(store, key, runRecordSchema);
      if (run !== undefined) yield run.value;
    }
  }
}
