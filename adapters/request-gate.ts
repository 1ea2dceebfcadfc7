import type { Clock } from '../core/ports.ts';

/** Requests at once to one cluster; more of ours would only wait in the server's fair queues. */
export const requestsAtOnce = 16;
/** Longest that requests wait because the server said so; beyond it they are for another run. */
export const longestPauseMs = 30_000;

/** What one sweep and a first apply never reach, and what keeps a small API server from being flooded. */
const defaultRequestsPerSecond = 400;
/** So many seconds of quiet bring a rate of nothing back to the whole. */
const recoverySeconds = 20;

/** Requests that went out to a cluster, and how many of them its server put off. */
export interface Traffic {
  readonly requests: number;
  readonly throttled: number;
}

/**
 * Lets requests out to one cluster, in order of arrival: so many at once, and no faster than a token bucket with a burst
 * of two seconds. A server that says "wait" stops all of them, halves the rate, and the rate grows back step by step.
 */
export class RequestGate {
  readonly #clock: Pick<Clock, 'now' | 'sleep'>;
  readonly #whole: number;
  #rate: number;
  #tokens: number;
  #filledAt: number;
  #pausedAt = Number.NEGATIVE_INFINITY;
  #pausedUntil = Number.NEGATIVE_INFINITY;
  #running = 0;
  #requests = 0;
  #throttled = 0;
  /** Settles when the request before the next one was let out or turned away. */
  #turn: Promise<unknown> = Promise.resolve();
  #placeFreed: (() => void) | undefined;

  constructor(clock: Pick<Clock, 'now' | 'sleep'>, requestsPerSecond = defaultRequestsPerSecond) {
    this.#clock = clock;
    this.#whole = requestsPerSecond;
    this.#rate = requestsPerSecond;
    this.#tokens = 2 * requestsPerSecond;
    this.#filledAt = clock.now();
  }

  /** Since this gate was made. */
  get traffic(): Traffic {
    return { requests: this.#requests, throttled: this.#throttled };
  }

  /** Requests a second now. */
  get rate(): number {
    this.#fill();
    return this.#rate;
  }

  /** How long the server still asks for, in milliseconds. */
  get pauseMs(): number {
    return Math.max(0, this.#pausedUntil - this.#clock.now());
  }

  /**
   * Waits until a request may go out, which must then `leave`; gives the time. `latest` is when it may start at the
   * latest; undefined: it would be later, or the server wants more rest than a run can give.
   */
  async enter(latest: () => number): Promise<number | undefined> {
    const turn = this.#turn.then(async () => this.#admit(latest));
    this.#turn = turn.catch(() => undefined);
    return turn;
  }

  leave(): void {
    this.#running -= 1;
    this.#placeFreed?.();
  }

  /** The server told a request that went out at `sentAt` to wait. Those that were under way with it count as one. */
  pause(sentAt: number, milliseconds: number): void {
    this.#throttled += 1;
    const now = this.#clock.now();
    this.#fill();
    if (sentAt > this.#pausedAt) {
      this.#rate = Math.max(Math.min(1, this.#whole), this.#rate / 2);
      this.#pausedAt = now;
    }
    this.#pausedUntil = Math.max(this.#pausedUntil, now + milliseconds);
    this.#tokens = 0;
    this.#filledAt = Math.max(this.#filledAt, this.#pausedUntil);
  }

  /** Only the first in line is ever here, so whatever changes while it waits holds for all behind it. */
  async #admit(latest: () => number): Promise<number | undefined> {
    if (this.#running >= requestsAtOnce) {
      await new Promise<void>((resume) => {
        this.#placeFreed = resume;
      });
      this.#placeFreed = undefined;
    }
    for (let wait = this.#waitMs(); ; wait = this.#waitMs()) {
      if (this.pauseMs > longestPauseMs || this.#clock.now() + wait > latest()) return undefined;
      if (wait === 0) break;
      await this.#clock.sleep(wait);
    }
    this.#tokens -= 1;
    this.#running += 1;
    this.#requests += 1;
    return this.#clock.now();
  }

  #waitMs(): number {
    this.#fill();
    if (this.#tokens >= 1) return this.pauseMs;
    return this.pauseMs + Math.ceil(((1 - this.#tokens) / this.#rate) * 1000);
  }

  #fill(): void {
    const now = this.#clock.now();
    const seconds = (now - this.#filledAt) / 1000;
    if (seconds <= 0) return;
    this.#rate = Math.min(this.#whole, this.#rate + (seconds * this.#whole) / recoverySeconds);
    // A rate below one a second still lets one request out.
    this.#tokens = Math.min(Math.max(1, 2 * this.#rate), this.#tokens + seconds * this.#rate);
    this.#filledAt = now;
  }
}
