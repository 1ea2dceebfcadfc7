import { keys } from './contract/keys.ts';
import { readDocument, writeDocument } from './documents.ts';
import { Retry } from './errors.ts';
import { brokenLoops, forgetHeals, healedIn, noteHeal } from './heal-loops.ts';
import { driftRecordSchema, type OpenDrift } from './model/drift.ts';
import { isBroken, recentHealsSchema, type BrokenLoops, type RecentHeals } from './model/heals.ts';
import type { Target } from './model/target.ts';
import { isoTime } from './model/time.ts';
import type { Clock, Store } from './ports.ts';

type Objects = RecentHeals['objects'];

/** A run and a sweep may meet at one document; more than that is a bug. */
const tries = 12;

/** What heals did to a target lately, by object key. */
export async function readHeals(store: Store, target: Target): Promise<Objects> {
  return (await readDocument(store, keys.heals(target), recentHealsSchema))?.value.objects ?? {};
}

/** Broken heal loops, for the policy of a run: one GET. */
export async function readBrokenLoops(
  { store, clock }: { readonly store: Store; readonly clock: Clock },
  target: Target,
): Promise<BrokenLoops> {
  return brokenLoops(await readHeals(store, target), clock.now());
}

/** Changes the document by compare-and-set; it goes with its last object, and is left alone where nothing changed. */
export async function changeHeals(
  store: Store,
  target: Target,
  change: (objects: Objects) => Objects,
): Promise<void> {
  const key = keys.heals(target);
  for (let attempt = 0; attempt < tries; attempt += 1) {
    const current = await readDocument(store, key, recentHealsSchema);
    const before = current?.value.objects ?? {};
    const objects = change(before);
    if (JSON.stringify(objects) === JSON.stringify(before)) return;
    const isEmpty = Object.keys(objects).length === 0;
    const next: RecentHeals = { version: 1, seq: (current?.value.seq ?? 0) + 1, target, objects };
    const outcome =
      isEmpty && current !== undefined
        ? await store.delete(key, { etag: current.etag })
        : (await writeDocument(store, key, next, current === undefined ? 'absent' : { etag: current.etag }))
            .kind;
    if (outcome !== 'conflict') return;
  }
  throw new Retry({ subject: key, message: `changed under us ${tries} times in a row; try again` });
}

/**
 * Notes what a run put right. A heal counts towards a loop; an apply that Git or a person asked for (`touched`, and not
 * in `heals`) starts the count anew. What the run left alone since its loop was `broken` is no heal: gives the keys of
 * objects of which something was left so.
 */
export async function rememberHeals(
  { store, clock }: { readonly store: Store; readonly clock: Clock },
  target: Target,
  {
    touched,
    heals,
    open,
    broken,
  }: {
    readonly touched: readonly string[];
    readonly heals: ReadonlySet<string>;
    readonly open: OpenDrift['episodes'];
    readonly broken: BrokenLoops;
  },
): Promise<ReadonlySet<string>> {
  const applied = new Set(touched.filter((key) => !heals.has(key)));
  const healed: Parameters<typeof noteHeal>[1][] = [];
  const left = new Set<string>();
  for (const key of touched.filter((each) => heals.has(each))) {
    const record = await readDocument(store, open[key]?.record ?? '', driftRecordSchema);
    const drift = record?.value.drift;
    if (drift === undefined) continue;
    const due = healedIn(drift);
    const pointers = due.filter((pointer) => !isBroken(broken, key, pointer));
    if (pointers.length < due.length) left.add(key);
    if (pointers.length > 0) healed.push({ key, ref: drift.ref, pointers });
  }
  const now = clock.now();
  await changeHeals(store, target, (objects) =>
    healed.reduce((noted, heal) => noteHeal(noted, heal, isoTime(now)), forgetHeals(objects, applied, now)),
  );
  return left;
}
