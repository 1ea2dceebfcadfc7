import { compareObjects } from '../compare/compare-objects.ts';
import type { KubeObject } from '../model/object.ts';
import { refKey, refOf } from '../model/object.ts';
import { isoTime, millisecondsOf } from '../model/time.ts';
import type { KeyedRun } from '../run-history.ts';
import { readDrift } from './ask-records.ts';
import { ownRuns } from './ask-runs.ts';
import type { SeenTarget } from './see-target.ts';
import type { Comparison, Instant } from './contract.ts';
import type { ApiDeps } from './deps.ts';
import { ApiProblem } from './problem.ts';
import { readPlaced } from './placed-snapshot.ts';
import { runBriefOf } from './records.ts';

const daysBack = 90;
const driftDays = 7;

/** What was here at a time: what the last run before it applied, and the drift that was open. */
export async function instantAt(
  seen: SeenTarget,
  time: string,
  { store }: Pick<ApiDeps, 'store'>,
): Promise<Instant> {
  const { view, cloneUrl } = seen;
  const at = isoTime(millisecondsOf(time));
  const [found, drift] = await Promise.all([
    appliedBefore(seen, at, { store }),
    readDrift(seen, { now: millisecondsOf(time), days: driftDays }, { store }),
  ]);
  const open = drift.filter(({ openedAt, closedAt }) => openedAt <= at && (closedAt ?? '9') > at);
  if (found === undefined) return { at, objects: [], drift: open };
  const snapshot = await readPlaced(store, view.target.application, found.snapshot, view.inventory);
  return {
    at,
    snapshot: found.snapshot,
    run: runBriefOf(found, cloneUrl),
    objects: (snapshot?.objects ?? []).map((object) => refKey(refOf(object))),
    drift: open,
  };
}

/** The last run that had applied its revision by then. */
async function appliedBefore(
  seen: SeenTarget,
  at: string,
  { store }: Pick<ApiDeps, 'store'>,
): Promise<KeyedRun | undefined> {
  const runs = await ownRuns(seen, { now: millisecondsOf(at), most: 50, days: daysBack }, store);
  return runs.find(({ outcome }) => outcome?.kind === 'applied' && outcome.at <= at);
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
    : (await appliedBefore(seen, isoTime(millisecondsOf(when)), { store }))?.snapshot;
  if (digest === undefined) return [];
  const snapshot = await readPlaced(store, application, digest, seen.view.inventory);
  if (snapshot === undefined) {
    throw new ApiProblem(410, `The snapshot of ${when} is not kept any more.`, 'Choose a later time.');
  }
  return snapshot.objects;
}
