import { prefixes } from '../contract/keys.ts';
import { readDocument } from '../documents.ts';
import { inBatches } from '../in-batches.ts';
import { driftRecordSchema } from '../model/drift.ts';
import { refKey, refOf } from '../model/object.ts';
import { runRecordSchema } from '../model/run.ts';
import { targetKey, type Target } from '../model/target.ts';
import { isoTime } from '../model/time.ts';
import type { Store } from '../ports.ts';
import type { DriftEpisode, ObjectDetail, RunDetail } from './contract.ts';
import type { ApiDeps } from './deps.ts';
import { objectRows, type SeenTarget } from './ask-target.ts';
import { ApiProblem } from './problem.ts';
import { readPlaced, type PlacedSnapshot } from './placed-snapshot.ts';
import { episodeOf, openEpisodes, runBriefOf } from './records.ts';

const readsAtOnce = 20;

/** One run by the key that a RunBrief names; only of the target that is asked for. */
export async function readRun(
  store: Store,
  target: Target,
  key: string,
  cloneUrl: string | undefined,
): Promise<RunDetail> {
  const isOfTarget = key.startsWith(prefixes.runs) && key.includes(`/${targetKey(target)}/`);
  const read = isOfTarget ? await readDocument(store, key, runRecordSchema) : undefined;
  if (read === undefined) {
    throw new ApiProblem(
      404,
      'There is no such run.',
      'Open it from the list of runs: old ones are tidied away.',
    );
  }
  const { plan, outcome, commit } = read.value;
  return {
    run: runBriefOf(read.value, key, cloneUrl),
    commit,
    actions: plan.actions.map(({ ref, action, why }) => ({ key: refKey(ref), action, why })),
    objects: [...(outcome?.objects ?? [])],
    faults: [...(outcome?.faults ?? [])],
    ...(plan.refusal !== undefined && { refusal: plan.refusal }),
  };
}

/** Episodes of the last days, newest first. */
export async function readDrift(
  store: Store,
  target: Target,
  { now, days }: { readonly now: number; readonly days: number },
): Promise<readonly DriftEpisode[]> {
  const dates = Array.from({ length: days }, (_, day) => isoTime(now - day * 86_400_000).slice(0, 10));
  const listed = await inBatches(dates, readsAtOnce, async (date) =>
    Array.fromAsync(store.list(`${prefixes.drift}date=${date}/${targetKey(target)}/`)),
  );
  const episodes = await inBatches(listed.flat(), readsAtOnce, async (key) => {
    const record = await readDocument(store, key, driftRecordSchema);
    return record === undefined ? [] : [episodeOf(record.value, key)];
  });
  return episodes.flat().sort((a, b) => (a.openedAt < b.openedAt ? 1 : -1));
}

/** One object as Git has it and as it was applied, with its open drift. Of values of Secrets there are digests alone. */
export async function objectDetail(
  seen: SeenTarget,
  key: string,
  { store }: Pick<ApiDeps, 'store'>,
): Promise<ObjectDetail> {
  const { view } = seen;
  const { application } = view.target;
  const applied = view.inventory?.applied?.snapshot;
  const [desired, before, open] = await Promise.all([
    readPlaced(store, application, view.pointer.snapshot, view.inventory),
    applied === undefined ? undefined : readPlaced(store, application, applied, view.inventory),
    openEpisodes(store, view.target),
  ]);
  const row = objectRows({ view, snapshot: desired, lastRun: undefined, open }).find(
    (one) => one.key === key,
  );
  if (row === undefined) {
    throw new ApiProblem(
      404,
      `There is no object ${key} here.`,
      'Go back to the target: it may be gone by now.',
    );
  }
  const of = (snapshot: PlacedSnapshot | undefined) =>
    snapshot?.objects.find((object) => refKey(refOf(object)) === key) ?? null;
  const drift = open.find((episode) => episode.key === key);
  return { row, desired: of(desired), applied: of(before), ...(drift !== undefined && { drift }) };
}
