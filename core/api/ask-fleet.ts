import { keys } from '../contract/keys.ts';
import { readDocument } from '../documents.ts';
import { readFleet } from '../fleet.ts';
import { inBatches } from '../in-batches.ts';
import { clusterCheckSchema } from '../model/check.ts';
import { clusterFactsSchema } from '../model/facts.ts';
import { readSuspensions } from '../suspend.ts';
import type { FleetInput } from '../view/fleet.ts';
import type { ClusterRow } from './contract-installation.ts';
import type { ApiDeps } from './deps.ts';
import { maySee, projectOf, type Person } from './person.ts';

const readsAtOnce = 20;

/** What rows of the fleet are made from. */
export async function fleetInput(deps: ApiDeps): Promise<FleetInput> {
  const [views, suspensions, { clusters }] = await Promise.all([
    deps.book.views(),
    readSuspensions(deps.store),
    readFleet(deps),
  ]);
  const labels = new Map(clusters.map((each) => [each.name, each.labels]));
  return { views, suspensions, labels, repositories: deps.config.repositories, now: deps.clock.now() };
}

/** Clusters that are served, declared or found; of their targets those are counted that whoever asks may see. */
export async function clusterRows(person: Person, deps: ApiDeps): Promise<ClusterRow[]> {
  const [{ clusters }, views] = await Promise.all([readFleet(deps), deps.book.views()]);
  const seen = views.filter(({ pointer }) => maySee(person, projectOf(pointer, deps.config.repositories)));
  const targets = Map.groupBy(seen, ({ target }) => target.cluster);
  return inBatches(clusters, readsAtOnce, async ({ name, labels }) => {
    const [check, facts] = await Promise.all([
      readDocument(deps.store, keys.check(name), clusterCheckSchema),
      readDocument(deps.store, keys.facts(name), clusterFactsSchema),
    ]);
    const unreachable = check?.value.unreachable;
    return {
      name,
      labels,
      ...(facts !== undefined && { version: facts.value.version }),
      ...(check !== undefined && { checkedAt: check.value.at }),
      ...(unreachable !== undefined && { unreachable }),
      targets: targets.get(name)?.length ?? 0,
    };
  });
}
