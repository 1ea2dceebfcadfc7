import type { HookAttempt } from '../../core/ports.ts';

/** A push as the Git host would tell it. */
export interface Delivery {
  readonly guid: string;
  readonly event: 'push' | 'pull_request';
  readonly body: string;
}

/** What a Git host remembers of its deliveries, and delivers again when it is asked to. */
export class Deliveries {
  readonly #attempts: (HookAttempt & { readonly delivery: Delivery })[] = [];
  readonly #send: (delivery: Delivery) => void;

  constructor(send: (delivery: Delivery) => void) {
    this.#send = send;
  }

  note(delivery: Delivery, at: number, succeeded: boolean): void {
    const id = this.#attempts.length + 1;
    const { guid, event } = delivery;
    this.#attempts.push({ id, guid, event, at: new Date(at).toISOString(), succeeded, delivery });
  }

  since(since: number): readonly HookAttempt[] {
    return this.#attempts.filter(({ at }) => Date.parse(at) >= since).toReversed();
  }

  repeat(id: number): void {
    const attempt = this.#attempts.find((each) => each.id === id);
    if (attempt !== undefined) this.#send(attempt.delivery);
  }
}
