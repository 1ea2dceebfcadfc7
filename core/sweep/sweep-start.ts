import { keys } from '../contract/keys.ts';
import type { Document } from '../documents.ts';
import { closeAllEpisodes, driftingApplications } from '../episodes.ts';
import { Stop, messageOf } from '../errors.ts';
import { inBatches } from '../in-batches.ts';
import { clusterCheckSchema, type ClusterCheck } from '../model/check.ts';
import { keyedDigest } from '../model/digest.ts';
import { askForExpiredPins } from './expired-pins.ts';
import type { CheckDeps } from './check-target.ts';
import { MemoryOfCluster } from './cluster-memory.ts';
import type { KnownDocuments } from './known-documents.ts';
import { openExtrasOf } from './open-extras.ts';
import { Records, sameVersions, type AllVersions } from './records.ts';
import type { SweptCluster, SweptTarget } from './swept-cluster.ts';
import { isFinished, readTargetState } from './target-state.ts';

/** What the records say when a sweep begins, before it looks at the cluster. */
export interface SweepStart {
  readonly documents: KnownDocuments;
  readonly previous: Document<ClusterCheck> | undefined;
  readonly memory: MemoryOfCluster;
  readonly records: Records;
  readonly versions: AllVersions;
  readonly drifting: ReadonlySet<string>;
  readonly openExtras: SweptCluster['openExtras'];
  readonly digestKey: Uint8Array;
  readonly mask: SweptCluster['mask'];
}

const readsAtOnce = 8;

export async function startSweep(
  { store, sealer, documents }: Pick<CheckDeps, 'store' | 'sealer'> & { readonly documents: KnownDocuments },
  cluster: string,
): Promise<SweepStart> {
  const records = new Records(store, cluster);
  const [previous, memory, versions, drifting, digestKey] = await Promise.all([
    documents.read(store, keys.check(cluster), clusterCheckSchema),
    MemoryOfCluster.read({ store, documents, cluster }),
    records.now(),
    driftingApplications(store, cluster),
    sealer.digestKey(),
  ]);
  const mask = (secret: string) => keyedDigest(digestKey, secret);
  const openExtras = await openExtrasOf(store, cluster, drifting);
  return { documents, previous, memory, records, versions, drifting, openExtras, digestKey, mask };
}

/**
 * The targets of a cluster, the records read of those that need it: all whose records changed since they were last found
 * in order, or that were not. `server` is undefined while the cluster does not answer. Finished ones are seen to.
 */
export async function openTargets(
  deps: CheckDeps,
  start: SweepStart,
  { cluster, server }: { readonly cluster: string; readonly server: string | undefined },
): Promise<readonly SweptTarget[]> {
  const { previous, memory, versions, drifting } = start;
  const found: (SweptTarget | undefined)[] = [];
  const unsettled: Omit<SweptTarget, 'state'>[] = [];
  for (const [application, records] of versions) {
    if (memory.isFinished(application, records) && !drifting.has(application)) continue;
    const target = { cluster, application };
    const known = server === undefined ? undefined : memory.target(application, server);
    const last = previous?.value.targets[application];
    const one = { target, versions: records, memory: known, previous: last };
    const isSettled = known?.settled !== undefined && sameVersions(records, known.records);
    if (isSettled && !drifting.has(application)) found.push({ ...one, state: undefined });
    else unsettled.push(one);
  }
  const opened = await inBatches(unsettled, readsAtOnce, async (one) =>
    orUnreadable(one, async () => {
      const state = await openState(deps, one);
      return state === undefined ? undefined : { ...one, state };
    }),
  );
  found.push(...opened);
  const targets = found.filter((one) => one !== undefined);
  const states = targets.flatMap(({ state }) => state ?? []);
  await askForExpiredPins(
    states.map(({ pointer }) => pointer),
    deps,
  );
  const open: SweptTarget[] = [];
  for (const one of targets) {
    const isDone = one.state !== undefined && isFinished(one.state);
    const left = isDone ? await orUnreadable(one, async () => finish(deps, one, start)) : one;
    if (left !== undefined) open.push(left);
  }
  return open;
}

/** A record that a person must restore concerns its target alone. */
async function orUnreadable(
  one: Omit<SweptTarget, 'state'>,
  work: () => Promise<SweptTarget | undefined>,
): Promise<SweptTarget | undefined> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof Stop)) throw error;
    return { ...one, state: undefined, unreadable: messageOf(error) };
  }
}

export async function openState(
  deps: CheckDeps,
  { target, versions, memory }: Pick<SweptTarget, 'target' | 'versions' | 'memory'>,
) {
  return readTargetState(deps, target, { versions, released: memory?.records.lease });
}

/** Nobody looks at a finished target again; what its last run left open is closed here, or it would alarm for ever. */
async function finish(
  deps: CheckDeps,
  { target, versions: records, state }: SweptTarget,
  { memory, drifting }: Pick<SweepStart, 'memory' | 'drifting'>,
): Promise<undefined> {
  if (state?.busy !== false) return;
  if (drifting.has(target.application)) await closeAllEpisodes(deps, { target, state: 'overwritten' });
  const nothing = { rulesDigest: '', versionOnly: false, objects: [] };
  memory.remember(target.application, { records, ...nothing, finished: true });
}
