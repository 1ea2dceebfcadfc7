import { targetKey, type Target } from '../core/model/target.ts';
import { newestRuns, type KeyedRun } from '../core/run-history.ts';
import { CliError, exitCodes, type ExitCode } from './cli-error.ts';
import { coloured } from './report.ts';
import type { Session } from './session.ts';

const patienceMs = 10 * 60_000;
const pauseMs = 1000;

/** Runs that somebody waited for: a line for each, and `found` where one of them is not well. */
interface AwaitedRuns {
  readonly runs: readonly KeyedRun[];
  readonly lines: readonly string[];
  readonly exitCode: ExitCode;
}

/**
 * Waits until a run of each target has ended that was asked for by this name, which is nobody else's, and until its health
 * has settled. Throws CliError after ten minutes.
 */
export async function awaitRuns(
  session: Session,
  targets: readonly Target[],
  requestedBy: string,
): Promise<AwaitedRuns> {
  const runs = await runsOf(session, targets, requestedBy);
  return {
    runs,
    lines: runs.map(told),
    exitCode: runs.every(isGood) ? exitCodes.ok : exitCodes.found,
  };
}

async function runsOf(
  { store, clock }: Session,
  targets: readonly Target[],
  requestedBy: string,
): Promise<readonly KeyedRun[]> {
  const deadline = clock.now() + patienceMs;
  for (;;) {
    const runs = (await newestRuns(store, targets, { now: clock.now(), days: 2, most: Infinity })).filter(
      (run) => run.requestedBy === requestedBy,
    );
    const done = runs.filter(isDone);
    if (done.length === targets.length) return done;
    if (clock.now() > deadline) {
      const left = targets.filter(
        (target) => !done.some((run) => targetKey(run.target) === targetKey(target)),
      );
      throw new CliError(
        `After ${patienceMs / 60_000} minutes there is no end of: ${left.map(targetKey).join(', ')}. See \`trueup history\` and \`trueup status\`.`,
      );
    }
    await clock.sleep(pauseMs);
  }
}

function isDone({ outcome, health, reason }: KeyedRun): boolean {
  if (outcome === undefined) return false;
  // Its new pods are the target's health, which is not noted with it.
  if (reason === 'restart') return true;
  return outcome.kind !== 'applied' || (health !== undefined && health.status !== 'Progressing');
}

function isGood({ outcome, health, only }: KeyedRun): boolean {
  // Some objects of a revision that is not applied as a whole: those that were asked for are in.
  if (only !== undefined && outcome?.kind === 'cancelled') {
    return outcome.counts.failed === 0 && outcome.objects.length >= only.length;
  }
  return outcome?.kind === 'applied' && health?.status !== 'Degraded' && health?.status !== 'Missing';
}

function told({ target, outcome, health, reason }: KeyedRun): string {
  const said = outcome?.message ?? '';
  const how = reason === 'restart' ? '' : `; ${coloured(health?.status ?? 'Unknown')}`;
  return `${targetKey(target)}: ${coloured(outcome?.kind ?? 'unfinished')}${said === '' ? '' : `, ${said}`}${how}`;
}
