import { keys, prefixes } from '../core/contract/keys.ts';
import { readDocument } from '../core/documents.ts';
import { inBatches } from '../core/in-batches.ts';
import { deliverySchema, type Delivery } from '../core/model/delivery.ts';
import { isoTime } from '../core/model/time.ts';
import type { ReplayDeps } from '../core/receive/replay.ts';
import type { Store } from '../core/ports.ts';
import { CliError } from './cli-error.ts';
import { age, clipped, table, type Report } from './report.ts';
import type { Session } from './session.ts';

/** How long the ledger keeps a delivery. */
const ledgerDays = 30;
const readsAtOnce = 20;
/** A screenful. */
const most = 30;

type Sender = Pick<Delivery, 'provider' | 'id'>;

/** What senders told us of late, newest first, and what came of it. */
export async function deliveries({ store, clock }: Pick<Session, 'store' | 'clock'>): Promise<Report> {
  const newest: Sender[] = [];
  for await (const day of deliveryDays(store, clock.now())) {
    newest.push(...day.slice(0, most - newest.length));
    if (newest.length === most) break;
  }
  const read = await inBatches(newest, readsAtOnce, async ({ provider, id }) => {
    const found = await readDocument(store, keys.delivery(provider, id), deliverySchema);
    return found === undefined ? [] : [found.value];
  });
  const found = read.flat();
  if (found.length === 0) return { data: [], text: `no deliveries in the last ${ledgerDays} days` };
  const head = ['RECEIVED', 'FROM', 'EVENT', 'WHAT', 'STATE', 'OUTCOME', 'ID'];
  const rows = found.map((delivery) => [
    `${age(delivery.receivedAt, clock.now())} ago`,
    delivery.provider,
    clipped(delivery.event, 24),
    clipped(what(delivery), 48),
    delivery.state,
    clipped(delivery.outcome ?? '-', 72),
    delivery.id,
  ]);
  return { data: found, text: table(head, rows) };
}

/** Reads one delivery again, with the configuration of today. */
export async function replayDelivery(
  { whoAmI }: Pick<Session, 'whoAmI'>,
  wanted: string,
  deps: ReplayDeps,
): Promise<Report> {
  const sender = await find(deps.store, wanted, deps.clock.now());
  const { replay } = await import('../core/receive/replay.ts');
  const replayed = await replay(sender, await whoAmI(), deps);
  const { provider, id, outcome = '' } = replayed;
  return { data: replayed, text: `${provider}/${id} ${outcome}\n${what(replayed)}` };
}

/** By id, or by `<provider>/<id>` where several senders have used the same one. */
async function find(store: Store, wanted: string, now: number): Promise<Sender> {
  for await (const day of deliveryDays(store, now)) {
    const named = day.filter(({ provider, id }) => id === wanted || `${provider}/${id}` === wanted);
    const senders = [...new Set(named.map(({ provider }) => provider))];
    if (senders.length > 1) {
      throw new CliError(
        `Several senders have a delivery ${wanted}: say ${senders.map((one) => `${one}/${wanted}`).join(' or ')}.`,
      );
    }
    if (named[0] !== undefined) return named[0];
  }
  throw new CliError(
    `There is no delivery ${wanted} in the last ${ledgerDays} days. \`trueup deliveries\` lists them.`,
  );
}

/** Who delivered on each day, newest first; one delivery once, at its last arrival of the day. */
export async function* deliveryDays(store: Store, now: number): AsyncIterable<readonly Sender[]> {
  for (let day = 0; day < ledgerDays; day += 1) {
    const date = isoTime(now - day * 86_400_000).slice(0, 10);
    const listed = await Array.fromAsync(store.list(`${prefixes.deliveries}log/date=${date}/`));
    const names = listed.reverse().map((key) => key.slice(key.indexOf('_') + 1));
    yield [...new Set(names)].map((name) => {
      const bar = name.indexOf('_');
      return { provider: name.slice(0, bar), id: name.slice(bar + 1) };
    });
  }
}

function what({ pushes = [], images = [], pulls = [] }: Delivery): string {
  const told = [
    ...pushes.map(({ repository, ref, after }) => `${repository} ${ref} ${after.slice(0, 7)}`),
    ...images.map(({ repository, tag }) => `${repository}:${tag}`),
    ...pulls.map(({ repository, id, action }) => `${repository} pull request ${id} ${action}`),
  ];
  return told.length === 0 ? '-' : told.join(', ');
}
