import { keys } from '../contract/keys.ts';
import { readDocument } from '../documents.ts';
import { clusterCheckSchema } from '../model/check.ts';
import { desiredPointerSchema } from '../model/desired.ts';
import { inventorySchema, type Inventory } from '../model/inventory.ts';
import { refKey, refOf, refOfKey } from '../model/object.ts';
import { describePin } from '../model/pin.ts';
import type { RunRecord } from '../model/run.ts';
import { describeSuspension, suspensionOf } from '../model/suspension.ts';
import { targetKey, type Target } from '../model/target.ts';
import { readSuspensions } from '../suspend.ts';
import { briefOf, rowOf } from '../view/fleet.ts';
import type { TargetView } from '../view/target-view.ts';
import { actionsFor } from './actions.ts';
import { readRuns } from './ask-runs.ts';
import type { DriftEpisode, ObjectRow, TargetDetail } from './contract.ts';
import type { ApiDeps } from './deps.ts';
import { maySee, projectOf, type Person } from './person.ts';
import { ApiProblem } from './problem.ts';
import { readPlaced, type PlacedSnapshot } from './placed-snapshot.ts';
import { openEpisodes, runBriefOf } from './records.ts';

const runsShown = 10;

/** A target that whoever asks may see, as its records are now. */
export interface SeenTarget {
  readonly view: TargetView;
  readonly person: Person;
  /** Of its repository, for links to commits. */
  readonly cloneUrl: string | undefined;
}

/** Throws ApiProblem where there is none, or none for who asks: the two are told alike. */
export async function seeTarget(
  { target, person }: { readonly target: Target; readonly person: Person },
  { store, config }: Pick<ApiDeps, 'store' | 'config'>,
): Promise<SeenTarget> {
  const [pointer, inventory, check] = await Promise.all([
    readDocument(store, keys.desired(target), desiredPointerSchema),
    readDocument(store, keys.inventory(target), inventorySchema),
    readDocument(store, keys.check(target.cluster), clusterCheckSchema),
  ]);
  if (pointer === undefined || !maySee(person, projectOf(pointer.value, config.repositories))) {
    throw new ApiProblem(
      404,
      `There is no target ${targetKey(target)}.`,
      'Look for it in the fleet: it may have left Git, or be of a project that you do not see.',
    );
  }
  const cloneUrl = config.repositories.find(({ name }) => name === pointer.value.repository)?.url;
  const view = { target, pointer: pointer.value, inventory: inventory?.value, check: check?.value };
  return { view, person, cloneUrl };
}

/** One target, whole. */
export async function targetDetail(
  { view, person, cloneUrl }: SeenTarget,
  deps: ApiDeps,
): Promise<TargetDetail> {
  const { store, config, clock } = deps;
  const { pointer, inventory, target } = view;
  const now = clock.now();
  const [snapshot, open, runs, suspensions] = await Promise.all([
    readPlaced(store, target.application, pointer.snapshot, inventory),
    openEpisodes(store, target),
    readRuns(store, target, { now, most: runsShown }),
    readSuspensions(store),
  ]);
  const labels = new Map(config.clusters.map((each) => [each.name, each.labels]));
  const row = rowOf(view, { suspensions, labels, repositories: config.repositories, now });
  const applied = inventory?.applied;
  const suspension = suspensionOf(suspensions, target, now);
  const pin = describePin(pointer);
  const confirm = askedToConfirm(inventory);
  const lastRun = runs[0]?.run;
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
    runs: runs.map(({ run, key }) => runBriefOf(run, key, cloneUrl)),
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
      ...healthOf(healths.get(key), inventory),
      ...(drift !== undefined && { drift }),
      ...(entry?.kept !== undefined && { kept: entry.kept.message }),
    };
  });
}

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
