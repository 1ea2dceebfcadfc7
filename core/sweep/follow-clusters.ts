import type { StackConfig } from '../contract/config.ts';
import { scopeOf } from '../contract/discovery.ts';
import type { TrueupEvent } from '../contract/events.ts';
import { keys } from '../contract/keys.ts';
import { trackedRef } from '../contract/tracked-ref.ts';
import { updateDocument } from '../documents.ts';
import { fleetOf, type Fleet } from '../fleet.ts';
import { clusterRegistrySchema, type ClusterRegistry } from '../model/cluster-registry.ts';
import { jsonEqual } from '../model/json.ts';
import { isoTime } from '../model/time.ts';
import type { Bus, Clock, ClusterFinder, Store } from '../ports.ts';
import { updateRegistry, type Listings } from './update-registry.ts';
import { noSha } from './wake-renders.ts';
import { unreachable } from './why-lost.ts';

export interface FollowClustersDeps {
  readonly store: Store;
  readonly bus: Bus;
  readonly clock: Pick<Clock, 'now'>;
  readonly finder: ClusterFinder;
  readonly config: StackConfig;
}

/** The clusters there are after a look, and what could not be looked at. */
export interface FollowedClusters {
  readonly fleet: Fleet;
  readonly failures: readonly string[];
  /** How each discovery went, and how it had gone until then. */
  readonly discoveries: { readonly before: Discoveries; readonly now: Discoveries };
}

type Discoveries = ClusterRegistry['discoveries'];

/**
 * Looks for clusters, notes what was found, and has all repositories looked at again when names or labels changed since
 * they last were: by a discovery, or by a deployment of another configuration. One account that does not answer leaves
 * what is known of it as it is, and holds up no other.
 */
export async function followClusters(deps: FollowClustersDeps): Promise<FollowedClusters> {
  const { store, clock, config } = deps;
  const listings = await lookEverywhere(deps);
  const at = isoTime(clock.now());
  let before: Discoveries = {};
  const registry = await updateDocument(store, keys.clusterRegistry, clusterRegistrySchema, (current) => {
    before = current?.discoveries ?? {};
    const next = updateRegistry(current, config, listings, at);
    return current !== undefined && jsonEqual(next, current) ? undefined : { ...next, seq: next.seq + 1 };
  });
  const fleet = fleetOf(config, registry);
  if (registry?.told !== fleet.digest) await tellRenders(deps, fleet.digest, at);
  const failures = Object.entries(registry?.discoveries ?? {}).flatMap(([what, { failing }]) =>
    failing === undefined ? [] : [`${what}: ${failing.reason}`],
  );
  return { fleet, failures, discoveries: { before, now: registry?.discoveries ?? {} } };
}

async function lookEverywhere({ config, finder }: FollowClustersDeps): Promise<Listings> {
  const scopes = new Map(config.discovery.map((one) => [scopeOf(one), one]));
  const looks = [...scopes].map(
    async ([scope, one]) => [scope, await finder.list(one).catch(unreachable)] as const,
  );
  return new Map(await Promise.all(looks));
}

/**
 * Said before it is noted that it was said: one that dies in between says it twice, and not never. A hint like any other,
 * so nobody is told of what changed (rule 2 of the design).
 */
async function tellRenders(deps: FollowClustersDeps, digest: string, at: string): Promise<void> {
  const { store, bus, config } = deps;
  const hints: TrueupEvent[] = [];
  for (const repository of config.repositories) {
    const { name } = repository;
    const ref = trackedRef(repository);
    // While clusters are only declared, whoever was never rendered is first rendered for all of them.
    const isRendered =
      config.discovery.length > 0 || (await store.get(keys.repository(name, ref))) !== undefined;
    if (!isRendered) continue;
    const known = { repository: name, ref, before: noSha, after: noSha, deleted: false };
    const origin = { deliveryId: `clusters-${name}-${at}`, provider: 'sweep' };
    hints.push({ type: 'PushReceived', detail: { version: 1, at, ...origin, ...known } });
  }
  if (hints.length > 0) await bus.publish(hints);
  const note = (current: ClusterRegistry | undefined): ClusterRegistry | undefined =>
    current && { ...current, seq: current.seq + 1, told: digest };
  await updateDocument(store, keys.clusterRegistry, clusterRegistrySchema, note);
}
