import type { TrueupEvent } from '../contract/events.ts';
import { messageOf } from '../errors.ts';
import {
  claimDelivery,
  markFailed,
  markPublished,
  recordIgnored,
  type Candidate,
  type LedgerDeps,
} from '../ledger.ts';
import { isoTime } from '../model/time.ts';
import { traceOf } from '../model/trace.ts';
import type { Bus } from '../ports.ts';
import type { Understood } from './understand.ts';

export interface DeliverDeps extends LedgerDeps {
  readonly bus: Bus;
}

export type Wanted = Extract<Understood, { kind: 'wanted' }>;

/** Who sent what is wanted: the name of the hook, or of the source where there is none. */
export interface Sender {
  readonly provider: string;
  readonly id: string;
  readonly bodyDigest: string;
}

/** How long to wait for another copy of the same delivery; GitHub hangs up after 10 s. */
const patienceMilliseconds = 5_000;

/** Puts the events of a delivery on the bus, once whatever copies of it come (rule 11). */
export async function deliver(
  sender: Sender,
  wanted: Wanted,
  deps: DeliverDeps,
): Promise<'published' | 'duplicate'> {
  const { provider, id } = sender;
  const { event, stamped } = wanted;
  const candidate: Candidate = { ...sender, event, wanted: recordOf(wanted), stamped };
  const claim = await claimDelivery(deps, candidate, deps.clock.now() + patienceMilliseconds);
  if (claim.kind === 'duplicate') {
    if (claim.of !== id) await recordIgnored(deps, candidate, `duplicate of delivery ${claim.of}`);
    return 'duplicate';
  }
  try {
    await deps.bus.publish(eventsOf({ provider, id }, wanted, deps.clock.now()));
  } catch (error) {
    await markFailed(deps, claim.delivery, messageOf(error));
    throw error;
  }
  await markPublished(deps, claim.delivery);
  return 'published';
}

/** What a delivery asks for, as its record holds it. */
export function recordOf({ pushes, images, pulls }: Wanted): Candidate['wanted'] {
  return {
    ...(pushes.length > 0 && { pushes: [...pushes] }),
    ...(images.length > 0 && { images: [...images] }),
    ...(pulls.length > 0 && { pulls: [...pulls] }),
  };
}

const noCommit = /^0+$/;

/** The events of a delivery; they name it, so that what comes of them finds its record. */
export function eventsOf(
  { provider, id: deliveryId }: Pick<Sender, 'provider' | 'id'>,
  { pushes, images, pulls }: Wanted,
  now: number,
): TrueupEvent[] {
  const at = isoTime(now);
  const trace = traceOf('push', at, provider, deliveryId);
  const facts = { version: 1, at, trace, deliveryId, provider } as const;
  return [
    ...pushes.map((push) => ({
      type: 'PushReceived' as const,
      detail: { ...facts, ...push, deleted: noCommit.test(push.after) },
    })),
    ...images.map((image) => ({ type: 'ImagePushed' as const, detail: { ...facts, ...image } })),
    ...pulls.map((pull) => ({ type: 'PullRequestChanged' as const, detail: { ...facts, ...pull } })),
  ];
}
