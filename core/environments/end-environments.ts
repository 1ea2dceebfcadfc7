import type { DesiredPointer } from '../model/desired.ts';
import type { EnvironmentRecord } from '../model/preview-environments.ts';
import { millisecondsOf } from '../model/time.ts';
import { announceReady, unanswered } from '../produce/announce.ts';
import { endedPointer, whyTaken } from './next-pointers.ts';
import type { EnvironmentRecords } from './records.ts';
import { holderOf, type Work } from './work.ts';

/** No function runs for so long: whatever a look that was overtaken was to write is written by then. */
const longestLookMs = 20 * 60_000;

/**
 * Makes tombstones of the pointers of environments that are to go, with which runs prune what is in their inventories. Gives
 * the names of those of which nothing is left. Undefined: another writer was faster.
 */
export async function endEnvironments(
  work: Work,
  records: EnvironmentRecords,
  environments: EnvironmentRecord['environments'],
): Promise<ReadonlySet<string> | undefined> {
  const { deps, reason, at } = work;
  const ended = new Set<string>();
  for (const [name, environment] of Object.entries(environments)) {
    if (environment.state !== 'ending') continue;
    const holder = holderOf(work, environment);
    const targets = environment.clusters.map((cluster) => ({ cluster, application: name }));
    const moved: DesiredPointer[] = [];
    for (const target of targets) {
      const current = records.pointer(target);
      const next = endedPointer(current, { sha: environment.sha, at }, holder);
      if (next === undefined) continue;
      if (!(await records.writePointer(next))) return undefined;
      if (next.revision !== current?.revision) moved.push(next);
    }
    const own = targets.filter((target) => whyTaken(records.pointer(target), holder) === undefined);
    const standing = own.flatMap((target) => records.pointer(target) ?? []);
    const due = reason.isRepeated === true ? await unanswered(standing, deps.store) : moved;
    await announceReady(due, { at, deliveryId: reason.deliveryId }, deps);
    const { endingSince = at } = environment;
    const isOver = millisecondsOf(at) >= millisecondsOf(endingSince) + longestLookMs;
    const gone = await Promise.all(own.map(async (target) => records.isGone(target, isOver)));
    if (gone.every(Boolean)) ended.add(name);
  }
  return ended;
}
