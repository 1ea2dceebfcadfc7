import * as z from 'zod';
import { keys } from './contract/keys.ts';
import { readDocument, writeDocument } from './documents.ts';
import { Retry } from './errors.ts';
import { targetKey, type Target } from './model/target.ts';
import type { Clock, Ids, Store } from './ports.ts';

const leaseMs = 90_000;
const renewMs = 20_000;
/** No request to the cluster starts unless it ends this long before the lease: Kubernetes checks no token (rule 3). */
const fenceMs = 10_000;

/** One writer per target at a time. The document stays when released, so that its token only ever grows. */
const leaseSchema = z.object({
  version: z.literal(1),
  holder: z.string().describe('id of one holding, not of a process'),
  token: z.number().int().describe('grows with every holder; fences the writes of earlier ones'),
  acquiredAt: z.number(),
  expiresAt: z.number().describe('milliseconds since the epoch; 0 when released'),
});
type LeaseRecord = z.infer<typeof leaseSchema>;

export interface LeaseDeps {
  readonly store: Store;
  readonly clock: Clock;
  readonly ids: Ids;
}

interface LeaseLook {
  readonly store: Store;
  readonly clock: Pick<Clock, 'now'>;
}

/** Somebody else holds the target now, or may: stop before the next effect. */
export class LeaseLost extends Retry {}

/** Whether somebody works on the target now, for checks that must not mistake work under way for drift. */
export async function isLeaseHeld(deps: LeaseLook, target: Target): Promise<boolean> {
  return (await heldToken(deps, target)) !== undefined;
}

/** Token of whoever works on the target now; undefined where nobody does. */
export async function heldToken(deps: LeaseLook, target: Target): Promise<number | undefined> {
  const current = await readDocument(deps.store, keys.lease(target), leaseSchema);
  return current !== undefined && current.value.expiresAt > deps.clock.now()
    ? current.value.token
    : undefined;
}

/** Takes the lease of a target; undefined while another holds it. One that expired may be taken. */
export async function acquireLease(deps: LeaseDeps, target: Target): Promise<Lease | undefined> {
  const key = keys.lease(target);
  const current = await readDocument(deps.store, key, leaseSchema);
  const now = deps.clock.now();
  if (current !== undefined && current.value.expiresAt > now) return undefined;
  const record = {
    version: 1 as const,
    holder: deps.ids.next(),
    token: (current?.value.token ?? 0) + 1,
    acquiredAt: now,
    expiresAt: now + leaseMs,
  };
  const condition = current === undefined ? 'absent' : { etag: current.etag };
  const outcome = await writeDocument(deps.store, key, record, condition);
  return outcome.kind === 'conflict' ? undefined : new Lease(deps, target, record, outcome.etag);
}

/** A lease that we hold, or held. All times are of the clock that was given, read before each write is sent. */
export class Lease {
  readonly #deps: LeaseDeps;
  readonly #target: Target;
  #record: LeaseRecord;
  #etag: string;
  #renewing: Promise<void> | undefined;

  constructor(deps: LeaseDeps, target: Target, record: LeaseRecord, etag: string) {
    this.#deps = deps;
    this.#target = target;
    this.#record = record;
    this.#etag = etag;
  }

  /** Higher than that of every earlier holder. */
  get token(): number {
    return this.#record.token;
  }

  /** Latest time at which an effect may still happen, in milliseconds since the epoch; moves with each renewal. */
  readonly deadline = (): number => this.#record.expiresAt - fenceMs;

  /**
   * Call before every effect: renews when 20 s have passed, throws LeaseLost when the lease is another's or expired.
   * Callers at the same time share one renewal.
   */
  async hold(): Promise<void> {
    const now = this.#deps.clock.now();
    if (now >= this.deadline()) throw this.#lost('expired before it was renewed');
    if (now < this.#record.expiresAt - leaseMs + renewMs) return;
    this.#renewing ??= this.#renew(now).finally(() => {
      this.#renewing = undefined;
    });
    await this.#renewing;
  }

  /** Lets the next one in at once. A lease that was lost already is left alone. */
  async release(): Promise<void> {
    await this.#renewing?.catch(() => undefined);
    await this.#write({ ...this.#record, expiresAt: 0 });
  }

  async #renew(now: number): Promise<void> {
    const record = { ...this.#record, expiresAt: now + leaseMs };
    if (!(await this.#write(record))) throw this.#lost('was taken by another run');
  }

  async #write(record: LeaseRecord): Promise<boolean> {
    const key = keys.lease(this.#target);
    const outcome = await writeDocument(this.#deps.store, key, record, { etag: this.#etag });
    if (outcome.kind === 'conflict') return false;
    this.#record = record;
    this.#etag = outcome.etag;
    return true;
  }

  #lost(how: string): LeaseLost {
    const message = `its lease ${how}; this run stopped before its next effect, the other one goes on`;
    return new LeaseLost({ subject: `target ${targetKey(this.#target)}`, message });
  }
}
