import type { StackConfig } from '../contract/config.ts';
import { configuredFacts } from '../facts-book.ts';
import { StoredLookups } from '../lookup-record.ts';
import type { Bus } from '../ports.ts';
import { noFacts } from '../render/context.ts';
import { noteClusterFacts } from './cluster-facts.ts';
import type { Connection } from './look-around.ts';
import { noteLookups, type LookupDeps } from './note-lookups.ts';
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
  const asked = await readAsked(cluster, deps);
  const config = deps.config.clusters.find(({ name }) => name === cluster);
  if (asked.length === 0 || config === undefined) return;
  const records = await noteLookups(deps, cluster, asked, connection);
  const facts = {
    ...noFacts,
    ...configuredFacts(config, deps.config.variables),
    capabilities: async () => capabilities,
  };
  const lookupsOf = async (application: string) => {
    const record = records.get(application);
    return record && new StoredLookups(record, deps.sealer);
  };
  const factsOf = (application: string) => ({ ...facts, lookups: () => lookupsOf(application) });
  await wakeRenders(cluster, asked, { ...deps, factsOf });
}
