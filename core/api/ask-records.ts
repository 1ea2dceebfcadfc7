import { keys, prefixes } from '../contract/keys.ts';
import { readDocument } from '../documents.ts';
import { readFleet } from '../fleet.ts';
import { inBatches } from '../in-batches.ts';
import { driftRecordSchema } from '../model/drift.ts';
import { refKey, refOf, refOfKey } from '../model/object.ts';
import { targetKey } from '../model/target.ts';
import { isoTime } from '../model/time.ts';
import type { Store } from '../ports.ts';
import { readKeyedRun } from '../run-history.ts';
import type { DriftEpisode, ObjectDetail, RunDetail } from './contract.ts';
import type { ApiDeps } from './deps.ts';
import { objectRows } from './ask-target.ts';
import type { SeenTarget } from './see-target.ts';
import { seesAll } from './person.ts';
import { ApiProblem } from './problem.ts';
import { kubectlCommands, objectLinks } from './links.ts';
import { readPlaced, type PlacedSnapshot } from './placed-snapshot.ts';
import { episodeOf, openEpisodes, runBriefOf } from './records.ts';

const readsAtOnce = 20;

/** One run by the key that a RunBrief names; only of the target that is asked for, and of the repository that has it. */
export async function readRun(
  { view, person, cloneUrl }: SeenTarget,
  key: string,
  { store }: Pick<ApiDeps, 'store'>,
): Promise<RunDetail> {
  const isOfTarget = key.startsWith(prefixes.runs) && key.includes(`/${targetKey(view.target)}/`);
  const run = isOfTarget ? await readKeyedRun(store, key) : undefined;
  if (run === undefined || (run.commit.repository !== view.pointer.repository && !seesAll(person))) {
    throw new ApiProblem(
      404,
      'There is no such run.',
      'Open it from the list of runs: old ones are tidied away.',
    );
  }
  const { plan, outcome, commit } = run;
  return {
    run: runBriefOf(run, cloneUrl),
    commit,
    actions: plan.actions.map(({ ref, action, why }) => ({ key: refKey(ref), action, why })),
    objects: [...(outcome?.objects ?? [])],
    faults: [...(outcome?.faults ?? [])],
    ...(plan.refusal !== undefined && { refusal: plan.refusal }),
  };
}

/** Episodes of the last days, newest first; none of the time when its name was another repository's. */
export async function readDrift(
  seen: SeenTarget,
  { now, days }: { readonly now: number; readonly days: number },
  { store }: { readonly store: Store },
): Promise<readonly DriftEpisode[]> {
  const { target, pointer } = seen.view;
  const dates = Array.from({ length: days }, (_, day) => isoTime(now - day * 86_400_000));
  const listed = await inBatches(dates, readsAtOnce, async (date) =>
    Array.fromAsync(store.list(keys.driftOfDay(target, date))),
  );
  const episodes = await inBatches(listed.flat(), readsAtOnce, async (key) => {
    const record = await readDocument(store, key, driftRecordSchema);
    const isShown = record?.value.repository === pointer.repository || seesAll(seen.person);
    return record !== undefined && isShown ? [episodeOf(record.value, key)] : [];
  });
  return episodes.flat().sort((a, b) => (a.openedAt < b.openedAt ? 1 : -1));
}

/** One object as Git has it and as it was applied, with its open drift. Of values of Secrets there are digests alone. */
export async function objectDetail(
  seen: SeenTarget,
  key: string,
  { store, config }: Pick<ApiDeps, 'store' | 'config'>,
): Promise<ObjectDetail> {
  const { view } = seen;
  const { application } = view.target;
  const applied = view.inventory?.applied?.snapshot;
  const [desired, before, open, { clusters }] = await Promise.all([
    readPlaced(store, application, view.pointer.snapshot, view.inventory),
    applied === undefined ? undefined : readPlaced(store, application, applied, view.inventory),
    openEpisodes(store, view.target),
    readFleet({ store, config }),
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
  const place = { ref: refOfKey(key), entry: view.inventory?.entries[key] };
  const cluster = clusters.find(({ name }) => name === view.target.cluster);
  return {
    row,
    desired: of(desired),
    applied: of(before),
    ...(drift !== undefined && { drift }),
    links: objectLinks(view.target, place, config.dashboard?.links ?? []),
    commands: kubectlCommands(place, cluster),
  };
}
