import type { Target } from '../core/model/target.ts';
import { newestRuns } from '../core/run-history.ts';
import type { RecordsSession } from './local-session.ts';
import { age } from './report.ts';

/** Who is at work on a target, as far as the records say: a run notes who asked for it before its first effect. */
export async function leaseHolder(
  { store, clock }: Pick<RecordsSession, 'store' | 'clock'>,
  target: Target,
): Promise<string> {
  const [newest] = await newestRuns(store, [target], { now: clock.now(), days: 2, most: 1 });
  if (newest === undefined || newest.outcome !== undefined) return 'another run is at work on it';
  const since = age(newest.startedAt, clock.now());
  return `run ${newest.id} of ${newest.requestedBy} is at work on it since ${since}`;
}
