import { declare } from '../core/declare.ts';
import type { RunRecord, RunRequest } from '../core/model/run.ts';
import { describeRef } from '../core/model/object.ts';
import { isLeaseHeld } from '../core/lease.ts';
import { targetKey, type Target } from '../core/model/target.ts';
import { assertSameCluster } from './cluster-identity.ts';
import { CliError, exitCodes, type ExitCode } from './cli-error.ts';
import { readWanted, tellingPlaces, type ApplyOptions } from './local-source.ts';
import type { LocalSession } from './local-session.ts';
import { markStore } from './open-store.ts';
import { adoptNote, isKept } from './plan.ts';
import { assertResumed } from './suspend.ts';
import { sessionFacts } from './local-facts.ts';
import { tell } from './progress.ts';
import { clipped, coloured, short, table, type Report } from './report.ts';
import { runLocally, type LocalRun } from './run-locally.ts';
import { unsettledTable } from './unsettled.ts';

const longestMessage = 200;

/** Renders a folder, makes it the desired state of a target, and reconciles the target at once. */
export async function apply(session: LocalSession, path: string, options: ApplyOptions): Promise<Report> {
  const { wait = false, prune = false, confirmPrune } = options;
  const wanted = await readWanted(path, options);
  const { worktree, charts, name, source, namespace, settings } = wanted;
  const target = { cluster: session.cluster, application: name };
  await assertResumed(session, target);
  await assertFree(session, target, wait);
  const cluster = await session.ports.clusters.connect(target.cluster, () => session.ports.deadline);
  // Before anything is written: a cluster that does not answer leaves the store as it is.
  await cluster.resources();
  const facts = sessionFacts(session, settings.impersonate);
  const declaration = { target, worktree, charts, facts, source, namespace, settings };
  await tellingPlaces(worktree, async () => declare(declaration, session.ports));
  await markStore(session.store);
  await assertSameCluster(session, { note: true });
  const requestedBy = await session.whoAmI();
  const request: RunRequest = {
    version: 1,
    target,
    reason: 'sync',
    requestedBy,
    ...(confirmPrune !== undefined && { confirmPrune }),
    ...(prune ? {} : { keepUndesired: true }),
  };
  const tellOf = (line: string) => {
    tell(`${targetKey(target)}: ${line}`);
  };
  const patienceMs = (options.timeout ?? settings.timeoutSeconds) * 1000;
  return reportOf(target, await runLocally(session, request, { wait, patienceMs, tell: tellOf }), {
    wait,
    prune,
  });
}

/** Without waiting there is nothing to be done about a run of somebody else: then nothing is changed at all. */
async function assertFree(session: LocalSession, target: Target, wait: boolean): Promise<void> {
  if (wait || !(await isLeaseHeld(session, target))) return;
  const { leaseHolder } = await import('./lease-holder.ts');
  throw new CliError(
    `${targetKey(target)}: ${await leaseHolder(session, target)}. Wait for it with --wait, or try again.`,
  );
}

/** What a local run did, for people and machines. */
export function reportOf(
  target: Target,
  run: LocalRun,
  { wait, prune }: { readonly wait: boolean; readonly prune: boolean },
): Report {
  const { record, rested, left, interrupted } = run;
  const outcome = record?.outcome;
  if (record === undefined || outcome === undefined) {
    const text = interrupted ? 'interrupted before anything was done' : `nothing was done: ${rested ?? ''}`;
    return {
      data: { run: record ?? null, left },
      text: `${targetKey(target)}: ${text}`,
      exitCode: endOf(run, wait),
    };
  }
  const blocked = record.plan.actions.filter(({ action }) => action === 'blocked');
  const rows = [
    ...blocked.map(({ ref, why }) => ({ outcome: 'blocked', ref, message: why })),
    ...outcome.objects.filter((object) => object.outcome !== 'unchanged'),
  ].map(({ outcome: what, ref, message = '' }) => [
    coloured(what),
    describeRef(ref),
    clipped(message, longestMessage),
  ]);
  const kept = prune ? 0 : keptIn(record);
  const { message, kind } = outcome;
  const health = record.health === undefined ? '' : `; ${coloured(record.health.status)}`;
  const head = `${targetKey(target)} at ${short(record.commit.sha)}: ${coloured(kind)}, ${message}${health}`;
  const notes = [
    ...(kept > 0 ? [`${kept} objects would be pruned with --prune`] : []),
    ...adoptNote(blocked),
    ...(interrupted ? ['interrupted; apply again to go on'] : left.map((what) => leftText(what, wait))),
  ];
  const isOpen = (wait && left.length > 0) || !isFine(record);
  const tables = [
    rows.length === 0 ? '' : table(['OUTCOME', 'OBJECT', 'MESSAGE'], rows),
    isOpen ? unsettledTable(record) : '',
  ];
  const text = [...tables.filter((each) => each !== '').flatMap((each) => [each, '']), head].join('\n');
  return { data: { run: record, left }, text, notes, exitCode: endOf(run, wait) };
}

function leftText(what: string, wait: boolean): string {
  return wait ? `the time is over: ${what}` : `not waited for: ${what} (--wait)`;
}

function keptIn({ plan }: RunRecord): number {
  return plan.actions.filter(({ action, why }) => action === 'leave' && isKept(why)).length;
}

function endOf({ record, interrupted, left }: LocalRun, wait: boolean): ExitCode {
  if (interrupted) return exitCodes.interrupted;
  if (record === undefined) return exitCodes.ok;
  const { outcome } = record;
  const isGood = (outcome?.kind === 'applied' || (!wait && outcome?.kind === 'waiting')) && isFine(record);
  return isGood && !(wait && left.length > 0) ? exitCodes.ok : exitCodes.found;
}

function isFine({ health }: RunRecord): boolean {
  return health?.status !== 'Degraded' && health?.status !== 'Missing';
}
