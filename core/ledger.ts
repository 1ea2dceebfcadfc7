import { keys } from './contract/keys.ts';
import { readDocument, updateDocument, writeDocument } from './documents.ts';
import { Retry } from './errors.ts';
import { deliverySchema, type Delivery } from './model/delivery.ts';
import { isoTime, millisecondsOf } from './model/time.ts';
import type { Clock, Store } from './ports.ts';

/**
 * The delivery ledger (rule 11). Every delivery has a record by its id, for people and for its outcome; a push has one
 * by the digest of its body too, which is its lock: the id is not signed, the body is.
 */
export interface LedgerDeps {
  readonly store: Store;
  readonly clock: Clock;
}

/** A delivery that wants to be published. */
export interface Candidate {
  readonly provider: string;
  readonly id: string;
  readonly bodyDigest: string;
  readonly event: string;
  readonly wanted: Pick<Delivery, 'pushes' | 'images' | 'pulls'>;
  /** The body names the moment of the push: equal bytes are the same push, whatever id they come under. */
  readonly stamped: boolean;
}

export type Claim =
  | { readonly kind: 'claimed'; readonly delivery: Delivery }
  | { readonly kind: 'duplicate'; readonly of: string };

/** Longer than any webhook function lives, so that an expired claim is one whose function died. */
const claimMilliseconds = 60_000;
const pollMilliseconds = 250;

/**
 * How long a body under another id counts as the same delivery. A genuine push must never be taken for an old one:
 * after force-pushes A to B, B to A, A to B the third body may equal the first where the sender stamps no time on it.
 * So without a stamp it never counts, and with one it counts only for this long. A replay after that costs one look at
 * the head of the ref, which finds nothing to do.
 */
const repeatMilliseconds = 10 * 60_000;

export type Verdict =
  | { readonly kind: 'take' }
  /** Another copy of it is being published at this moment. */
  | { readonly kind: 'wait' }
  | { readonly kind: 'duplicate'; readonly of: string };

/** Suppressed is only what was published: a claim that expired, failed or was ignored may be taken again. */
export function judge(
  candidate: Candidate,
  known: { readonly byBody: Delivery | undefined; readonly byId: Delivery | undefined },
  now: number,
): Verdict {
  for (const earlier of [known.byId, known.byBody]) {
    if (earlier?.state === 'published' && isSame(candidate, earlier, now)) {
      return { kind: 'duplicate', of: earlier.id };
    }
  }
  const { byBody } = known;
  const held = byBody?.state === 'claimed' && now < millisecondsOf(byBody.claimExpiresAt);
  return { kind: held ? 'wait' : 'take' };
}

function isSame(candidate: Candidate, earlier: Delivery, now: number): boolean {
  // The same id with another body is another delivery: its body was signed, its id was not.
  if (earlier.bodyDigest !== candidate.bodyDigest) return false;
  if (earlier.id === candidate.id) return true;
  const publishedAt = millisecondsOf(earlier.publishedAt ?? earlier.receivedAt);
  return candidate.stamped && now - publishedAt < repeatMilliseconds;
}

/**
 * Takes the right to publish, or finds that it was published. While another copy holds the right, waits for what comes
 * of it, and throws Retry at `waitUntil`: the sender must not hear of success before there is any.
 */
