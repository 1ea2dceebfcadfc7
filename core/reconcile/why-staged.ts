import { Stop } from '../errors.ts';
import type { Holds } from '../holds.ts';
import type { Inventory } from '../model/inventory.ts';
import { isPinned } from '../model/pin.ts';
import type { Promotion } from '../model/rollout.ts';
import type { RunRequest } from '../model/run.ts';
import type { Alarms, Clock, Store } from '../ports.ts';
import { isWaitingForStage, type Goal } from './choose-goal.ts';
import { firstBatch, readPeer, readPromotions, readRolloutState } from './read-rollout.ts';
import {
  isCovered,
  isObstacle,
  judgePeer,
  promotedAt,
  stageAt,
  widthOf,
  type PeerVerdict,
  type Place,
  type StageHeld,
} from './rollout-gate.ts';
import { whyAlarmed } from './why-alarmed.ts';

interface GateDeps {
  readonly store: Store;
  readonly clock: Pick<Clock, 'now'>;
  readonly alarms?: Alarms;
}

/** Pointers are written within seconds. */
const soonMs = 15_000;

/**
 * Why a revision does not begin on a target yet; undefined where it may. Computed from the records of the application's
 * other targets: nothing is kept of a rollout but what people promoted. Not held are heals and syncs of what is applied, a
 * revision that was begun, a pin, and a target that a person names.
 */
export async function whyStaged(
  { reason, staged }: Pick<RunRequest, 'reason' | 'staged'>,
  goal: Pick<Goal, 'pointer' | 'settings' | 'rollout'>,
  { inventory, holds }: { readonly inventory: Inventory | undefined; readonly holds: Holds },
  deps: GateDeps,
): Promise<StageHeld | undefined> {
  const { pointer, settings } = goal;
  const now = deps.clock.now();
  if (settings.rollout === undefined || !goal.rollout || pointer.state === 'gone') return undefined;
  if ((reason === 'sync' && staged === undefined) || isPinned(pointer, now)) return undefined;
  if (isBegun(inventory, pointer.revision)) return undefined;
  const state = await readRolloutState(deps.store, pointer);
  // Both pass by themselves: nobody begins on a guess.
  if (state === undefined) return { why: 'nothing says yet which clusters are in which stage' };
  if (state.isMoving) return { why: 'a commit is being followed on other clusters', lookAt: now + soonMs };
  const promotions = await readPromotions(deps.store, pointer.target.application);
  return new Gate(goal, { inventory, holds, place: state.place, promotions }, deps).why();
}

/** Whether something of a revision may be on the cluster already: then it is brought to its end. */
function isBegun(inventory: Inventory | undefined, revision: number): boolean {
  if (inventory?.lastRun?.revision !== revision || inventory.lastRun.untouched === true) return false;
  const isUntouched =
    isWaitingForStage(inventory, revision) ||
    (inventory.waiting?.revision === revision && inventory.waiting.on === 'dependency');
  return !isUntouched;
}

interface Known {
  readonly inventory: Inventory | undefined;
  readonly holds: Holds;
  readonly place: Place;
  readonly promotions: readonly Promotion[];
}

/** One look at whether a target may begin. */
class Gate {
  readonly #goal: Pick<Goal, 'pointer' | 'settings'>;
  readonly #known: Known;
  readonly #deps: GateDeps;
  readonly #now: number;

  constructor(goal: Pick<Goal, 'pointer' | 'settings'>, known: Known, deps: GateDeps) {
    this.#goal = goal;
    this.#known = known;
    this.#deps = deps;
    this.#now = deps.clock.now();
  }

  async why(): Promise<StageHeld | undefined> {
    const { stage } = this.#known.place;
    for (let before = 0; before < stage; before += 1) {
      const held = await this.#whyNotIn(before);
      if (held !== undefined) return held;
    }
    return (await this.#whyNotInTurn()) ?? this.#whyAlarmed();
  }

  get #rollout() {
    return this.#goal.settings.rollout ?? { stages: [], alarms: [] };
  }

