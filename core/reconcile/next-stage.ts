import { inBatches } from '../in-batches.ts';
import type { DesiredPointer } from '../model/desired.ts';
import type { RunRequest } from '../model/run.ts';
import type { Target } from '../model/target.ts';
import type { Clock, Queues, Store } from '../ports.ts';
import { longestDelaySeconds } from './delays.ts';
import { isWaitingForStage } from './choose-goal.ts';
import { firstBatch, readPeer, readRolloutState } from './read-rollout.ts';
import { judgePeer, stageAt, widthOf, type Peer } from './rollout-gate.ts';

interface StageDeps {
  readonly store: Store;
  readonly queues: Pick<Queues, 'runLater'>;
  readonly clock: Pick<Clock, 'now'>;
}

const messagesAtOnce = 16;

/** Asks for another look when it is known when: of anything further away, the sweep asks. */
export async function lookAtStage(
  request: RunRequest,
  { lookAt }: { readonly lookAt?: number | undefined },
  { queues, clock }: Pick<StageDeps, 'queues' | 'clock'>,
): Promise<void> {
  if (lookAt === undefined) return;
  const seconds = Math.max(1, Math.ceil((lookAt - clock.now()) / 1000));
  if (seconds <= longestDelaySeconds) await queues.runLater({ ...request, reason: 'promote' }, seconds);
}

/**
 * A target is in: asks those to look that may have waited for it, the next ones of its stage, or when that is in, those of
 * the next one. A hint that may be lost: the sweep asks all that wait.
 */
export async function wakeStages(deps: StageDeps, pointer: DesiredPointer): Promise<void> {
  const { target, repository, settings } = pointer;
  if (settings.rollout === undefined) return;
  const { place } = (await readRolloutState(deps.store, pointer)) ?? {};
  if (place === undefined) return;
  const now = deps.clock.now();
  const read = async (cluster: string): Promise<Peer> =>
    readPeer({ store: deps.store, suspensions: undefined, now }, { ...target, cluster });
  const { stages } = settings.rollout;
  const own = place.members[place.stage] ?? [];
  const width = widthOf(stageAt(stages, place.stage), own.length);
  const later = width < own.length ? own.slice(place.rank + 1) : [];
  const waiting = await firstBatch(later, async (cluster) => {
    const peer = await read(cluster);
    return isWaiting(peer) ? peer.target : undefined;
  });
  if (waiting.length > 0) return ask(deps, waiting.slice(0, width));
  const others = own.filter((cluster) => cluster !== target.cluster);
  const open = await firstBatch(others, async (cluster) => {
    const verdict = judgePeer(await read(cluster), { repository, now });
    return verdict.kind === 'in' ? undefined : verdict;
  });
  if (open.length > 0) return;
  const next = place.members.findIndex((clusters, stage) => stage > place.stage && clusters.length > 0);
  const following = place.members[next] ?? [];
  const first = following.slice(0, widthOf(stageAt(stages, next), following.length));
  await ask(
    deps,
    first.map((cluster) => ({ ...target, cluster })),
  );
}

function isWaiting({ pointer, inventory }: Peer): boolean {
  return pointer !== undefined && isWaitingForStage(inventory, pointer.revision);
}

async function ask({ queues }: StageDeps, targets: readonly Target[]): Promise<void> {
  await inBatches(targets, messagesAtOnce, async (target) =>
    queues.runLater({ version: 1, target, reason: 'promote', requestedBy: 'rollout' }, 0),
  );
}
