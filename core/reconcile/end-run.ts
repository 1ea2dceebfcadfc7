import { keys } from '../contract/keys.ts';
import { metrics } from '../contract/metrics.ts';
import { writeDocument } from '../documents.ts';
import { closeAllEpisodes, closeEpisodes } from '../episodes.ts';
import { askAnew } from '../lost-snapshot.ts';
import type { Settings } from '../model/desired.ts';
import type { HealthStatus } from '../model/health.ts';
import type { Inventory } from '../model/inventory.ts';
import { refKey } from '../model/object.ts';
import type { Plan } from '../model/plan.ts';
import type { RunRecord, RunRequest } from '../model/run.ts';
import { whyHeld } from '../holds.ts';
import { isoTime, millisecondsOf, secondsBetween } from '../model/time.ts';
import { waitingToGo } from '../plan.ts';
import {
  busySeconds,
  continueDelaySeconds,
  longestDelaySeconds,
  retryDelaySeconds,
  retryTries,
  lookDelaySeconds,
} from './delays.ts';
import { lookAtStage, wakeStages } from './next-stage.ts';
import { openFailHooks } from './fail-hooks.ts';
import { Halted } from './halted.ts';
import { healthSince, isUnsettled, type SeenHealth } from './read-health.ts';
import type { RunContext } from './run-context.ts';
import { judge, type Ending, type Verdict } from './run-outcome.ts';
import { sendLeadTimes, traceOfRun } from './run-trace.ts';
import { isBegunBefore, Waiting, windowOf } from './waiting.ts';
import { trialSeen } from './trial.ts';
import { askForWatch } from './watch-trial.ts';

/** The record of a run: with its plan before the first effect, with its outcome after the last. */
export function recordOf({ request, goal, runId, startedAt }: RunContext, plan: Plan): RunRecord {
  const { target, reason, requestedBy, only } = request;
  const { revision, snapshot, commit, rollout, pointer } = goal;
  const trace = traceOfRun(request, goal);
  const asked = { target, reason, requestedBy, ...(trace && { trace }) };
  const rollback = rollout && pointer.pin && { by: pointer.pin.by, reason: pointer.pin.reason };
  const told = { ...(only && { only }), ...(rollback && { rollback }) };
  return { version: 1, id: runId, ...asked, revision, snapshot, commit, startedAt, ...told, plan };
}

export function runKeyOf({ request, runId, startedAt }: RunContext): string {
  return keys.run(request.target, startedAt, runId);
}

/**
 * Writes down how a run ended. What follows is asked for first and the inventory is written last: it alone says that
 * the work is done, so a run that dies in between is repeated and nothing of this is lost, at worst it comes twice.
 */
export async function endRun(
  context: RunContext,
  ending: Ending,
  health: SeenHealth | undefined,
): Promise<RunRecord> {
  const { deps } = context;
  const verdict = tellingWhatWaits(judge(ending), context.inventory.value);
  const at = isoTime(deps.clock.now());
  const attempt = attemptOf(context, verdict);
  const isUnderWay = (health !== undefined && isUnsettled(health)) || isPruning(ending);
  const waiting = waitingAfter(context, verdict, ending);
  const hasOpenHooks = openFailHooks(context.inventory.value, context.goal.revision).length > 0;
  await askForMore(context, verdict, ending, { attempt, isUnderWay, hasOpenHooks, waiting });
  const record: RunRecord = {
    ...recordOf(context, ending.plan),
    outcome: { ...verdict.outcome, at },
    ...(health !== undefined && { health: { status: health.status, at, objects: [...health.objects] } }),
  };
  await askForWatch(context, record, { ...ending, isRetried: verdict.retry === 'later' });
  await writeDocument(deps.store, runKeyOf(context), record, 'any');
  await closeDrift(context, ending);
  if (verdict.outcome.kind === 'applied') await closeDriftOfGone(context);
  if (!isToldAlready(context, record)) await announce(context, record, health?.status ?? 'Unknown');
  if (ending.error instanceof Halted && ending.error.reason === 'lease-lost') return record;
  const isWhole = context.request.only === undefined && verdict.outcome.kind === 'applied';
  await context.inventory.save(({ waiting: _before, restarted: _over, askedAlone, ...inventory }) => ({
    ...inventory,
    ...(askedAlone !== undefined && !isWhole && { askedAlone }),
    ...(waiting !== undefined && { waiting }),
    ...appliedBy(context, verdict, { at, health: health?.status }),
    ...lastRunBy(context, verdict, ending, { at, attempt }),
    ...(health !== undefined && { health: healthSince(inventory.health, health, at) }),
    ...(verdict.outcome.kind === 'applied' &&
      health !== undefined &&
      trialSeen(inventory.trial, { revision: context.goal.revision, status: health.status, at })),
  }));
  const isIn = verdict.outcome.kind === 'applied' && health?.status === 'Healthy';
  if (isIn && context.goal.rollout) await wakeStages(deps, context.goal.pointer);
  return record;
}

