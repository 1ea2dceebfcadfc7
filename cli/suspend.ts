import { desiredPointerSchema } from '../core/model/desired.ts';
import { describeSuspension, suspensionOf, type SuspensionScope } from '../core/model/suspension.ts';
import { targetKey, type Target } from '../core/model/target.ts';
import { keys } from '../core/contract/keys.ts';
import { readDocument } from '../core/documents.ts';
import { readSuspensions, resume, suspend } from '../core/suspend.ts';
import { CliError } from './cli-error.ts';
import { endTimeOf } from './end-time.ts';
import type { RecordsSession } from './local-session.ts';
import type { Report } from './report.ts';
import type { Session } from './session.ts';
import { selectTargets, type Selection } from './targets.ts';

export interface SuspendOptions extends Selection {
  readonly reason: string;
  readonly until?: string;
}

/** Nothing is written to the targets of an application, of a cluster, or to one target, until it ends. */
export async function suspendTargets(session: RecordsSession, options: SuspendOptions): Promise<Report> {
  const scope = scopeOf(options);
  const targets = await selectTargets(session.store, options);
  const until = endTimeOf(options.until);
  const by = await session.whoAmI();
  const wish = { by, reason: options.reason, ...(until !== undefined && { until }) };
  const suspension = await suspend(session, scope, wish);
  const text = `${describeSuspension(suspension)}\n${targets.length} targets: ${targets.map(targetKey).join(', ')}`;
  return { data: { suspension, targets }, text };
}

/** Ends it, and asks for the runs of what waits. Drift is healed after the next sweep. */
export async function resumeTargets(
  session: RecordsSession & Partial<Pick<Session, 'queues'>>,
  options: Selection,
): Promise<Report> {
  const scope = scopeOf(options);
  const by = await session.whoAmI();
  const resumed = await resume(session, scope, by);
  // What is over may have left no target; that is no fault once it is resumed.
  const targets = await selectTargets(session.store, options).catch((error: unknown) => {
    if (resumed === undefined || !(error instanceof CliError)) throw error;
    return [];
  });
  const left = await readSuspensions(session.store);
  const still = targets.flatMap((target) => {
    const other = suspensionOf(left, target, session.clock.now());
    return other === undefined ? [] : [`${targetKey(target)}: ${describeSuspension(other)}`];
  });
  if (resumed === undefined) {
    const hint = still.length === 0 ? '' : ` ${still.join('; ')}.`;
    throw new CliError(`There is nothing to resume: this was not suspended as such.${hint}`);
  }
  for (const target of targets) await goOn(session, target, by);
  const text = [`resumed: ${describeSuspension(resumed)}`, ...still.map((one) => `still ${one}`)].join('\n');
  return { data: { resumed, targets, still }, text };
}

async function goOn(
  { store, queues }: Pick<RecordsSession, 'store'> & Partial<Pick<Session, 'queues'>>,
  target: Target,
  requestedBy: string,
): Promise<void> {
  const pointer = (await readDocument(store, keys.desired(target), desiredPointerSchema))?.value;
  if (pointer === undefined || queues === undefined) return;
  // What a person began goes on; what they have not asked for does not begin.
  const reason = pointer.settings.sync === 'auto' ? ('pending' as const) : ('continue' as const);
  await queues.run({ version: 1, target, reason, requestedBy });
}

/** What suspends a target now, in words; undefined where nothing does. */
export async function whySuspended(
  { store, clock }: Pick<RecordsSession, 'store' | 'clock'>,
  target: Target,
): Promise<string | undefined> {
  const suspension = suspensionOf(await readSuspensions(store), target, clock.now());
  return suspension && describeSuspension(suspension);
}

/** Throws CliError for a target to which nothing may be written: before anything of its records changes. */
export async function assertResumed(
  session: Pick<RecordsSession, 'store' | 'clock'>,
  target: Target,
): Promise<void> {
  const why = await whySuspended(session, target);
  if (why !== undefined) throw new CliError(`${why}. End that first with \`trueup resume\`.`);
}

function scopeOf({ app, cluster }: Selection): SuspensionScope {
  if (app === undefined && cluster === undefined) {
    throw new CliError('Say what: --app NAME, --cluster NAME, or both for one target.');
  }
  return { ...(app !== undefined && { application: app }), ...(cluster !== undefined && { cluster }) };
}
