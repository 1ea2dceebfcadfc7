import type { Store } from '../ports.ts';
import { newestRuns, type KeyedRun } from '../run-history.ts';
import type { SeenTarget } from './see-target.ts';
import { seesAll } from './person.ts';

const daysBack = 30;

interface Wanted {
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly most: number;
  readonly days?: number;
}

/**
 * Runs of a target, newest first. Its name may have been another team's once: what another repository ran under it is for
 * those who see all projects.
 */
export async function ownRuns(
  { view, person }: Pick<SeenTarget, 'view' | 'person'>,
  { now, most, days = daysBack }: Wanted,
  store: Store,
): Promise<readonly KeyedRun[]> {
  const { target, pointer } = view;
  const runs = await newestRuns(store, [target], { now, most, days });
  return seesAll(person) ? runs : runs.filter(({ commit }) => commit.repository === pointer.repository);
}
