import type { RepositoryConfig, StackConfig } from '../contract/config.ts';
import { keys } from '../contract/keys.ts';
import { trackedRef } from '../contract/tracked-ref.ts';
import { updateDocument } from '../documents.ts';
import { inBatches } from '../in-batches.ts';
import { askedDocumentSchema, type AskedDocument, type AskedOfCluster } from '../model/asked.ts';
import { jsonEqual } from '../model/json.ts';
import type { Store } from '../ports.ts';
import type { AskedQuestions } from './asked-questions.ts';

const clustersAtATime = 16;

/**
 * Notes for the sweeps what the applications of a repository asked of each cluster, where it is not what stands there.
 * `before`: the clusters of which something was noted last; undefined when nobody knows any more. Returns those of now.
 */
export async function noteAsked(
  repository: RepositoryConfig,
  asked: AskedQuestions,
  { store, config, before }: NoteDeps,
): Promise<string[]> {
  const known = before ?? config.clusters.map(({ name }) => name);
  const ref = trackedRef(repository);
  await inBatches([...new Set([...known, ...asked.clusters])], clustersAtATime, async (cluster) => {
    const applications = asked.of(cluster);
    const isNothing = Object.keys(applications).length === 0;
    const next = { version: 1 as const, repository: repository.name, ref, applications };
    const key = keys.asked(cluster, repository.name, ref);
    await updateDocument(store, key, askedDocumentSchema, (current) => {
      if (current === undefined) return isNothing ? undefined : next;
      const asBefore = { ...next, applications: withMade(applications, current.applications) };
      return jsonEqual(current, asBefore) ? undefined : asBefore;
    });
  });
  return [...asked.clusters];
}

type Applications = AskedDocument['applications'];

/** What a render that failed was made from nobody knows: as long as it is not told otherwise, from what it was before. */
function withMade(now: Applications, before: Applications): Applications {
  const entries = Object.entries(now).map(([name, asked]): [string, AskedOfCluster] => {
    const made = before[name]?.lookups?.made;
    if (asked.lookups === undefined || asked.lookups.made !== undefined || made === undefined)
      return [name, asked];
    return [name, { ...asked, lookups: { ...asked.lookups, made } }];
  });
  return Object.fromEntries(entries);
}

interface NoteDeps {
  readonly store: Store;
  readonly config: Pick<StackConfig, 'clusters'>;
  readonly before: readonly string[] | undefined;
}
