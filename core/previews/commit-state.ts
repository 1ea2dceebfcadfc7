import type { RepositoryConfig } from '../contract/repository.ts';
import { keys } from '../contract/keys.ts';
import { trackedRef } from '../contract/tracked-ref.ts';
import { readDocument } from '../documents.ts';
import type { Fault } from '../errors.ts';
import type { PlacedCommit } from '../preview-ports.ts';
import { inBatches } from '../in-batches.ts';
import { desiredPointerSchema, repositoryStateSchema, type DesiredPointer } from '../model/desired.ts';
import { targetKey, type Target } from '../model/target.ts';
import { isoTime } from '../model/time.ts';
import { OverlayStore } from '../preview/overlay-store.ts';
import type { Bus, Git, Store } from '../ports.ts';
import { produce, type ProduceDeps } from '../produce.ts';
import { KeptStore, type Side } from './kept-store.ts';

/** What looking at a commit asks of the world: what following one does, but nothing to tell of it. */
export type CommitStateDeps = Omit<ProduceDeps, 'bus' | 'queues' | 'metrics'>;

/** What the desired state would be if a commit were the head of the tracked branch. */
export interface CommitState {
  /** The records as they would be; nothing of it is written anywhere. */
  readonly store: Store;
  readonly pointers: ReadonlyMap<string, DesiredPointer>;
  /** All that would be wrong. */
  readonly faults: readonly Fault[];
  /** What came of it, in words. */
  readonly outcome: string;
}

/** What a commit is followed on: a copy of `below`, of which renders outlast the function in `kept`. */
export interface Ground {
  readonly below: Store;
  readonly kept: Store;
  /** Of the pull request. */
  readonly id: string;
  readonly side: Side;
}

const readsAtOnce = 16;
/** Those of a message that came often: a chart repository that does not answer is told of, not waited for. */
const patientReceives = 4;

/**
 * Follows a commit as a push of it would be followed, on a copy of the records: renders that are known there are
 * taken over, and pins, projects and tombstones count as they do. Throws Retry, and TimeOver as `examine` does.
 */
export async function commitState(
  repository: RepositoryConfig,
  commit: PlacedCommit,
  { below, kept, id, side }: Ground,
  deps: CommitStateDeps,
): Promise<CommitState> {
  const store = new KeptStore(new OverlayStore(below), kept, { repository: repository.name, id, side });
  await store.begin(repository);
  const told: Fault[] = [];
  const bus: Bus = {
    publish: async (events) => {
      for (const { type, detail } of events) if (type === 'SnapshotFailed') told.push(...detail.faults);
    },
  };
  const nothing = async (): Promise<void> => undefined;
  const queues = { run: nothing, runLater: nothing, sweep: nothing };
  const git = headAt(repository, commit, deps.git);
  const push = {
    version: 1 as const,
    at: isoTime(deps.clock.now()),
    deliveryId: 'preview',
    provider: 'preview',
    repository: repository.name,
    ref: trackedRef(repository),
    // Neither side: whatever the head is, is worth a look.
    before: commit.sha,
    after: commit.sha,
    deleted: false,
  };
  const world = { ...deps, store, git, bus, queues, metrics: { put: nothing } };
  const outcome = await produce(push, patientReceives, world);
  const state = (await readDocument(store, keys.repository(repository.name, push.ref), repositoryStateSchema))
    ?.value;
  const targets = targetsIn(state?.applications ?? {});
  return {
    store,
    pointers: await readPointers(store, targets),
    faults: told.length > 0 ? told : (state?.faults ?? []),
    outcome,
  };
}

export async function readPointers(
  store: Store,
  targets: readonly Target[],
): Promise<ReadonlyMap<string, DesiredPointer>> {
  const read = await inBatches(targets, readsAtOnce, async (target) => {
    const document = await readDocument(store, keys.desired(target), desiredPointerSchema);
    return document === undefined ? [] : [[targetKey(target), document.value] as const];
  });
  return new Map(read.flat());
}

function targetsIn(
  applications: Readonly<Record<string, { readonly clusters: readonly string[] }>>,
): readonly Target[] {
  return Object.entries(applications).flatMap(([application, { clusters }]) =>
    clusters.map((cluster) => ({ cluster, application })),
  );
}

/** The same hosts, one of whose tracked branches is elsewhere. */
function headAt(repository: RepositoryConfig, { sha, ref }: PlacedCommit, git: Git): Git {
  const isIt = ({ name }: RepositoryConfig): boolean => name === repository.name;
  return {
    head: async (one) => (isIt(one) ? sha : git.head(one)),
    heads: async (all) => {
      const others = all.filter((one) => !isIt(one));
      const heads = new Map(others.length === 0 ? [] : await git.heads(others));
      if (others.length < all.length) heads.set(repository.name, { sha, ref: trackedRef(repository) });
      return heads;
    },
    checkout: async (one, at) => (isIt(one) ? git.checkout(repository, at, ref) : git.checkout(one, at)),
  };
}
