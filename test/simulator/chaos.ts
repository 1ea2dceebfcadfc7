import type { SeededRandom } from './random.ts';

/** How often each fault strikes while faults are on; chances are of one call, one message or one invocation. */
export interface FaultRates {
  /** An invocation dies before or after one of its calls. */
  readonly death: number;
  /** A standard queue hands a message out twice. */
  readonly duplicate: number;
  /** A message or an event never arrives. */
  readonly lost: number;
  /** A call of AWS is throttled, or its answer gets lost after its effect. */
  readonly awsError: number;
  /** A request to a cluster is throttled. */
  readonly throttle: number;
  /** A write to a cluster has no answer in time, and its effect comes when the lease may have passed on. */
  readonly lateWrite: number;
}

const noFaults: FaultRates = {
  death: 0,
  duplicate: 0,
  lost: 0,
  awsError: 0,
  throttle: 0,
  lateWrite: 0,
};

const usualFaults: FaultRates = {
  death: 0.02,
  duplicate: 0.02,
  lost: 0.01,
  awsError: 0.001,
  throttle: 0.002,
  lateWrite: 0.01,
};

/** What may be away: all of S3, the Git host, or one cluster by its name. */
export type Part = 's3' | 'git' | `cluster ${string}`;

/** Faults of the world at this moment. */
export class Chaos {
  readonly random: SeededRandom;
  rates: FaultRates = noFaults;
  readonly #away = new Set<Part>();
  /** When anything last went wrong, in virtual milliseconds: bounds hold from then on. */
  lastFault = Number.NEGATIVE_INFINITY;
  readonly #now: () => number;

  constructor(random: SeededRandom, now: () => number) {
    this.random = random;
    this.#now = now;
  }

  start(scale: number): void {
    const scaled = (rate: number): number => Math.min(0.5, rate * scale);
    const { death, duplicate, lost, awsError, throttle, lateWrite } = usualFaults;
    this.rates = {
      death: scaled(death),
      duplicate: scaled(duplicate),
      lost: scaled(lost),
      awsError: scaled(awsError),
      throttle: scaled(throttle),
      lateWrite: scaled(lateWrite),
    };
  }

  stop(): void {
    this.rates = noFaults;
    for (const part of this.#away) this.recover(part);
  }

  lose(part: Part): void {
    this.#away.add(part);
    this.note();
  }

  recover(part: Part): void {
    this.#away.delete(part);
    this.note();
  }

  isAway(part: Part): boolean {
    return this.#away.has(part);
  }

  /** Whether this fault strikes now; remembered as the last one. */
  strikes(fault: keyof FaultRates): boolean {
    const does = this.random.chance(this.rates[fault]);
    if (does) this.note();
    return does;
  }

  note(): void {
    this.lastFault = this.#now();
  }

  get isCalm(): boolean {
    return this.#away.size === 0;
  }
}
