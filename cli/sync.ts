import { keys } from '../core/contract/keys.ts';
import { readDocument } from '../core/documents.ts';
import { desiredPointerSchema } from '../core/model/desired.ts';
import { targetKey, type Target } from '../core/model/target.ts';
import { isoTime } from '../core/model/time.ts';
import { traceOf } from '../core/model/trace.ts';
import { awaitRuns } from './await-runs.ts';
import { CliError } from './cli-error.ts';
import type { Report } from './report.ts';
import type { Session } from './session.ts';
import { whySuspended } from './suspend.ts';
import { selectTargets, type Selection } from './targets.ts';

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
  const { targets, held } = await freeTargets(session, selection);
  // Unique, so that our runs are told from those that somebody else asks for meanwhile.
  const requestedBy = `${await session.whoAmI()} ${session.ids.next()}`;
  const trace = traceOf('person', isoTime(session.clock.now()), requestedBy);
  const confirmed = confirmPrune === undefined ? {} : { confirmPrune };
  for (const target of targets) {
    const pointer = await readDocument(session.store, keys.desired(target), desiredPointerSchema);
    const seen = pointer === undefined ? {} : { revision: pointer.value.revision };
    // Whoever names a cluster means that one; else stages of a rollout are kept in order.
    const isStaged = selection.cluster === undefined && pointer?.value.settings.rollout !== undefined;
    if (isStaged && confirmPrune !== undefined) {
      throw new CliError('With --confirm-prune, say of which --cluster: a rollout has stages.');
    }
    await session.queues.run({
      version: 1,
      target,
      reason: 'sync',
      requestedBy,
      trace,
      ...seen,
      ...confirmed,
      ...(isStaged && { staged: true as const }),
    });
  }
  if (!wait) {
    const text = [...targets.map((target) => `${targetKey(target)}: asked for a run`), ...held].join('\n');
    return { data: { requestedBy, targets }, text };
  }
  const { runs, lines, exitCode } = await awaitRuns(session, targets, requestedBy);
  return { data: { requestedBy, runs }, text: [...lines, ...held].join('\n'), exitCode };
}

/** Targets that nobody has suspended, and a line for each of the others. Throws CliError where that is all of them. */
async function freeTargets(session: Session, selection: Selection) {
  const all = await selectTargets(session.store, selection);
  const targets: Target[] = [];
  const held: string[] = [];
  for (const target of all) {
    const why = await whySuspended(session, target);
    if (why === undefined) targets.push(target);
    else held.push(`${targetKey(target)}: ${why}`);
  }
  if (targets.length > 0) return { targets, held };
  throw new CliError(`Nothing was asked for: ${held.join('; ')}. End that first with \`trueup resume\`.`);
}
