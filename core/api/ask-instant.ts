import { compareObjects } from '../compare/compare-objects.ts';
import type { KubeObject } from '../model/object.ts';
import { refKey, refOf } from '../model/object.ts';
import { isoTime, millisecondsOf } from '../model/time.ts';
import { readDrift } from './ask-records.ts';
import { readRuns, type KeyedRun } from './ask-runs.ts';
import type { SeenTarget } from './ask-target.ts';
import type { Comparison, Instant } from './contract.ts';
import type { ApiDeps } from './deps.ts';
import { ApiProblem } from './problem.ts';
import { readPlaced } from './placed-snapshot.ts';
import { runBriefOf } from './records.ts';

const daysBack = 90;
const driftDays = 7;

/** What was here at a time: what the last run before it applied, and the drift that was open. */
export async function instantAt(
  { view, cloneUrl }: SeenTarget,
  time: string,
  { store }: Pick<ApiDeps, 'store'>,
): Promise<Instant> {
  const { target } = view;
  const at = isoTime(millisecondsOf(time));
  const found = await appliedBefore({ view }, at, { store });
  const drift = await readDrift(store, target, { now: millisecondsOf(time), days: driftDays });
  const open = drift.filter(({ openedAt, closedAt }) => openedAt <= at && (closedAt ?? '9') > at);
  if (found === undefined) return { at, objects: [], drift: open };
  const snapshot = await readPlaced(store, target.application, found.run.snapshot, view.inventory);
  return {
    at,
    snapshot: found.run.snapshot,
    run: runBriefOf(found.run, found.key, cloneUrl),
    objects: (snapshot?.objects ?? []).map((object) => refKey(refOf(object))),
    drift: open,
  };
}

/** The last run that had applied its revision by then. */
async function appliedBefore(
  { view: { target } }: Pick<SeenTarget, 'view'>,
  at: string,
  { store }: Pick<ApiDeps, 'store'>,
): Promise<KeyedRun | undefined> {
  const runs = await readRuns(store, target, { now: millisecondsOf(at), most: 50, days: daysBack });
  return runs.find(({ run }) => run.outcome?.kind === 'applied' && run.outcome.at <= at);
}

/** Field by field, from one time or snapshot to another. */
export async function compareInstants(
  seen: SeenTarget,
  { from, to }: { readonly from: string; readonly to: string },
  deps: Pick<ApiDeps, 'store'>,
): Promise<Comparison> {
  const [before, after] = await Promise.all([objectsAt(seen, from, deps), objectsAt(seen, to, deps)]);
  const objects = compareObjects(before, after).map(({ ref, kind, fields }) => ({
    key: refKey(ref),
    change: kind,
    fields: [...fields],
  }));
  return { from, to, objects };
}

async function objectsAt(
  seen: SeenTarget,
  when: string,
  { store }: Pick<ApiDeps, 'store'>,
): Promise<readonly KubeObject[]> {
  const { application } = seen.view.target;
  const digest = when.startsWith('sha256:')
    ? when
    : (await appliedBefore(seen, isoTime(millisecondsOf(when)), { store }))?.run.snapshot;
  if (digest === undefined) return [];
  const snapshot = await readPlaced(store, application, digest, seen.view.inventory);
  if (snapshot === undefined) {
    throw new ApiProblem(410, `The snapshot of ${when} is not kept any more.`, 'Choose a later time.');
  }
  return snapshot.objects;
}