  /** An earlier stage must be in: every target healthy for as long as it soaks, and promoted where it pauses. */
  async #whyNotIn(stage: number): Promise<StageHeld | undefined> {
    const { name, soakSeconds, pause } = stageAt(this.#rollout.stages, stage);
    const promoted = this.#promoted(stage);
    const members = this.#known.place.members[stage] ?? [];
    const [first] = await this.#obstacles(members, promoted, soakSeconds);
    if (first?.kind === 'failed') return { stage: name, why: `stage ${name} has stopped: ${first.why}` };
    if (first?.kind === 'open')
      return { stage: name, why: `waits for stage ${name}: ${first.why}`, lookAt: first.until };
    if (pause !== true || promoted !== undefined) return undefined;
    const { application } = this.#goal.pointer.target;
    return {
      stage: name,
      why: `stage ${name} is in; it waits for \`trueup promote --app ${application} --stage ${name}\``,
    };
  }

  /** Of its own stage, no more are under way than may be, and none of those before it failed. */
  async #whyNotInTurn(): Promise<StageHeld | undefined> {
    const { members, stage, rank } = this.#known.place;
    const own = members[stage] ?? [];
    const { name, maxParallel } = stageAt(this.#rollout.stages, stage);
    const width = widthOf({ ...(maxParallel !== undefined && { maxParallel }) }, own.length);
    if (rank < width) return undefined;
    const promoted = this.#promoted(stage);
    // The nearest first: those are under way.
    const before = own.slice(0, rank).toReversed();
    let open = 0;
    for (let start = 0; start < before.length && open < width; start += width) {
      const found = await this.#obstaclesAmong(before.slice(start, start + width), promoted);
      const failed = found.find(({ kind }) => kind === 'failed');
      if (failed?.kind === 'failed') return { stage: name, why: `stage ${name} has stopped: ${failed.why}` };
      open += found.length;
    }
    if (open < width) return undefined;
    return { stage: name, why: `waits for its turn in stage ${name} (maxParallel ${String(maxParallel)})` };
  }

  /** Nothing has been tried before the first step: no alarm can be about it. */
  async #whyAlarmed(): Promise<StageHeld | undefined> {
    const { stage, rank, members } = this.#known.place;
    const { stages, alarms } = this.#rollout;
    const isFirst = stage === 0 && rank < widthOf(stageAt(stages, 0), members[0]?.length ?? 0);
    if (alarms.length === 0 || isFirst) return undefined;
    const isFree = stage === 0 || this.#promoted(stage - 1) !== undefined;
    const soakMs = isFree ? 0 : (stageAt(stages, stage - 1).soakSeconds ?? 0) * 1000;
    return whyAlarmed(alarms, { alarms: this.#deps.alarms, now: this.#now, soakMs });
  }

  /** When a person promoted that stage, if that counts for this target: one that is new takes what the others have. */
  #promoted(stage: number): number | undefined {
    const at = promotedAt(this.#known.promotions, this.#rollout.stages, stage);
    const isNew = this.#known.inventory?.applied === undefined;
    return isNew || isCovered(this.#goal.pointer, at) ? at : undefined;
  }

  async #obstacles(
    clusters: readonly string[],
    promoted: number | undefined,
    soakSeconds?: number,
  ): Promise<readonly PeerVerdict[]> {
    const found = await firstBatch(clusters, async (cluster) =>
      this.#obstacle(cluster, promoted, soakSeconds),
    );
    // What failed is told first: nobody waits for that.
    return found.toSorted((a, b) => Number(b.kind === 'failed') - Number(a.kind === 'failed'));
  }

  async #obstaclesAmong(
    clusters: readonly string[],
    promoted: number | undefined,
  ): Promise<readonly PeerVerdict[]> {
    const found = await Promise.all(clusters.map(async (cluster) => this.#obstacle(cluster, promoted)));
    return found.filter((one) => one !== undefined);
  }

  async #obstacle(
    cluster: string,
    promoted: number | undefined,
    soakSeconds?: number,
  ): Promise<PeerVerdict | undefined> {
    const { target, repository } = this.#goal.pointer;
    const { suspensions } = this.#known.holds;
    const from = { store: this.#deps.store, suspensions, now: this.#now };
    const peer = await readPeer(from, { ...target, cluster }).catch((error: unknown) => {
      if (error instanceof Stop) return error.message;
      throw error;
    });
    // What cannot be told is not in (rule 5).
    if (typeof peer === 'string')
      return { kind: 'open', why: `${cluster}: its records cannot be read: ${peer}` };
    const verdict = judgePeer(peer, { repository, now: this.#now, soakSeconds });
    return isObstacle(verdict, peer, promoted) ? verdict : undefined;
  }
}