/**
 * Some objects alone say nothing of whether their revision may be applied, nor of an object that failed before: how the
 * last run of all of them ended stands, and so does the retry that is due.
 */
function lastRunBy(
  context: RunContext,
  verdict: Verdict,
  ending: Ending,
  { at, attempt }: { readonly at: string; readonly attempt: number },
): Pick<Inventory, 'lastRun'> {
  const { request, goal, runId } = context;
  const { kind, message } = verdict.outcome;
  if (request.only !== undefined) return {};
  const { error } = ending;
  return {
    lastRun: {
      runId,
      key: runKeyOf(context),
      revision: goal.revision,
      reason: reasonBehind(context),
      outcome: kind,
      at,
      message,
      attempt,
      retry: verdict.retry !== 'never',
      ...(error instanceof Halted && error.by !== undefined && { stoppedBy: error.by }),
      ...traceLeft(context, verdict, ending),
    },
  };
}

/** What is known of the cluster besides the outcome: whether anything of a revision that was not applied may be there. */
function traceLeft(
  { goal, inventory: { value } }: RunContext,
  { outcome }: Verdict,
  { untouched }: Ending,
): Pick<NonNullable<Inventory['lastRun']>, 'untouched' | 'leftBehind'> {
  const { lastRun } = value;
  const wasTouched = lastRun?.revision === goal.revision && lastRun.untouched !== true;
  const isLeft = outcome.kind !== 'applied' && isBegunBefore(value);
  return {
    ...(untouched === true && !wasTouched && { untouched }),
    ...(isLeft && { leftBehind: true }),
  };
}

/** A retry has no reason of its own. */
function reasonBehind({ request: { reason }, goal, inventory }: RunContext): RunRequest['reason'] {
  const last = inventory.value.lastRun;
  return reason === 'retry' && last?.revision === goal.revision ? (last.reason ?? reason) : reason;
}

/** Applied, though some objects that Git gave up are still there: said wherever the outcome is. */
function tellingWhatWaits(verdict: Verdict, inventory: Inventory): Verdict {
  const waits = waitingToGo(inventory);
  const { outcome } = verdict;
  if (outcome.kind !== 'applied' || waits === undefined) return verdict;
  return { ...verdict, outcome: { ...outcome, message: `${outcome.message}; ${waits}` } };
}

/** Failures of one revision in a row. A run that only stopped in time is none. */
function attemptOf({ goal, inventory }: RunContext, { outcome }: Verdict): number {
  if (outcome.kind === 'applied' || outcome.kind === 'waiting') return 0;
  const last = inventory.value.lastRun;
  const before = last?.revision === goal.revision ? last.attempt : 0;
  return outcome.kind === 'cancelled' ? before : before + 1;
}

function isPruning({ results }: Ending): boolean {
  return results.some(({ outcome }) => outcome.outcome === 'pruning');
}

