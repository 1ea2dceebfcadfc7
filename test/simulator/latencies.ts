type Measure = 'push to applied' | 'drift to record' | 'drift to heal';

export interface Percentiles {
  readonly count: number;
  /** Seconds. */
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly max: number;
}

/** How long things took, in virtual milliseconds. */
export class Latencies {
  readonly #samples = new Map<Measure, number[]>();
  readonly #pushes = new Map<string, { readonly at: number; readonly applied: Set<string> }>();
  readonly #newest = new Map<string, string>();

  add(measure: Measure, milliseconds: number): void {
    const samples = this.#samples.get(measure) ?? [];
    samples.push(milliseconds);
    this.#samples.set(measure, samples);
  }

  pushed(repository: string, sha: string, at: number): void {
    const before = this.#newest.get(repository);
    // What a newer push overtook is not waited for any more.
    if (before !== undefined) this.#pushes.delete(before);
    this.#newest.set(repository, sha);
    this.#pushes.set(sha, { at, applied: new Set() });
  }

  /** The first run of a target that ends with this commit applied. */
  pushApplied(sha: string, target: string, now: number): void {
    const push = this.#pushes.get(sha);
    if (push === undefined || push.applied.has(target)) return;
    push.applied.add(target);
    this.add('push to applied', now - push.at);
  }

  get percentiles(): Readonly<Partial<Record<Measure, Percentiles>>> {
    return Object.fromEntries(
      [...this.#samples].map(([measure, samples]) => [measure, percentilesOf(samples)]),
    );
  }
}

function percentilesOf(samples: readonly number[]): Percentiles {
  const sorted = samples.toSorted((a, b) => a - b);
  const at = (share: number): number => {
    const sample = sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
    return Math.round(sample / 100) / 10;
  };
  return { count: sorted.length, p50: at(0.5), p90: at(0.9), p99: at(0.99), max: at(1) };
}
