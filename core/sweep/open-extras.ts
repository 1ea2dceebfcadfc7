import { readEpisodes } from '../episodes.ts';
import { Stop } from '../errors.ts';
import { inBatches } from '../in-batches.ts';
import type { Store } from '../ports.ts';
import type { SweptCluster } from './swept-cluster.ts';

const readsAtOnce = 8;

/** Reads which open episodes are of extra objects, one document for each of the drifting applications. */
export async function openExtrasOf(
  store: Store,
  cluster: string,
  drifting: ReadonlySet<string>,
): Promise<SweptCluster['openExtras']> {
  const found = await inBatches([...drifting], readsAtOnce, async (application) => {
    const extras = Object.entries(await episodesOf(store, { cluster, application }))
      .filter(([, { kind }]) => kind === 'extra')
      .map(([key]) => key);
    return [application, new Set(extras)] as const;
  });
  return new Map(found);
}

/** None where they cannot be read: the check of that target says so. */
async function episodesOf(...of: Parameters<typeof readEpisodes>): ReturnType<typeof readEpisodes> {
  return readEpisodes(...of).catch((error: unknown) => {
    if (error instanceof Stop) return {};
    throw error;
  });
}