/** What a revision waits for from now on. What time may mend leaves the window of its wait as it is. */
function waitingAfter(
  context: RunContext,
  { outcome, retry }: Verdict,
  { error }: Ending,
): Inventory['waiting'] {
  const { waiting } = context.inventory.value;
  // Single objects wait for nothing, and end no wait of the revision.
  if (context.request.only !== undefined) return waiting;
  if (error instanceof Waiting) return windowOf(context, error);
  // A heal of what is applied: the revision beyond it waits for its stage as before.
  if (waiting?.on === 'rollout' && waiting.revision !== context.goal.revision) return waiting;
  const isSame = waiting?.revision === context.goal.revision;
  // Whoever goes on with it later begins a new window.
  if (error instanceof Halted && error.reason === 'cancelled' && isSame) return undefined;
  return isSame && (retry === 'later' || outcome.kind === 'cancelled') ? waiting : undefined;
}

/** A wait of minutes is one piece of news, however many runs look whether it is over. */
function isToldAlready({ inventory, goal }: RunContext, { outcome }: RunRecord): boolean {
  const last = inventory.value.lastRun;
  const isSame = last?.revision === goal.revision && last.message === outcome?.message;
  return isSame && outcome?.kind === 'waiting' && last.outcome === 'waiting';
}

/** What follows from how a run ended. */
interface Following {
  readonly attempt: number;
  /** Health or deletions are under way. */
  readonly isUnderWay: boolean;
  /** Fail hooks are at work, which change nothing any more. */
  readonly hasOpenHooks: boolean;
  readonly waiting: Inventory['waiting'];
}

async function askForMore(
  { deps, request, goal, holds }: RunContext,
  { outcome, retry, afterSeconds }: Verdict,
  { error, results }: Ending,
  { attempt, isUnderWay, hasOpenHooks, waiting }: Following,
): Promise<void> {
  const { target, requestedBy, trace } = request;
  await askAnew([{ error, pointer: goal.pointer }], deps);
  const same = { version: 1 as const, target, requestedBy, ...(trace && { trace }) };
  const next = (reason: RunRequest['reason']): RunRequest => ({ ...same, reason });
  // A retry or a wait would be of the whole revision.
  if (request.only !== undefined && outcome.kind !== 'applied' && !(error instanceof Halted)) return;
  if (error instanceof Halted) {
    // Whoever resumes it asks for the rest, and so does the sweep; of what was cancelled a person does.
    if (/^(?:suspended|cancelled|partial)$/.test(error.reason)) return;
    const reason = reasonToGoOn(request.reason, goal.settings.sync, error);
    const more = reason === 'sync' ? agreedAfter(request, goal.pointer.revision, error) : next(reason);
    // The next one may come no further: nothing else would keep it from doing so for ever, one upon another.
    const isStuck = error.reason === 'out-of-time' && results.length === 0;
    // Whoever has the lease now may hold it for long.
    if (error.reason === 'lease-lost') await deps.queues.runLater(more, busySeconds);
    else if (isStuck) await deps.queues.runLater(more, longestDelaySeconds);
    else await deps.queues.run(more);
  } else if (waiting?.on === 'rollout' && error instanceof Waiting) {
    await lookAtStage(request, error, deps);
  } else if (outcome.kind === 'waiting' && waiting !== undefined) {
    const now = deps.clock.now();
    // In a freeze only what a person asks for goes on.
    const isHeld = request.reason === 'sync' && whyHeld('push', goal.pointer, holds, now) !== undefined;
    const { until = isoTime(now) } = waiting;
    const left = Math.max(1, Math.ceil((millisecondsOf(until) - now) / 1000));
    const delay = continueDelaySeconds(secondsBetween(waiting.since, isoTime(now)));
    const { revision } = goal.pointer;
    const more: RunRequest = { ...request, revision, reason: isHeld ? 'sync' : 'continue' };
    await deps.queues.runLater(more, Math.min(delay, left));
  } else if (retry === 'later' && attempt < retryTries) {
    // A retry may apply everything again; a heal goes on as one, and leaves alone what is only observed.
    const reason = request.reason === 'heal' ? 'heal' : 'retry';
    await deps.queues.runLater(next(reason), retryDelaySeconds(attempt, afterSeconds));
  } else if ((outcome.kind === 'applied' && isUnderWay) || hasOpenHooks) {
    await deps.queues.runLater(next('health'), lookDelaySeconds(0) ?? 0);
  }
}

