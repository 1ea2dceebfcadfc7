import { desiredPointerSchema } from '../core/model/desired.ts';
import type { RunRequest } from '../core/model/run.ts';
import { targetKey, type Target } from '../core/model/target.ts';
import type { TrueupEvent } from '../core/contract/events.ts';
import { keys } from '../core/contract/keys.ts';
import { readDocument } from '../core/documents.ts';
import { messageOf } from '../core/errors.ts';
import { isoTime } from '../core/model/time.ts';
import { liftPin, lookBack, rollBack, rolledBackEvent } from '../core/rollback.ts';
import { seenNow } from '../core/suspend.ts';
import { reportOf } from './apply.ts';
import { awaitRuns } from './await-runs.ts';
import { CliError } from './cli-error.ts';
import { endTimeOf } from './end-time.ts';
import type { LocalSession, RecordsSession } from './local-session.ts';
import { tell } from './progress.ts';
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
  /** Beside it a pull request takes the change back in Git; default: as the Application says. */
  readonly revertPr?: boolean;
  readonly wait?: boolean;
  /** Seconds that `wait` may take. */
  readonly timeout?: number;
  readonly prune?: boolean;
  readonly confirmPrune?: number;
}

/** As long as the default of an Application. */
const waitSeconds = 15 * 60;

interface Moved {
  readonly line: string;
  readonly event?: TrueupEvent | undefined;
}

/** Moves the pointer of a target back, or forward again, and says so. */
async function move(session: RecordsSession, target: Target, options: RollbackOptions): Promise<Moved> {
  const { to, lift = false } = options;
  await assertResumed(session, target);
  if (lift) {
    const pointer = await liftPin(session, target);
    if (pointer === undefined)
      throw new CliError(`${targetKey(target)} is not rolled back: there is nothing to lift.`);
    const { sha, subject } = pointer.commit;
    return { line: `${targetKey(target)}: follows commits again, at ${short(sha)} (${subject})` };
  }
  const by = await session.whoAmI();
  const reason = options.reason ?? 'no reason was given';
  const {
    pointer,
    from,
    to: goal,
  } = await rollBack(session, target, {
    to,
    by,
    reason,
    until: endTimeOf(options.until),
  });
  const at = isoTime(session.clock.now());
  const event = rolledBackEvent(pointer, from, { at, revertPullRequest: options.revertPr });
  const line = `${targetKey(target)}: from ${short(from.commit.sha)} back to ${short(goal.commit.sha)} (${goal.commit.subject})`;
  return { line, event };
}

/** On a kubeconfig: and reconciles at once. */
export async function rollBackLocally(session: LocalSession, options: RollbackOptions): Promise<Report> {
  if (options.revertPr === true)
    throw new CliError('--revert-pr: an installation opens pull requests; name it with --stack.');
  const target = { cluster: session.cluster, application: options.app };
  await selectTargets(session.store, { app: options.app, cluster: session.cluster });
  const moved = await move(session, target, options);
  const { wait = false, prune = false, timeout = waitSeconds } = options;
  const patienceMs = timeout * 1000;
  const request: RunRequest = {
    ...requestOf(target, await session.whoAmI(), options),
    ...(prune ? {} : { keepUndesired: true }),
  };
  const tellOf = (line: string) => {
    tell(`${targetKey(target)}: ${line}`);
  };
  const report = reportOf(target, await runLocally(session, request, { wait, patienceMs, tell: tellOf }), {
    wait,
    prune,
  });
  return { ...report, text: `${moved.line}\n${report.text}` };
}

/** Of an installation: on every cluster that it is on or the one that is named; the runs are asked for. */
export async function rollBackStack(session: Session, options: RollbackOptions): Promise<Report> {
  if (options.prune === true) {
    throw new CliError(
      '--prune is for --store: an installation prunes as the Application says (--confirm-prune N where the cap asks).',
    );
  }
  const targets = await selectTargets(session.store, options);
  // Unique, so that our runs are told from those that somebody else asks for meanwhile.
  const requestedBy = `${await session.whoAmI()} ${session.ids.next()}`;
  const lines: string[] = [];
  const events: TrueupEvent[] = [];
  await assertMovable(session, targets, options);
  for (const target of targets) {
    const { line, event } = await move(session, target, options);
    await session.queues.run({
      ...requestOf(target, requestedBy, options),
      ...(await seenNow(session.store)),
    });
    lines.push(line);
    if (event !== undefined) events.push(event);
  }
  await announce(session, events, lines);
  const done = { targets, done: lines };
  if (options.wait !== true) return { data: done, text: lines.join('\n') };
  const { runs, lines: ended, exitCode } = await awaitRuns(session, targets, requestedBy);
  return { data: { ...done, runs }, text: [...lines, ...ended].join('\n'), exitCode };
}

/** Throws for each of several targets what moving it would, before one of them is moved. */
async function assertMovable(
  session: Session,
  targets: readonly Target[],
  { lift = false, to, until }: RollbackOptions,
): Promise<void> {
  for (const target of targets) {
    await assertResumed(session, target);
    if (lift) await assertPinned(session, target);
    else await lookBack(session, target, { to, until: endTimeOf(until) });
  }
}

async function assertPinned({ store }: RecordsSession, target: Target): Promise<void> {
  const pointer = await readDocument(store, keys.desired(target), desiredPointerSchema);
  if (pointer?.value.pin !== undefined) return;
  throw new CliError(
    `${targetKey(target)} is not rolled back: there is nothing to lift. Where others are, name their --cluster.`,
  );
}

/** The last thing that is done: it is no reason to be late. */
async function announce(
  { bus }: Session,
  events: readonly TrueupEvent[],
  done: readonly string[],
): Promise<void> {
  if (events.length === 0) return;
  try {
    await bus.publish(events);
  } catch (cause) {
    const why = `It is done, and nobody was told, so that no pull request is opened either: ${messageOf(cause)}`;
    throw new CliError([...done, why].join('\n'), { cause });
  }
}

function requestOf(target: Target, requestedBy: string, { confirmPrune }: RollbackOptions): RunRequest {
  const confirmed = confirmPrune === undefined ? {} : { confirmPrune };
  return { version: 1, target, reason: 'sync', requestedBy, ...confirmed };
}
