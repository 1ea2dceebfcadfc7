import { writeDocument } from './documents.ts';
import { readHolds, whyHeld, type Holds } from './holds.ts';
import { acquireLease, type Lease } from './lease.ts';
import type { Inventory } from './model/inventory.ts';
import type { RunRecord, RunRequest } from './model/run.ts';
import { isoTime } from './model/time.ts';
import { readBrokenLoops } from './recent-heals.ts';
import { assertWhole, noteAskedAlone } from './reconcile/asked-alone.ts';
import { carryOut } from './reconcile/carry-out.ts';
import { chooseGoal, isAgreed, isWaitingForStage, type Goal } from './reconcile/choose-goal.ts';
import { busySeconds } from './reconcile/delays.ts';
import { assertDependencies, assertNoDependants } from './reconcile/dependencies.ts';
import { endRun, recordOf, runKeyOf } from './reconcile/end-run.ts';
import { lookAtHealth } from './reconcile/health-look.ts';
import { tellNeighbours } from './reconcile/hand-over.ts';
import { InventoryWriter } from './reconcile/inventory-writer.ts';
import { Met, takeBackIntents } from './reconcile/met.ts';
import { planWork, type PlannedWork } from './reconcile/plan-work.ts';
import { seeHealth, type SeenHealth } from './reconcile/read-health.ts';
import { lookAtStage } from './reconcile/next-stage.ts';
import { runFailHooks } from './reconcile/fail-hooks.ts';
import {
  assertNewest,
  isFirst,
  orCancelled,
  type Progress,
  type ReconcileDeps,
  type RunContext,
} from './reconcile/run-context.ts';
import { restartWorkloads } from './reconcile/restart-workloads.ts';
import { readStanding } from './reconcile/standing.ts';
import { isLifted, stopOf } from './reconcile/stopped.ts';
import { beginTrial } from './reconcile/trial.ts';
import type { StageHeld } from './reconcile/rollout-gate.ts';
import { Waiting, overdue } from './reconcile/waiting.ts';
import { watchTrial } from './reconcile/watch-trial.ts';
import { whyStaged } from './reconcile/why-staged.ts';

export type { ReconcileDeps } from './reconcile/run-context.ts';

/** The second one looks at what the first met; what comes to be after that, the next run looks at. */
const plansOfRun = 3;

/** What came of one request, for the log. */
export type ReconcileResult =
  | { readonly kind: 'rested' | 'deferred' | 'looked'; readonly why: string }
  | { readonly kind: 'ran'; readonly record: RunRecord };

/**
 * Handles one run request: makes the target what the desired pointer says, or finds that nothing is to be done. Outcomes
 * of the business kind are recorded and their retries scheduled; what it throws is trouble with AWS or a fault of ours.
 */
export async function reconcile(request: RunRequest, given: ReconcileDeps): Promise<ReconcileResult> {
  const deps = request.trace === undefined ? given : { ...given, trace: request.trace };
  if (request.reason === 'health') return lookAtHealth(request, deps);
  if (request.reason === 'watch') return watchTrial(request, deps);
  if (request.reason === 'restart') return restartWorkloads(request, deps);
  const { target } = request;
  const [standing, holds] = await Promise.all([
    readStanding(deps.store, target, request.reason),
    readHolds(deps, target.cluster),
  ]);
  const choice = chooseGoal(request, { ...standing, holds }, deps.clock.now());
  if (choice.kind === 'rest') return { kind: 'rested', why: choice.why };
  const stageHeld = await whyStaged(request, choice.goal, { ...standing, holds }, deps);
  const isLifting = isLifted(request, stopOf(choice.goal.pointer, standing.inventory, holds.suspensions));
  if (stageHeld !== undefined && !isLifting && isNoted(stageHeld, choice.goal, standing.inventory)) {
    await lookAtStage(request, stageHeld, deps);
    return { kind: 'rested', why: stageHeld.why };
  }
  const lease = await acquireLease(deps, target);
  if (lease === undefined) {
    await deps.queues.runLater(request, busySeconds);
    return { kind: 'deferred', why: 'another run is at work on this target' };
  }
  try {
    return await runUnderLease(request, lease, { holds, stageHeld, goal: choice.goal }, deps);
  } finally {
    await lease.release();
  }
}

/** A wait for a stage may take days: nothing is written while its reason is the same. */
function isNoted({ why }: StageHeld, { revision }: Goal, inventory: Inventory | undefined): boolean {
  return isWaitingForStage(inventory, revision) && inventory?.waiting?.reason === why;
}

/** What keeps a run from some or all of its work, as it was before the lease. */
interface Held {
  readonly holds: Holds;
  readonly stageHeld: StageHeld | undefined;
  /** What these were asked about. */
  readonly goal: Goal;
}

async function runUnderLease(
  request: RunRequest,
  lease: Lease,
  held: Held,
  deps: ReconcileDeps,
): Promise<ReconcileResult> {
  // What was read before the lease was another run's to change.
  const { target } = request;
  const standing = await readStanding(deps.store, target, request.reason);
  const choice = chooseGoal(request, { ...standing, holds: held.holds }, deps.clock.now());
  if (choice.kind === 'rest') return { kind: 'rested', why: choice.why };
  const { revision, rollout } = held.goal;
  // Whether another revision may begin was not asked.
  if (choice.goal.revision !== revision || choice.goal.rollout !== rollout) {
    await deps.queues.runLater(request, 0);
    return { kind: 'deferred', why: 'the desired state moved meanwhile' };
  }
  const context = await beginRun(request, choice.goal, { lease, held }, deps);
  return { kind: 'ran', record: await run(context) };
}

