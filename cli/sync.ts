import { keys } from '../core/contract/keys.ts';
import { readDocument } from '../core/documents.ts';
import { desiredPointerSchema } from '../core/model/desired.ts';
import { targetKey, type Target } from '../core/model/target.ts';
import { CliError, exitCodes } from './cli-error.ts';
import { readRuns, type KeyedRun } from './history.ts';
import { coloured, type Report } from './report.ts';
import type { Session } from './session.ts';
import { selectTargets, type Selection } from './targets.ts';

const patienceMs = 10 * 60_000;
const pauseMs = 1000;

export interface SyncOptions extends Selection {
  readonly app: string;
  readonly wait?: boolean;
  /** As many objects as the person agrees to lose, where the cap asked. */
  readonly confirmPrune?: number;
}

/** Asks for a run of each target of an application; with `wait`, until each has ended and its health has settled. */
export async function sync(
  session: Session,
  { wait = false, confirmPrune, ...selection }: SyncOptions,
): Promise<Report> {
  const targets = await selectTargets(session.store, selection);
  // Unique, so that our runs are told from those that somebody else asks for meanwhile.
  const requestedBy = `${await session.whoAmI()} ${session.ids.next()}`;
  const trace = traceOf('person', isoTime(session.clock.now()), requestedBy);
  const confirmed = confirmPrune === undefined ? {} : { confirmPrune };
  for (const target of targets) {
    const pointer = await readDocument(session.store, keys.desired(target), desiredPointerSchema);
    const seen = pointer === undefined ? {} : { revision: pointer.value.revision };
    await session.queues.run({ version: 1, target, reason: 'sync', requestedBy, trace, ...seen, ...confirmed });
  }
  if (!wait) {
    const text = targets.map((target) => `${targetKey(target)}: asked for a run`).join('\n');
    return { data: { requestedBy, targets }, text };
  }
  const runs = await runsOf(session, targets, requestedBy);
  return {
    data: { requestedBy, runs },
    text: runs.map(told).join('\n'),
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
    const runs = (await readRuns(store, targets, { now: clock.now(), days: 2, most: Infinity })).filter(
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

function isDone({ outcome, health }: KeyedRun): boolean {
  if (outcome === undefined) return false;
  return outcome.kind !== 'applied' || (health !== undefined && health.status !== 'Progressing');
}

function isGood({ outcome, health }: KeyedRun): boolean {
  return outcome?.kind === 'applied' && health?.status !== 'Degraded' && health?.status !== 'Missing';
}

function told({ target, outcome, health }: KeyedRun): string {
  const said = outcome?.message ?? '';
  return `${targetKey(target)}: ${coloured(outcome?.kind ?? 'unfinished')}${said === '' ? '' : `, ${said}`}; ${coloured(health?.status ?? 'Unknown')}`;
}
