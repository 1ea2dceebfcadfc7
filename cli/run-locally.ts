import { keys } from '../core/contract/keys.ts';
import { readDocument } from '../core/documents.ts';
import { desiredPointerSchema } from '../core/model/desired.ts';
import { runRecordSchema, type RunRecord, type RunRequest } from '../core/model/run.ts';
import type { ReconcileDeps, ReconcileResult } from '../core/reconcile.ts';
import { targetKey } from '../core/model/target.ts';
import { seenNow } from '../core/suspend.ts';
import { CliError } from './cli-error.ts';
import type { LocalSession } from './local-session.ts';
import { waitingLines } from './unsettled.ts';

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
/** How often somebody who waits is told how things are. */
const lookEveryMs = 5_000;

/**
 * Handles a run request in this process, and what follows from it: retries, looks at health, waves and hooks that wait.
 * Throws CliError when another run holds the target and there is no waiting.
 */
export async function runLocally(
  session: RunSession,
  first: RunRequest,
  { wait, patienceMs, tell }: LocalRunOptions,
): Promise<LocalRun> {
  const [{ reconcile }, { lookAtHealth }] = await Promise.all([
    import('../core/reconcile.ts'),
    import('../core/reconcile/health-look.ts'),
  ]);
  const { ports, clock, interrupted } = session;
  const { queues } = ports;
  const until = clock.now() + patienceMs;
  let record: RunRecord | undefined;
  let rested: string | undefined;
  let told: ReadonlySet<string> = new Set();
  queues.clear();
  const pointer = await readDocument(session.store, keys.desired(first.target), desiredPointerSchema);
  const seen: RunRequest = {
    ...(pointer !== undefined && { revision: pointer.value.revision }),
    ...(await seenNow(session.store)),
    ...first,
  };
  await queues.run(seen);
  while (!interrupted.aborted) {
    const next = queues.pending[0];
    if (next === undefined) break;
    const isOwn = targetKey(next.request.target) === targetKey(first.target);
    // Functions look more and more seldom. Here somebody waits, and the last moment is worth a look.
    const isLook = wait && isOwn && next.request.reason === 'health' && clock.now() < until;
    const dueAt = isLook ? Math.min(next.dueAt, clock.now() + lookEveryMs, until) : next.dueAt;
    if (dueAt > (wait ? until : clock.now())) break;
    await sleepUntil(dueAt, session);
    if (interrupted.aborted) break;
    queues.take();
    // What is agreed to holds for whatever follows from the first request. Nobody looked at what the neighbours' runs would
    // prune.
    const request = isOwn
      ? { ...seen, reason: next.request.reason }
      : { ...next.request, keepUndesired: true };
    const result: ReconcileResult = isLook
      ? await lookAtHealth(request, ports, { early: true })
      : await reconcile(request, ports);
    if (result.kind === 'rested') rested = result.why;
    if (result.kind === 'ran' && isOwn) record = result.record;
    if (result.kind === 'looked' && isOwn && record !== undefined) record = await readAgain(session, record);
    if (result.kind === 'deferred') {
      if (!wait) throw new CliError(`Another run is at work on ${first.target.application}: ${result.why}.`);
      tell(`waiting: ${result.why}`);
    }
    if (wait && record !== undefined && queues.pending.length > 0) {
      const lines = waitsFor(record);
      for (const line of lines) if (!told.has(line)) tell(line);
      told = new Set(lines);
    }
  }
  const left = queues.pending.map(({ request }) => leftOf[request.reason]);
  return { record, rested, left, interrupted: interrupted.aborted };
}

/** Why there is no end yet; what was said already is not said again. */
function waitsFor(record: RunRecord): readonly string[] {
  const { outcome } = record;
  const isDone = outcome === undefined || outcome.kind === 'applied';
  return isDone ? waitingLines(record) : [`${outcome.kind}: ${outcome.message}`];
}

/** Health that has changed since the run ended is noted in the same record. */
async function readAgain({ store }: RunSession, record: RunRecord): Promise<RunRecord> {
  return (await readDocument(store, keyOf(record), runRecordSchema))?.value ?? record;
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
  promote: 'a stage of the rollout is waited for',
  continue: 'hooks, waves or dependencies are waited for',
  push: goesOn,
  sync: goesOn,
  heal: goesOn,
  pending: goesOn,
  'hand-over': goesOn,
  rotation: goesOn,
  restart: 'workloads are restarted',
  // Never asked for here.
  watch: goesOn,
};
