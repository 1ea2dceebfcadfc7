import { createHmac, randomUUID } from 'node:crypto';

/** Where a repository's webhook goes; `secret` signs it. */
export interface Webhook {
  url: string;
  secret: string;
}

/** One try to send a delivery: the answer's status, or why there was none; and how long it took. */
export type Attempt = { readonly milliseconds: number } & (
  | { readonly outcome: 'answered'; readonly status: number; readonly body: string }
  | { readonly outcome: 'failed'; readonly reason: string }
);

/** A webhook request as it was made: it can be sent again, byte for byte and under the same id. */
export interface Delivery {
  readonly id: string;
  readonly repository: string;
  readonly event: 'ping' | 'push';
  /** The ref that was pushed; undefined of a ping. */
  readonly ref: string | undefined;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  /** Oldest first; none while it is held or on its way for the first time. */
  readonly attempts: readonly Attempt[];
}

/** What a delivery is made of. */
export interface Notice {
  repository: string;
  event: 'ping' | 'push';
  ref?: string;
  hookId: number;
  payload: unknown;
}

/** The log of webhook deliveries, with GitHub's redelivery and with holding back, so that a test sets their order. */
export class Deliveries {
  // GitHub waits this long for an answer and counts the delivery as failed after it.
  readonly #answerWithinMs = 10_000;
  readonly #log: (Delivery & { attempts: Attempt[] })[] = [];
  readonly #underway = new Set<Promise<Attempt>>();
  readonly #stopped = new AbortController();
  #held: boolean = false;

  /** All deliveries made so far, oldest first. */
  get all(): readonly Delivery[] {
    return this.#log;
  }

  /** From now on deliveries are made and not sent, until `release` sends each or `hold(false)` lets new ones go again. */
  hold(held = true): void {
    this.#held = held;
  }

  /** Sends a held delivery, whatever the order in which they were made. */
  release(id: string): Promise<Attempt> {
    return this.#send(this.#find(id));
  }

  /** Sends a delivery again as GitHub's redelivery does: the same id, headers and bytes. */
  redeliver(id: string): Promise<Attempt> {
    return this.#send(this.#find(id));
  }

  /** Resolves when nothing is on its way. */
  async settled(): Promise<void> {
    while (this.#underway.size > 0) await Promise.allSettled(this.#underway);
  }

  /** Makes a delivery, signed over its raw bytes, and sends it unless deliveries are held. */
  make(hook: Webhook, notice: Notice): Delivery {
    const body = Buffer.from(JSON.stringify(notice.payload));
    const id = randomUUID();
    const sign = (algorithm: string) => createHmac(algorithm, hook.secret).update(body).digest('hex');
    const headers = {
      accept: '*/*',
      'content-type': 'application/json',
      'user-agent': 'GitHub-Hookshot/044aadd',
      'x-github-delivery': id,
      'x-github-event': notice.event,
      'x-github-hook-id': String(notice.hookId),
      'x-github-hook-installation-target-id': String(notice.hookId),
      'x-github-hook-installation-target-type': 'repository',
      'x-hub-signature': `sha1=${sign('sha1')}`,
      'x-hub-signature-256': `sha256=${sign('sha256')}`,
    };
    const { repository, event, ref } = notice;
    const delivery = { id, repository, event, ref, url: hook.url, headers, body, attempts: [] };
    this.#log.push(delivery);
    if (!this.#held) void this.#send(delivery);
    return delivery;
  }

  /** Gives up on what is on its way. */
  async stop(): Promise<void> {
    this.#stopped.abort();
    await this.settled();
  }

  #find(id: string): Delivery & { attempts: Attempt[] } {
    const delivery = this.#log.find((candidate) => candidate.id === id);
    if (delivery === undefined) throw new Error(`there is no delivery ${id}`);
    return delivery;
  }

  async #send(delivery: Delivery & { attempts: Attempt[] }): Promise<Attempt> {
    const attempt = this.#attempt(delivery);
    this.#underway.add(attempt);
    try {
      const result = await attempt;
      delivery.attempts.push(result);
      return result;
    } finally {
      this.#underway.delete(attempt);
    }
  }

  async #attempt({ url, headers, body }: Delivery): Promise<Attempt> {
    const started = performance.now();
    const signal = AbortSignal.any([this.#stopped.signal, AbortSignal.timeout(this.#answerWithinMs)]);
    try {
      const response = await fetch(url, {
        method: 'POST',
        headers,
        body: new Uint8Array(body),
        signal,
        redirect: 'manual',
      });
      const text = await response.text();
      const milliseconds = performance.now() - started;
      return { outcome: 'answered', status: response.status, body: text, milliseconds };
    } catch (error) {
      const reason = String(error instanceof Error ? (error.cause ?? error) : error);
      return { outcome: 'failed', reason, milliseconds: performance.now() - started };
    }
  }
}
