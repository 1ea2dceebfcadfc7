import { newestDeliveries } from '../delivery-history.ts';
import { canonicalRepository } from '../images/image-reference.ts';
import { inBatches } from '../in-batches.ts';
import type { Delivery } from '../model/delivery.ts';
import type { TargetView } from '../view/target-view.ts';
import type { ApiDeps } from './deps.ts';
import { seesAll, type Person } from './person.ts';

const dayMs = 86_400_000;
const mostDeliveries = 100;
/** Where most of them are of others. */
const mostLookedAt = 300;
const readsAtOnce = 50;

interface Told {
  /** Milliseconds since the epoch. */
  readonly from: number;
  readonly to: number;
  readonly person: Person;
  /** Asked of one cluster or application. */
  readonly isNarrowed: boolean;
}

interface Deliveries {
  readonly told: readonly Delivery[];
  /** There were more in this time than were looked at. */
  readonly cut: boolean;
}

/**
 * What Git hosts and registries told: everything, to who sees all and asks of all. Else the pushes to what these targets
 * follow, and of images those that their desired objects name. What came of a commit names applications of other
 * projects too, so that only who sees all is told that.
 */
export async function deliveriesOf(
  seen: readonly TargetView[],
  { from, to, person, isNarrowed }: Told,
  { store, book }: Pick<ApiDeps, 'store' | 'book'>,
): Promise<Deliveries> {
  const isAll = seesAll(person);
  const isOfSome = isNarrowed || !isAll;
  if (isOfSome && seen.length === 0) return { told: [], cut: false };
  const days = Math.floor(to / dayMs) - Math.floor(from / dayMs) + 1;
  const most = isOfSome ? mostLookedAt : mostDeliveries;
  const newest = await newestDeliveries(store, { now: to, days, most });
  const cut = newest.length === most;
  if (!isOfSome) return { told: newest, cut };
  const followed = new Set(seen.map(({ pointer: { repository, ref } }) => `${repository} ${ref}`));
  const named = newest.some(({ images = [] }) => images.length > 0) ? await imagesOf(seen, book) : new Set();
  const told = newest.flatMap((delivery) => {
    const { images = [], pulls: _, pushes = [], outcome, ...rest } = delivery;
    const own = {
      pushes: pushes.filter(({ repository, ref }) => followed.has(`${repository} ${ref}`)),
      images: images.filter(({ repository }) => named.has(canonicalRepository(repository))),
    };
    if (own.pushes.length + own.images.length === 0) return [];
    return [{ ...rest, ...own, ...(isAll && outcome !== undefined && { outcome }) }];
  });
  return { told, cut };
}

/** Repositories of the images that they should have now; one snapshot that several have is read once. */
async function imagesOf(
  seen: readonly TargetView[],
  { images }: ApiDeps['book'],
): Promise<ReadonlySet<string>> {
  const snapshots = new Map(
    seen.map(({ target: { application }, pointer: { snapshot } }) => [
      `${application} ${snapshot}`,
      { application, snapshot },
    ]),
  );
  const read = await inBatches([...snapshots.values()], readsAtOnce, async ({ application, snapshot }) =>
    images.of(application, snapshot),
  );
  return new Set(read.flatMap((names) => [...names]));
}
