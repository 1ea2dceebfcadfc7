import type { RunRequest } from '../core/model/run.ts';
import { targetKey, type Target } from '../core/model/target.ts';
import { liftPin, rollBack } from '../core/rollback.ts';
import { reportOf } from './apply.ts';
import { CliError } from './cli-error.ts';
import { endTimeOf } from './end-time.ts';
import type { LocalSession, RecordsSession } from './local-session.ts';
import { short, type Report } from './report.ts';
import { runLocally } from './run-locally.ts';
import type { Session } from './session.ts';
import { assertResumed } from './suspend.ts';
import { selectTargets, type Selection } from './targets.ts';

export interface RollbackOptions extends Selection {
  readonly app: string;
  readonly to?: string;
  readonly reason?: string;
  readonly until?: string;
  readonly lift?: boolean;
  readonly wait?: boolean;
  /** Seconds that `wait` may take. */
  readonly timeout?: number;
  readonly prune?: boolean;
  readonly confirmPrune?: number;
}

/** As long as the default of an Application. */
const waitSeconds = 15 * 60;

/** Moves the pointer of a target back, or forward again, and says so. */
async function move(session: RecordsSession, target: Target, options: RollbackOptions): Promise<string> {
  const { to, lift = false } = options;
  await assertResumed(session, target);
  if (lift) {
    const pointer = await liftPin(session, target);
    if (pointer === undefined)
      throw new CliError(`${targetKey(target)} is not rolled back: there is nothing to lift.`);
    return `${targetKey(target)}: follows commits again, at ${short(pointer.commit.sha)} (${pointer.commit.subject})`;
  }
  const by = await session.whoAmI();
  const reason = options.reason ?? 'no reason was given';
  const { from, to: goal } = await rollBack(session, target, {
    to,
    by,
    reason,
    until: endTimeOf(options.until),
  });
  return `${targetKey(target)}: from ${short(from.commit.sha)} back to ${short(goal.commit.sha)} (${goal.commit.subject})`;
}

/** On a kubeconfig: and reconciles at once. */
export async function rollBackLocally(session: LocalSession, options: RollbackOptions): Promise<Report> {
  const target = { cluster: session.cluster, application: options.app };
  await selectTargets(session.store, { app: options.app, cluster: session.cluster });
  const moved = await move(session, target, options);
  const { wait = false, prune = false, timeout = waitSeconds } = options;
  const patienceMs = timeout * 1000;
  const request: RunRequest = {
    ...(await requestOf(session, target, options)),
    ...(prune ? {} : { keepUndesired: true }),
  };
  const tell = (line: string) => process.stderr.write(`${targetKey(target)}: ${line}\n`);
  const report = reportOf(target, await runLocally(session, request, { wait, patienceMs, tell }), {
    wait,
    prune,
  });
  return { ...report, text: `${moved}\n${report.text}` };
}

/** Of an installation: on every cluster that it is on or the one that is named; the runs are asked for. */
export async function rollBackStack(session: Session, options: RollbackOptions): Promise<Report> {
  const targets = await selectTargets(session.store, options);
  const lines: string[] = [];
  for (const target of targets) {
    lines.push(await move(session, target, options));
    await session.queues.run(await requestOf(session, target, options));
  }
  return { data: { targets, done: lines }, text: lines.join('\n') };
}

async function requestOf(
  session: RecordsSession,
  target: Target,
  { confirmPrune }: RollbackOptions,
): Promise<RunRequest> {
  const confirmed = confirmPrune === undefined ? {} : { confirmPrune };
  return { version: 1, target, reason: 'sync', requestedBy: await session.whoAmI(), ...confirmed };
}
