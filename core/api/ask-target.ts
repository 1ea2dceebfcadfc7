import type { Inventory } from '../model/inventory.ts';
import { refKey, refOf, refOfKey } from '../model/object.ts';
import { describePin } from '../model/pin.ts';
import type { RunRecord } from '../model/run.ts';
import { describeSuspension, suspensionOf } from '../model/suspension.ts';
import { readFleet } from '../fleet.ts';
import { readSuspensions } from '../suspend.ts';
import { briefOf, rowOf } from '../view/fleet.ts';
import type { TargetView } from '../view/target-view.ts';
import { actionsFor } from './actions.ts';
import { ownRuns } from './ask-runs.ts';
import { targetLinks } from './links.ts';
import type { DriftEpisode, ObjectRow, TargetDetail } from './contract.ts';
import type { ApiDeps } from './deps.ts';
import { projectOf } from './person.ts';
import { readPlaced, type PlacedSnapshot } from './placed-snapshot.ts';
import { openEpisodes, runBriefOf } from './records.ts';
import type { SeenTarget } from './see-target.ts';

const runsShown = 10;

/** One target, whole. */
export async function targetDetail(seen: SeenTarget, deps: ApiDeps): Promise<TargetDetail> {
  const { view, person, cloneUrl } = seen;
  const { store, config, clock } = deps;
  const { pointer, inventory, target } = view;
  const now = clock.now();
  const [snapshot, open, runs, suspensions, { clusters }] = await Promise.all([
    readPlaced(store, target.application, pointer.snapshot, inventory),
    openEpisodes(store, target),
    ownRuns(seen, { now, most: runsShown }, store),
    readSuspensions(store),
    readFleet(deps),
  ]);
  const labels = new Map(clusters.map((each) => [each.name, each.labels]));
  const cluster = clusters.find(({ name }) => name === target.cluster);
  const row = rowOf(view, { suspensions, labels, repositories: config.repositories, now });
  const applied = inventory?.applied;
  const suspension = suspensionOf(suspensions, target, now);
  const pin = describePin(pointer);
  const confirm = askedToConfirm(inventory);
  // A run that was stopped or restarted its pods saw the health of no object.
  const lastRun = runs.find(({ health }) => health !== undefined);
  return {
    row,
    repository: pointer.repository,
    ref: pointer.ref,
    snapshot: pointer.snapshot,
    ...(applied !== undefined && {
      applied: {
        revision: applied.revision,
        snapshot: applied.snapshot,
        commit: briefOf(applied.commit ?? pointer.commit, cloneUrl),
        at: applied.at,
      },
    }),
    sync: pointer.settings.sync,
    drift: pointer.settings.drift,
    ...(pin !== undefined && { pin }),
    ...(suspension !== undefined && { suspension: describeSuspension(suspension) }),
    ...(inventory?.waiting !== undefined && { waiting: inventory.waiting.reason }),
    faults: [...(pointer.failed?.faults ?? [])],
    objects: [...objectRows({ view, snapshot, lastRun, open })],
    open: [...open],
    runs: runs.map((run) => runBriefOf(run, cloneUrl)),
    ...(confirm > 0 && { confirm }),
    actions: [
      ...actionsFor({
        view,
        project: projectOf(pointer, config.repositories),
        person,
        open,
        isSuspended: suspension !== undefined,
        confirm,
      }),
    ],
    links: targetLinks(target, cluster, config.dashboard?.links ?? []),
    live: deps.live?.reaches(target.cluster) ?? false,
  };
}

function askedToConfirm(inventory: Inventory | undefined): number {
  const entries = Object.values(inventory?.entries ?? {});
  return entries.filter(({ kept }) => kept?.because === 'confirmation').length;
}

interface Objects {
  readonly view: TargetView;
  readonly snapshot: PlacedSnapshot | undefined;
  readonly lastRun: RunRecord | undefined;
  readonly open: readonly DriftEpisode[];
}

/** What Git wants here and what is here, each once, in the order of their keys. */
export function objectRows({ view: { inventory }, snapshot, lastRun, open }: Objects): readonly ObjectRow[] {
  const healths = new Map((lastRun?.health?.objects ?? []).map((each) => [refKey(each.ref), each]));
  const drifts = new Map(open.map((episode) => [episode.key, episode.kind]));
  const desired = (snapshot?.objects ?? []).map((object) => refKey(refOf(object)));
  const extra = open.filter(({ kind }) => kind === 'extra').map(({ key }) => key);
  const all = new Set([...Object.keys(inventory?.entries ?? {}), ...desired, ...extra]);
  return [...all].sort().map((key) => {
    const entry = inventory?.entries[key];
    const ref = entry?.ref ?? refOfKey(key);
    const drift = drifts.get(key);
    const origin = snapshot?.origins.get(key);
    return {
      key,
      group: ref.group,
      kind: ref.kind,
      ...(ref.namespace !== undefined && { namespace: ref.namespace }),
      name: ref.name,
      state: entry?.state ?? 'desired',
      ...(origin !== undefined && { origin }),
      ...(drift === 'missing' ? gone : healthOf(healths.get(key), inventory)),
      ...(drift !== undefined && { drift }),
      ...(entry?.kept !== undefined && { kept: entry.kept.message }),
    };
  });
}

/** Whatever the last run saw of it: a sweep has seen since that it is not there. */
const gone = { health: 'Missing', healthMessage: 'it is not on the cluster' } as const;

/** Objects without a health of their own are as healthy as the whole says, where the whole is Healthy. */
function healthOf(
  told: NonNullable<RunRecord['health']>['objects'][number] | undefined,
  inventory: Inventory | undefined,
): Pick<ObjectRow, 'health' | 'healthMessage'> {
  if (told === undefined) {
    const isHealthy = inventory?.health?.status === 'Healthy';
    return { health: isHealthy ? 'Healthy' : 'Unknown', healthMessage: '' };
  }
  // A run looked when it ended; the whole became Healthy later.
  const isLater = inventory?.health?.status === 'Healthy' && told.status === 'Progressing';
  return { health: isLater ? 'Healthy' : told.status, healthMessage: isLater ? '' : told.message };
}
