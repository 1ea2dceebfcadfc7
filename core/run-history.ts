import { prefixes } from './contract/keys.ts';
import { readDocument } from './documents.ts';
import { inBatches } from './in-batches.ts';
import { runRecordSchema, type RunRecord } from './model/run.ts';
import { targetKey, type Target } from './model/target.ts';
import { isoTime } from './model/time.ts';
import type { Store } from './ports.ts';

/** Runs are kept by date; looking further back than that is Athena's work. */
const daysBack = 90;
const dayMs = 86_400_000;
const readsAtOnce = 20;

/** A run with the key of its record. */
export type KeyedRun = RunRecord & { readonly key: string };

/** The runs of one target, newest first, read day by day and one by one: whoever stops early pays no more. */
export async function* runsOfTarget(store: Store, target: Target, now: number): AsyncIterable<KeyedRun> {
  for await (const keys of keysByDay(store, [target], { now, days: daysBack })) {
    for (const key of keys) {
      const run = await readKeyedRun(store, key);
      if (run !== undefined) yield run;
    }
  }
}

/** The newest runs of some targets, newest first: looks back day by day until there are `most`. */
export async function newestRuns(
  store: Store,
  targets: readonly Target[],
  { now, days, most }: { readonly now: number; readonly days: number; readonly most: number },
): Promise<readonly KeyedRun[]> {
  const found: string[] = [];
  for await (const keys of keysByDay(store, targets, { now, days })) {
    found.push(...keys);
    if (found.length >= most) break;
  }
  const runs = await inBatches(found.slice(0, most), readsAtOnce, async (key) => readKeyedRun(store, key));
  return runs.flatMap((run) => run ?? []);
}

/** Undefined where the record is not there any more. */
export async function readKeyedRun(store: Store, key: string): Promise<KeyedRun | undefined> {
  const run = await readDocument(store, key, runRecordSchema);
  return run && { key, ...run.value };
}

async function* keysByDay(
  store: Store,
  targets: readonly Target[],
  { now, days }: { readonly now: number; readonly days: number },
): AsyncIterable<readonly string[]> {
  // Each time as many as before them: of what has rested for weeks, a question a day would take seconds.
  for (let from = 0; from < days; from = 2 * from + 1) {
    const some = Array.from({ length: Math.min(from + 1, days - from) }, (_, index) => from + index);
    const dates = some.map((day) => isoTime(now - day * dayMs).slice(0, 10));
    const folders = dates.flatMap((date) =>
      targets.map((target) => ({ date, prefix: `${prefixes.runs}date=${date}/${targetKey(target)}/` })),
    );
    const listed = await inBatches(folders, readsAtOnce, async ({ date, prefix }) => ({
      date,
      keys: await Array.fromAsync(store.list(prefix)),
    }));
    const byDate = Map.groupBy(listed, ({ date }) => date);
    yield* [...byDate.values()].map((day) => day.flatMap(({ keys }) => keys).sort(byId));
  }
}

/** Newest first: ids sort by time of creation. */
function byId(a: string, b: string): number {
  return nameOf(a) < nameOf(b) ? 1 : -1;
}

function nameOf(key: string): string {
  return key.slice(key.lastIndexOf('/') + 1);
}