export async function claimDelivery(
  deps: LedgerDeps,
  candidate: Candidate,
  waitUntil: number,
): Promise<Claim> {
  const { store, clock } = deps;
  const lock = keys.deliveryBody(candidate.provider, candidate.bodyDigest);
  for (;;) {
    const [byBody, byId] = await Promise.all([
      readDocument(store, lock, deliverySchema),
      readDocument(store, keys.delivery(candidate.provider, candidate.id), deliverySchema),
    ]);
    const verdict = judge(candidate, { byBody: byBody?.value, byId: byId?.value }, clock.now());
    if (verdict.kind === 'duplicate') return verdict;
    if (verdict.kind === 'take') {
      const delivery = claimOf(candidate, (byBody?.value.attempts ?? 0) + 1, clock.now());
      const condition = byBody === undefined ? 'absent' : { etag: byBody.etag };
      const written = await writeDocument(store, lock, delivery, condition);
      if (written.kind === 'written') {
        // Before the event is out: whoever handles the event adds its outcome to this record.
        await Promise.all([
          writeDocument(store, keys.delivery(delivery.provider, delivery.id), delivery, 'any'),
          logDelivery(store, delivery),
        ]);
        return { kind: 'claimed', delivery };
      }
    }
    if (clock.now() >= waitUntil) {
      const message = 'another copy of it is being handled; deliver it again';
      throw new Retry({ subject: `delivery ${candidate.id}`, message });
    }
    await clock.sleep(pollMilliseconds);
  }
}

function claimOf(candidate: Candidate, attempts: number, now: number): Delivery {
  const { provider, id, bodyDigest, event, wanted } = candidate;
  return {
    version: 1,
    provider,
    id,
    bodyDigest,
    event,
    receivedAt: isoTime(now),
    state: 'claimed',
    claimExpiresAt: isoTime(now + claimMilliseconds),
    attempts,
    ...wanted,
  };
}

/** Records have no order but their ids'; this has that of time. */
async function logDelivery(store: Store, { provider, id, receivedAt }: Delivery): Promise<void> {
  await store.put(keys.deliveryLog(provider, receivedAt, id), '{}', 'any');
}

/** From now on the delivery is suppressed as a duplicate. Keeps an outcome that was written meanwhile. */
export async function markPublished(deps: LedgerDeps, claim: Delivery): Promise<void> {
  const publishedAt = isoTime(deps.clock.now());
  await settle(deps.store, claim, (current) => ({ ...current, state: 'published', publishedAt }));
}

/** Ends the claim, so that the delivery can be sent again at once. */
export async function markFailed(deps: LedgerDeps, claim: Delivery, reason: string): Promise<void> {
  const claimExpiresAt = isoTime(deps.clock.now());
  const outcome = `not published: ${reason}`;
  await settle(deps.store, claim, (current) => ({ ...current, claimExpiresAt, outcome }));
}

async function settle(store: Store, claim: Delivery, change: (current: Delivery) => Delivery): Promise<void> {
  const { provider, id, bodyDigest, attempts } = claim;
  // The record by id first: with it alone the delivery is known already when the function dies here.
  for (const key of [keys.delivery(provider, id), keys.deliveryBody(provider, bodyDigest)]) {
    await updateDocument(store, key, deliverySchema, (current) => {
      const isOurs = current?.id === id && current.bodyDigest === bodyDigest && current.attempts === attempts;
      return current !== undefined && isOurs ? change(current) : undefined;
    });
  }
}

/**
 * Records a delivery that asks for nothing, with the reason (rule 5). The record of a published delivery stays as it
 * is, and so does one that says the same already.
 */
export async function recordIgnored(
  deps: LedgerDeps,
  delivery: Pick<Delivery, 'provider' | 'id' | 'bodyDigest' | 'event'>,
  outcome: string,
): Promise<void> {
  const { provider, id, bodyDigest, event } = delivery;
  const at = isoTime(deps.clock.now());
  const recorded = await updateDocument(
    deps.store,
    keys.delivery(provider, id),
    deliverySchema,
    (current): Delivery | undefined => {
      const isSaid = current?.bodyDigest === bodyDigest && current.outcome === outcome;
      if (current?.state === 'published' || isSaid) return undefined;
      const attempts = (current?.attempts ?? 0) + 1;
      const record = {
        provider,
        id,
        bodyDigest,
        event,
        receivedAt: at,
        claimExpiresAt: at,
        attempts,
        outcome,
      };
      return { version: 1, state: 'ignored', ...record };
    },
  );
  if (recorded?.receivedAt === at) await logDelivery(deps.store, recorded);
}
