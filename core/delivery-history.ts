import { keys, prefixes } from './contract/keys.ts';
import { readDocument } from './documents.ts';
import { inBatches } from './in-batches.ts';
import { deliverySchema, type Delivery } from './model/delivery.ts';
import { isoTime } from './model/time.ts';
import type { Store } from './ports.ts';

/** How long the ledger keeps a delivery. */
export const ledgerDays = 30;
const dayMs = 86_400_000;
const readsAtOnce = 20;

/** Which delivery: an id is that of its sender. */
export type Sender = Pick<Delivery, 'provider' | 'id'>;

/** Who delivered on each day, newest first; one delivery once, at its last arrival of the day. */
export async function* deliveryDays(
  store: Store,
  now: number,
  days = ledgerDays,
): AsyncIterable<readonly Sender[]> {
  for (let day = 0; day < days; day += 1) {
    const date = isoTime(now - day * dayMs).slice(0, 10);
    const listed = await Array.fromAsync(store.list(`${prefixes.deliveries}log/date=${date}/`));
    const names = listed.reverse().map((key) => key.slice(key.indexOf('_') + 1));
    yield [...new Set(names)].map((name) => {
      const bar = name.indexOf('_');
      return { provider: name.slice(0, bar), id: name.slice(bar + 1) };
    });
  }
}

/** The newest deliveries, newest first; one that came again on a later day is there once. */
export async function newestDeliveries(
  store: Store,
  { now, days = ledgerDays, most }: { readonly now: number; readonly days?: number; readonly most: number },
): Promise<readonly Delivery[]> {
  const newest = new Map<string, Sender>();
  for await (const day of deliveryDays(store, now, days)) {
    for (const sender of day) {
      const key = keys.delivery(sender.provider, sender.id);
      if (newest.size < most && !newest.has(key)) newest.set(key, sender);
    }
    if (newest.size === most) break;
  }
  const read = await inBatches([...newest.keys()], readsAtOnce, async (key) =>
    readDocument(store, key, deliverySchema),
  );
  return read.flatMap((found) => found?.value ?? []);
}

/** Refs, images and pull requests that it told of, in a line; empty where it told of none that anybody follows. */
export function describeDelivery({ pushes = [], images = [], pulls = [] }: Delivery): string {
  return [
    ...pushes.map(({ repository, ref, after }) => `${repository} ${ref} ${after.slice(0, 7)}`),
    ...images.map(({ repository, tag }) => `${repository}:${tag}`),
    ...pulls.map(({ repository, id, action }) => `${repository} pull request ${id} ${action}`),
  ].join(', ');
}
