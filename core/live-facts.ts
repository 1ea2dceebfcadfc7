import type { Capabilities } from './model/facts.ts';
import type { ApiResource, Cluster, Identity } from './ports.ts';
import { readLookup } from './read-lookup.ts';
import { noFacts, type AskedFacts } from './render/context.ts';

/** `group/version` and `group/version/Kind` of everything that is served, as charts ask for them. */
export function apiVersionsOf(served: readonly ApiResource[]): string[] {
  const names = served.flatMap(({ group, version, kind }) => {
    const apiVersion = group === '' ? version : `${group}/${version}`;
    return [apiVersion, `${apiVersion}/${kind}`];
  });
  return [...new Set(names)].sort();
}

/** What a cluster says of itself now, for a person who has it at hand; `as`: whose rights look things up. */
export function liveFacts(
  connect: (as?: Identity) => Promise<Cluster>,
  as: Identity | undefined,
): AskedFacts {
  let capabilities: Promise<Capabilities> | undefined;
  const read = async (): Promise<Capabilities> => {
    const cluster = await connect();
    const [served, version] = await Promise.all([cluster.resources(), cluster.version()]);
    return { version, apiVersions: apiVersionsOf(served) };
  };
  return {
    ...noFacts,
    capabilities: () => (capabilities ??= read()),
    lookups: async () => {
      const cluster = await connect(as);
      const served = await cluster.resources();
      const open = async (lookup: Parameters<typeof readLookup>[2]) => readLookup(cluster, served, lookup);
      return { digest: '', isHeld: () => false, open };
    },
  };
}