async function beginRun(
  asked: RunRequest,
  goal: Goal,
  { lease, held: { holds, stageHeld } }: { readonly lease: Lease; readonly held: Held },
  deps: ReconcileDeps,
): Promise<RunContext> {
  const request = agreedFor(goal.pointer.revision, asked);
  const inventory = await InventoryWriter.claim(deps.store, request.target, lease.token);
  const { holdsSeen } = request;
  if (holdsSeen !== undefined && isLifted(request, stopOf(goal.pointer, inventory.value, holds.suspensions)))
    await inventory.save((current) => ({ ...current, holdsSeen }));
  if (stageHeld === undefined && request.only === undefined) await beginTrial(inventory, goal, deps);
  const now = deps.clock.now();
  const startedAt = isoTime(now);
  const brokenLoops = request.reason === 'sync' ? undefined : await readBrokenLoops(deps, request.target);
  return {
    deps,
    request,
    // Of single objects neither hooks nor waves are waited for.
    goal: request.only === undefined ? goal : { ...goal, scope: 'all', rollout: false },
    lease,
    inventory,
    runId: deps.ids.next(),
    startedAt,
    holds,
    stageHeld,
    pruneFrozen: isAgreed(request, goal.pointer) ? undefined : whyHeld('prune', goal.pointer, holds, now),
    ...(brokenLoops && { brokenLoops }),
  };
}

/** Nobody agreed to lose what another revision than the one they saw gives up. */
function agreedFor(revision: number, { confirmPrune, ...request }: RunRequest): RunRequest {
  const isSeen = request.revision === undefined || request.revision === revision;
  return confirmPrune !== undefined && isSeen ? { ...request, confirmPrune } : request;
}

/** The stages of a run, in order. Whatever stops them, the outcome is written down. */
async function run(context: RunContext): Promise<RunRecord> {
  const progress: Progress = { results: [] };
  let work: PlannedWork | undefined;
  let health: SeenHealth | undefined;
  let error: unknown;
  try {
    await assertNewest(context);
    assertStage(context);
    await assertDependencies(context);
    await assertNoDependants(context);
    let tries = 0;
    do {
      tries += 1;
      work = await planWork(context, { presumesAbsent: tries === 1 && isFirst(context) });
      await noteIntent(context, work);
      await noteAskedAlone(context, work.decision);
    } while (!(await isCarriedOut(context, work, progress, tries)));
    if (work.decision.plan.refusal === undefined) {
      if (work.handOver !== undefined) {
        // Whom they are told of is what they read.
        await context.inventory.flush();
        await tellNeighbours(context, work.handOver, progress);
      }
      health = await healthAfter(context, work, progress);
      assertWhole(context, progress.results);
    }
  } catch (thrown) {
    error = overdue(context, thrown);
    if (error instanceof Waiting && work !== undefined) health = await healthAfter(context, work, progress);
  }
  const isWhole = error === undefined && progress.results.every(({ failure }) => failure === undefined);
  if (!isWhole) error = await orCancelled(context, error);
  const { decision, mayPass = false } = work ?? {};
  const ending = { plan: decision?.plan ?? { actions: [] }, results: progress.results, error, mayPass };
  const ended =
    work === undefined
      ? { ...ending, untouched: true as const }
      : await runFailHooks(context, work, ending, progress);
  return endRun(context, ended, health);
}

/** What was found before the lease was taken: nothing is begun while other targets come first. */
function assertStage({ stageHeld }: RunContext): void {
  if (stageHeld !== undefined) throw new Waiting('rollout', stageHeld.why, stageHeld.lookAt);
}

/** Whether the plan held; it does not where an object came to be that it was to create. */
async function isCarriedOut(
  context: RunContext,
  work: PlannedWork,
  progress: Progress,
  tries: number,
): Promise<boolean> {
  const before = context.inventory.value.entries;
  if (work.decision.plan.refusal !== undefined) return true;
  try {
    await carryOut(context, work, progress);
    return true;
  } catch (error) {
    if (!(error instanceof Met) || work.cluster === undefined) throw error;
    await takeBackIntents(context, error, { cluster: work.cluster, before });
    if (tries === plansOfRun) throw error;
    // What failed before is tried again.
    progress.results.splice(0, Infinity, ...progress.results.filter(({ failure }) => failure === undefined));
    return false;
  }
}

async function noteIntent(context: RunContext, { decision }: PlannedWork): Promise<void> {
  await writeDocument(context.deps.store, runKeyOf(context), recordOf(context, decision.plan), 'any');
}

async function healthAfter(
  { deps, inventory, goal }: RunContext,
  { cluster }: PlannedWork,
  { results }: Progress,
): Promise<SeenHealth | undefined> {
  if (cluster === undefined) return undefined;
  // What was applied a moment ago has been answered whole: reading it again would tell nothing new.
  const known = new Map(
    results.flatMap(({ key, live }) => (live === undefined ? [] : [[key, live] as const])),
  );
  if (Object.keys(inventory.value.entries).some((key) => !known.has(key))) await inventory.flush();
  return seeHealth(cluster, inventory.value, deps.clock, { checks: goal.settings.health, known });
}
