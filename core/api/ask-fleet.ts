import { keys, prefixes } from '../contract/keys.ts';
import { readDocument } from '../documents.ts';
import { readFleet } from '../fleet.ts';
import { inBatches } from '../in-batches.ts';
import { clusterCheckSchema } from '../model/check.ts';
import { deliverySchema } from '../model/delivery.ts';
import { clusterFactsSchema } from '../model/facts.ts';
import { isoTime } from '../model/time.ts';
import { readSuspensions } from '../suspend.ts';
import type { FleetInput } from '../view/fleet.ts';
import type { ClusterRow, DeliveryRow } from './contract.ts';
import type { ApiDeps } from './deps.ts';
import { maySee, projectOf, type Person } from './person.ts';

const readsAtOnce = 20;
const deliveriesShown = 100;
const deliveryDays = 7;

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

/** What Git hosts and registries told of late, newest first. */
export async function deliveryRows({ store, clock }: ApiDeps): Promise<DeliveryRow[]> {
  const names = new Set<string>();
  for (let day = 0; day < deliveryDays && names.size < deliveriesShown; day += 1) {
    const date = isoTime(clock.now() - day * 86_400_000).slice(0, 10);
    const listed = await Array.fromAsync(store.list(`${prefixes.deliveries}log/date=${date}/`));
    for (const key of listed.reverse()) names.add(key.slice(key.indexOf('_') + 1));
  }
  const rows = await inBatches([...names].slice(0, deliveriesShown), readsAtOnce, async (name) => {
    const bar = name.indexOf('_');
    const key = keys.delivery(name.slice(0, bar), name.slice(bar + 1));
    const found = await readDocument(store, key, deliverySchema);
    if (found === undefined) return [];
    const { id, provider, event, receivedAt, state, outcome = '' } = found.value;
    return [{ id, provider, event, receivedAt, state, told: outcome }];
  });
  return rows.flat();
}
