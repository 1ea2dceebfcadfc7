import {
  deliveryDays,
  describeDelivery,
  ledgerDays,
  newestDeliveries,
  type Sender,
} from '../core/delivery-history.ts';
import type { ReplayDeps } from '../core/receive/replay.ts';
import type { Store } from '../core/ports.ts';
import { CliError } from './cli-error.ts';
import { age, clipped, table, type Report } from './report.ts';
import type { Session } from './session.ts';

/** A screenful. */
const most = 30;

/** What senders told us of late, newest first, and what came of it. */
export async function deliveries({ store, clock }: Pick<Session, 'store' | 'clock'>): Promise<Report> {
  const found = await newestDeliveries(store, { now: clock.now(), most });
  if (found.length === 0) return { data: [], text: `no deliveries in the last ${ledgerDays} days` };
  const head = ['RECEIVED', 'FROM', 'EVENT', 'WHAT', 'STATE', 'OUTCOME', 'ID'];
  const rows = found.map((delivery) => [
    `${age(delivery.receivedAt, clock.now())} ago`,
    delivery.provider,
    clipped(delivery.event, 24),
    clipped(describeDelivery(delivery) || '-', 48),
    delivery.state,
    clipped(delivery.outcome ?? '-', 72),
    delivery.id,
  ]);
  const names = found.map(({ provider, id }) => `${provider}/${id}`);
  return { data: found, text: table(head, rows), names };
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
  return { data: replayed, text: `${provider}/${id} ${outcome}\n${describeDelivery(replayed)}`.trimEnd() };
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
