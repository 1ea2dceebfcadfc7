import { isoTime } from '../core/model/time.ts';
import { traceOf } from '../core/model/trace.ts';
import { readChecks } from './targets.ts';
import type { Session } from './session.ts';
import { CliError } from './cli-error.ts';

const patienceMs = 6 * 60_000;
const pauseMs = 500;

/** Asks for a sweep of each cluster, of all its targets, and waits until each was done: by ours, or by a later one that overtook it. */
export async function sweepNow(
  { store, queues, clock, ids }: Pick<Session, 'store' | 'queues' | 'clock' | 'ids'>,
  clusters: readonly string[],
  full = false,
): Promise<void> {
  const before = await readChecks(store, clusters);
  const requestedBy = `trueup drift ${ids.next()}`;
  for (const cluster of clusters) {
    await queues.sweep({
      version: 1,
      scope: 'cluster',
      cluster,
      requestedBy,
      trace: traceOf('person', isoTime(clock.now()), requestedBy, cluster),
      all: true,
      ...(full && { full }),
    });
  }
  const deadline = clock.now() + patienceMs;
  let waiting = clusters;
  while (waiting.length > 0) {
    if (clock.now() > deadline) {
      throw new CliError(
        `No sweep of ${waiting.join(', ')} ended within ${patienceMs / 60_000} minutes. Look at the log of the sweep function and at the dead-letter queue of sweeps.`,
      );
    }
    await clock.sleep(pauseMs);
    const checks = await readChecks(store, waiting);
    waiting = waiting.filter((cluster) => {
      const check = checks.get(cluster);
      // One that was under way already may end first; a second one began after we asked.
      const later = (check?.seq ?? 0) - (before.get(cluster)?.seq ?? 0);
      return check?.requestedBy !== requestedBy && later < 2;
    });
  }
}
