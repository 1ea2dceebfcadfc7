import { keys } from './contract/keys.ts';
import { readDocument } from './documents.ts';
import { desiredPointerSchema } from './model/desired.ts';
import type { RunRequest } from './model/run.ts';
import type { Target } from './model/target.ts';
import { isoTime } from './model/time.ts';
import { traceOf } from './model/trace.ts';
import type { Clock, Queues, Store } from './ports.ts';
import { seenNow } from './suspend.ts';

interface AskDeps {
  readonly store: Store;
  readonly queues: Pick<Queues, 'run'>;
  readonly clock: Pick<Clock, 'now'>;
}

/** What a person asks for besides that something runs. */
type Wish = Partial<Pick<RunRequest, 'reason' | 'confirmPrune' | 'only' | 'staged' | 'restartedAt'>>;

/**
 * Asks for a run in a person's name, of the revision that is there now; a sync where the wish names no other reason.
 * `requestedBy` is nobody else's, so that this run is told from those that others ask for meanwhile.
 */
export async function askForRun(
  target: Target,
  requestedBy: string,
  { store, queues, clock }: AskDeps,
  wish: Wish = {},
): Promise<void> {
  const [document, seenHolds] = await Promise.all([
    readDocument(store, keys.desired(target), desiredPointerSchema),
    seenNow(store),
  ]);
  const pointer = document?.value;
  const trace = traceOf('person', isoTime(clock.now()), requestedBy);
  const seen = pointer === undefined ? {} : { revision: pointer.revision };
  await queues.run({
    version: 1,
    target,
    reason: 'sync',
    requestedBy,
    trace,
    ...seen,
    ...seenHolds,
    ...wish,
  });
}
