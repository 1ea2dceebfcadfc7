import { keys } from '../core/contract/keys.ts';
import { readDocument } from '../core/documents.ts';
import { desiredPointerSchema } from '../core/model/desired.ts';
import { runRecordSchema, type RunRecord, type RunRequest } from '../core/model/run.ts';
import type { ReconcileDeps, ReconcileResult } from '../core/reconcile.ts';
import { targetKey } from '../core/model/target.ts';
import { CliError } from './cli-error.ts';
import type { LocalSession } from './local-session.ts';

export interface LocalRunOptions {
  /** Obeys what is asked for later, too, until nothing is left or the time is over. */
  readonly wait: boolean;
  /** How long, in milliseconds. */
  readonly patienceMs: number;
  /** Told of what happens meanwhile, a line each. */
  readonly tell: (line: string) => void;
}

/** What came of it. `record` is of the last run; `left` says in words what is still to come. */
export interface LocalRun {
  readonly record: RunRecord | undefined;
  /** Why there was nothing to do, where there was no run. */
  readonly rested: string | undefined;
  readonly left: readonly string[];
  readonly interrupted: boolean;
}

/** What running needs of a session. */
type RunSession = Pick<LocalSession, 'store' | 'clock' | 'interrupted'> & {
  readonly ports: ReconcileDeps & Pick<LocalSession['ports'], 'queues'>;
};

/** A request that meets the lease of another run is tried again after so long. */
const lastPauseMs = 200;

/**
 * Handles a run request in this process, and what follows from it: retries, looks at health, waves and hooks that wait.
 * Throws CliError when another run holds the target and there is no waiting.
 */
export async function runLocally(
  session: RunSession,
  first: RunRequest,
  { wait, patienceMs, tell }: LocalRunOptions,
): Promise<LocalRun> {
  const { reconcile } = await import('../core/reconcile.ts');
  const { ports, clock, interrupted } = session;
  const { queues } = ports;
  const until = clock.now() + patienceMs;
  let record: RunRecord | undefined;
  let rested: string | undefined;
  queues.clear();
  const pointer = await readDocument(session.store, keys.desired(first.target), desiredPointerSchema);
  const seen: RunRequest = { ...(pointer !== undefined && { revision: pointer.value.revision }), ...first };
  await queues.run(seen);
  while (!interrupted.aborted) {
    const next = queues.pending[0];
    if (next === undefined || next.dueAt > (wait ? until : clock.now())) break;
    await sleepUntil(next.dueAt, session);
    if (interrupted.aborted) break;
    queues.take();
    // What is agreed to holds for whatever follows from the first request.
    const isOwn = targetKey(next.request.target) === targetKey(first.target);
    // Nobody looked at what the neighbours' runs would prune.
    const request = isOwn
      ? { ...seen, reason: next.request.reason }
      : { ...next.request, keepUndesired: true };
    const result: ReconcileResult = await reconcile(request, ports);
    if (result.kind === 'rested') rested = result.why;
    if (result.kind === 'ran' && isOwn) record = result.record;
    if (result.kind === 'deferred') {
      if (!wait) throw new CliError(`Another run is at work on ${first.target.application}: ${result.why}.`);
      tell(`waiting: ${result.why}`);
    }
    if (result.kind === 'looked') tell(`health: ${result.why}`);
  }
  // Health may have settled since the run ended; it is noted in the same record.
  const noted =
    record === undefined ? undefined : await readDocument(session.store, keyOf(record), runRecordSchema);
  const left = queues.pending.map(({ request }) => leftOf[request.reason]);
  return { record: noted?.value ?? record, rested, left, interrupted: interrupted.aborted };
}

/** In short steps, so that Ctrl-C is heard. */
async function sleepUntil(dueAt: number, { clock, interrupted }: RunSession): Promise<void> {
  while (clock.now() < dueAt && !interrupted.aborted) {
    await clock.sleep(Math.min(lastPauseMs, dueAt - clock.now()));
  }
}

function keyOf({ target, startedAt, id }: RunRecord): string {
  return keys.run(target, startedAt, id);
}

const goesOn = 'a run that stopped half-way goes on';

const leftOf: Readonly<Record<RunRequest['reason'], string>> = {
  health: 'health has not settled, or deletions are under way',
  retry: 'what failed may pass when it is tried again',
  continue: 'hooks, waves or dependencies are waited for',
  push: goesOn,
  sync: goesOn,
  heal: goesOn,
  pending: goesOn,
  'hand-over': goesOn,
};
