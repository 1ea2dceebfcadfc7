import type { StackConfig } from '../contract/config.ts';
import { keys } from '../contract/keys.ts';
import { configuredFacts } from '../facts-book.ts';
import { StoredLookups } from '../lookup-record.ts';
import type { Bus } from '../ports.ts';
import { noFacts } from '../render/context.ts';
import { noteClusterFacts } from './cluster-facts.ts';
import type { Connection } from './look-around.ts';
import { forgetLookups, noteLookups, type LookupDeps } from './note-lookups.ts';
import { readAsked, wakeRenders } from './wake-renders.ts';

interface FollowDeps extends LookupDeps {
  readonly bus: Bus;
  readonly config: Pick<StackConfig, 'clusters' | 'repositories' | 'variables'>;
}

/**
 * Notes what rendering may know of a cluster, and has those repositories looked at again of which a render was told
 * something else. Of a cluster that no render asked anything, nothing is read but a listing.
 */
export async function followFacts(deps: FollowDeps, cluster: string, connection: Connection): Promise<void> {
  const capabilities = await noteClusterFacts(deps, cluster, connection);
  const { asked, isNone, isComplete } = await readAsked(cluster, deps);
  const config = deps.config.clusters.find(({ name }) => name === cluster);
  if (isNone || config === undefined) return;
  const records = await noteLookups(deps, cluster, asked, connection);
  // What cannot be read may still want what is known.
  if (isComplete) await forgetLookups(deps.store, cluster, records);
  const facts = {
    ...noFacts,
    ...configuredFacts(config, deps.config.variables),
    capabilities: async () => capabilities,
  };
  const factsOf = (application: string, repository: string) => {
    const record = records.get(keys.lookups({ cluster, application }, repository));
    return { ...facts, lookups: async () => record && new StoredLookups(record, deps.sealer) };
  };
  await wakeRenders(cluster, asked, { ...deps, factsOf });
}
