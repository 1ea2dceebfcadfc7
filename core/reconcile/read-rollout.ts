import { keys } from '../contract/keys.ts';
import { readDocument } from '../documents.ts';
import type { Holds } from '../holds.ts';
import { inBatches } from '../in-batches.ts';
import { clusterCheckSchema } from '../model/check.ts';
import { repositoryStateSchema, type DesiredPointer } from '../model/desired.ts';
import { promotionsSchema, type Promotion } from '../model/rollout.ts';
import { suspensionOf } from '../model/suspension.ts';
import { targetKey, type Target } from '../model/target.ts';
import type { Store } from '../ports.ts';
import { placeOf, type Peer, type Place } from './rollout-gate.ts';
import { readStanding } from './standing.ts';

const readsAtOnce = 16;

/** Where a target stands by the state of its repository; `isMoving`: other pointers of the application may be old. */
export interface RolloutState {
  readonly place: Place;
  readonly isMoving: boolean;
}

/** Undefined where nothing says which stages there are. */
export async function readRolloutState(
  store: Store,
  { target, repository, ref }: Pick<DesiredPointer, 'target' | 'repository' | 'ref'>,
): Promise<RolloutState | undefined> {
  const state = (await readDocument(store, keys.repository(repository, ref), repositoryStateSchema))?.value;
  const { application, cluster } = target;
  const known = Object.hasOwn(state?.applications ?? {}, application)
    ? state?.applications[application]
    : undefined;
  if (known?.stages === undefined) return undefined;
  const moving = new Set(state?.moving?.targets);
  const isMoving = known.clusters.some((one) => moving.has(targetKey({ application, cluster: one })));
  return { place: placeOf(known.stages, cluster), isMoving };
}

export async function readPromotions(store: Store, application: string): Promise<readonly Promotion[]> {
  const found = await readDocument(store, keys.promotions(application), promotionsSchema);
  return found?.value.promotions ?? [];
}

export async function readPeer(
  { store, suspensions, now }: { store: Store; suspensions: Holds['suspensions']; now: number },
  target: Target,
): Promise<Peer> {
  const [{ pointer, inventory }, check] = await Promise.all([
    readStanding(store, target),
    readDocument(store, keys.check(target.cluster), clusterCheckSchema),
  ]);
  return {
    target,
    pointer,
    inventory,
    check: check?.value.targets[target.application],
    unreachable: check?.value.unreachable,
    suspension: suspensionOf(suspensions, target, now),
  };
}

/** Looks at targets in their order, some at a time, as far as those of which at least one gives an answer: all their answers. */
export async function firstBatch<T>(
  clusters: readonly string[],
  look: (cluster: string) => Promise<T | undefined>,
): Promise<readonly T[]> {
  for (let start = 0; start < clusters.length; start += readsAtOnce) {
    const batch = clusters.slice(start, start + readsAtOnce);
    const found = (await inBatches(batch, readsAtOnce, look)).filter((one) => one !== undefined);
    if (found.length > 0) return found;
  }
  return [];
}
