import type { RunRequest } from '../../core/model/run.ts';
import type { Clock } from '../../core/ports.ts';
import type { Chaos } from './chaos.ts';
import type { RequestKind, Requests } from './requests.ts';
import type { Timeline } from './timeline.ts';

/** What an invocation needs to know of the world that it runs in. */
export interface Host {
  readonly timeline: Timeline;
  readonly chaos: Chaos;
  readonly requests: Requests;
}

/** Never resolves: who waits for it is dead, and none of its code runs any more, not even a `finally`. */
const never = new Promise<never>(() => undefined);

/** Hosts' clocks are kept within this of each other. */
const skewMs = 1_000;
/** Most calls after which an invocation that is to die does so. */
const deathWithin = 60;

/** One invocation of a function: its clock, its time, and how it dies. Every port it has goes through `call`. */
export class Invocation {
  readonly host: Host;
  readonly clock: Clock;
  readonly startedAt: number;
  /** Milliseconds since the epoch, by the clock of this host. */
  readonly deadline: number;
  #isDead = false;
  #calls = 0;
  readonly #death: { readonly at: number; readonly when: 'before' | 'after' } | undefined;
  #onDeath: () => void = () => undefined;
  /** What this invocation asked for. */
  readonly asked = new Map<RequestKind, number>();
  /** A person's command line, and no function. */
  readonly isPerson: boolean;
  /** What it works on, once that is known. */
  run: RunRequest | undefined;

  constructor(host: Host, timeoutMs: number, { isPerson = false } = {}) {
    this.host = host;
    this.isPerson = isPerson;
    const { timeline, chaos } = host;
    this.startedAt = timeline.now;
    const skew = Math.round(chaos.random.between(-skewMs, skewMs));
    this.clock = {
      now: () => Math.floor(timeline.now) + skew,
      sleep: async (milliseconds) => this.#alive(timeline.wait(milliseconds)),
    };
    this.deadline = this.clock.now() + timeoutMs;
    if (chaos.strikes('death')) {
      const at = 1 + chaos.random.index(deathWithin);
      this.#death = { at, when: chaos.random.chance(0.5) ? 'before' : 'after' };
    }
    timeline.after(timeoutMs, () => void this.#die());
  }

  count(kind: RequestKind, count = 1): void {
    this.asked.set(kind, (this.asked.get(kind) ?? 0) + count);
    this.host.requests.add(kind, count);
  }

  /** The answer of `work`; undefined when the invocation died, or its time was over, before there was one. */
  async begin<T>(work: () => Promise<T>): Promise<{ readonly value: T } | undefined> {
    const death = new Promise<undefined>((done) => {
      this.#onDeath = () => done(undefined);
    });
    const ended = await Promise.race([work().then((value) => ({ value })), death]);
    this.#isDead = true;
    return ended;
  }

  /** One call of a port: it takes its time, may meet a fault, and may be the last thing that this invocation does. */
  async call<T>(latencyMs: number, work: () => T | Promise<T>): Promise<T> {
    if (this.#isDead) return never;
    this.#calls += 1;
    const isLast = this.#calls === this.#death?.at;
    if (isLast && this.#death.when === 'before') return this.#die();
    await this.host.timeline.wait(latencyMs * this.host.chaos.random.between(0.5, 2));
    if (this.#isDead) return never;
    const answer = await work();
    return isLast ? this.#die() : answer;
  }

  async #alive<T>(work: Promise<T>): Promise<T> {
    const value = await work;
    return this.#isDead ? never : value;
  }

  async #die(): Promise<never> {
    if (!this.#isDead) this.#onDeath();
    this.#isDead = true;
    return never;
  }
}