/** A person's wish holds for whatever is newest by then; a commit that they have not asked for is not applied. */
function reasonToGoOn(
  reason: RunRequest['reason'],
  sync: Settings['sync'],
  halted: Halted,
): RunRequest['reason'] {
  if (reason === 'sync' || reason === 'heal') return reason;
  return sync === 'manual' && halted.reason !== 'superseded' ? reason : 'push';
}

/** What a person agreed to lose was of the revision that they saw. */
function agreedAfter(request: RunRequest, seen: number, { reason }: Halted): RunRequest {
  const { confirmPrune, ...rest } = { revision: seen, ...request };
  return reason === 'superseded' || confirmPrune === undefined ? rest : { ...rest, confirmPrune };
}

/** What was applied or deleted drifts no more. */
async function closeDrift(context: RunContext, ending: Ending): Promise<void> {
  const { deps, request, runId, brokenLoops: broken } = context;
  const objects = ending.results.filter(
    ({ failure, outcome }) => failure === undefined && outcome.outcome !== 'skipped',
  );
  if (objects.length === 0) return;
  const state = request.reason === 'sync' ? 'healed' : 'overwritten';
  const healing = ending.plan.actions.filter(({ heals }) => heals === true);
  const heals = new Set(healing.map(({ ref }) => refKey(ref)));
  const keysOf = objects.map(({ key }) => key);
  await closeEpisodes(deps, { target: request.target, state, runId, objects: keysOf, heals, broken });
}

/** What Git gave up does not drift, though nothing was done to it: orphans are left as they are. */
async function closeDriftOfGone({ deps, request, goal, inventory, runId }: RunContext): Promise<void> {
  if (goal.pointer.state !== 'gone' || Object.keys(inventory.value.entries).length > 0) return;
  await closeAllEpisodes(deps, { target: request.target, state: 'overwritten', runId });
}

async function announce(context: RunContext, record: RunRecord, health: HealthStatus): Promise<void> {
  const { outcome, commit, revision, trace } = record;
  if (outcome === undefined) return;
  const { deps, request, runId } = context;
  const { target, reason } = request;
  const { kind, counts, message, at } = outcome;
  const { pointer, settings } = context.goal;
  // What nobody has merged yet calls nobody; that something of it stays behind does.
  const isPreview = settings.environment !== undefined && pointer.state === 'present';
  if ((kind === 'failed' || kind === 'blocked') && !isPreview) {
    // The alarm is of the fleet; the cluster is for the dashboard.
    const failed = { name: metrics.failedRuns, value: 1, unit: 'Count' } as const;
    await deps.metrics.put([failed, { ...failed, cluster: target.cluster }]);
  }
  if (kind === 'applied' && context.goal.rollout)
    await sendLeadTimes(deps.metrics, record, at, { applied: true, health });
  const run = { runId, runKey: runKeyOf(context), reason, revision, ...(trace && { trace }) };
  const detail = { version: 1 as const, at, target, ...run };
  const result = { sha: commit.sha, outcome: kind, counts, health, message };
  await deps.bus.publish([{ type: 'ReconcileFinished', detail: { ...detail, ...result } }]);
}

function appliedBy(
  { goal, runId, inventory }: RunContext,
  { outcome }: Verdict,
  { at, health }: { readonly at: string; readonly health: HealthStatus | undefined },
): Pick<Inventory, 'applied'> {
  if (outcome.kind !== 'applied') return {};
  const { revision, snapshot, commit, pointer } = goal;
  const gone = pointer.state === 'gone' ? ({ gone: true } as const) : {};
  const before = inventory.value.applied;
  const isSame = before?.revision === revision;
  const since = isSame ? (before.since ?? before.at) : at;
  const wasHealthy = health === 'Healthy' || (isSame && before.healthy === true);
  const healthy = wasHealthy ? ({ healthy: true } as const) : {};
  return { applied: { revision, snapshot, sha: commit.sha, commit, runId, at, since, ...healthy, ...gone } };
}
