/** What the bill counts. */
export type RequestKind =
  | 's3 get'
  | 's3 put'
  | 's3 list'
  | 's3 delete'
  | 'sqs standard'
  | 'sqs fifo'
  | 'events'
  | 'metrics'
  | 'secrets'
  | 'kms'
  | 'kubernetes'
  | 'git';

/** The functions of the stack that a simulated world runs. */
export type FunctionName = 'webhook' | 'intake' | 'snapshot' | 'reconcile' | 'sweep';

/** Invocations of one function, and how long they took together. */
export interface Usage {
  readonly invocations: number;
  readonly milliseconds: number;
}

/** Counts what a world asked of AWS and of its clusters. */
export class Requests {
  readonly #counts = new Map<RequestKind, number>();
  readonly #usage = new Map<FunctionName, Usage>();
  /** Metrics by name and dimension, with the hours in which each had a value. */
  readonly #metricHours = new Map<string, Set<number>>();

  add(kind: RequestKind, count = 1): void {
    this.#counts.set(kind, (this.#counts.get(kind) ?? 0) + count);
  }

  of(kind: RequestKind): number {
    return this.#counts.get(kind) ?? 0;
  }

  addInvocation(name: FunctionName, milliseconds: number, invocations = 1): void {
    const before = this.usage(name);
    this.#usage.set(name, {
      invocations: before.invocations + invocations,
      milliseconds: before.milliseconds + milliseconds,
    });
  }

  usage(name: FunctionName): Usage {
    return this.#usage.get(name) ?? { invocations: 0, milliseconds: 0 };
  }

  addMetric(name: string, now: number): void {
    const hours = this.#metricHours.get(name) ?? new Set();
    this.#metricHours.set(name, hours.add(Math.floor(now / 3_600_000)));
  }

  /** CloudWatch charges a metric for each hour in which it has a value. */
  get metricHours(): number {
    return [...this.#metricHours.values()].reduce((sum, hours) => sum + hours.size, 0);
  }

  get counts(): Readonly<Record<string, number>> {
    return Object.fromEntries([...this.#counts].toSorted(([a], [b]) => (a < b ? -1 : 1)));
  }
}
