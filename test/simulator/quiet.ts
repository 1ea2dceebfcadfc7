import type { SweepResult } from '../../core/sweep.ts';
import type { Invocation } from './invocation.ts';
import type { RequestKind } from './requests.ts';
import type { SimulatedWorld } from './world.ts';

/** A sweep that found nothing to do, and what it cost. */
interface CleanSweep {
  readonly at: number;
  readonly version: string;
  readonly counts: ReadonlyMap<RequestKind, number>;
  readonly milliseconds: number;
}

/**
 * Quiet time. A sweep of a cluster of which nothing was written since a sweep that found nothing to do, neither records
 * nor objects, would do what that one did: it is counted and not executed, until none was executed for `sampleMs`.
 */
export class QuietTime {
  readonly #world: SimulatedWorld;
  readonly #sampleMs: number;
  readonly #clean = new Map<string, CleanSweep>();
  /** When each cluster was last looked at, executed or not. */
  readonly looked = new Map<string, number>();
  executed = 0;
  skipped = 0;

  constructor(world: SimulatedWorld, sampleMs: number) {
    this.#world = world;
    this.#sampleMs = sampleMs;
  }

  isSame(cluster: string): boolean {
    const clean = this.#clean.get(cluster);
    const { timeline, chaos } = this.#world;
    if (clean === undefined || timeline.now - clean.at >= this.#sampleMs) return false;
    if (chaos.isAway('s3') || chaos.isAway(`cluster ${cluster}`)) return false;
    return clean.version === this.#world.versionOf(cluster);
  }

  skip(cluster: string): void {
    const clean = this.#clean.get(cluster);
    const { requests, timeline } = this.#world;
    this.skipped += 1;
    this.looked.set(cluster, timeline.now);
    if (clean === undefined) return;
    for (const [kind, count] of clean.counts) requests.add(kind, count);
    // The invocation itself is counted by whoever began it.
    requests.addInvocation('sweep', clean.milliseconds, 0);
  }

  /** The version of the cluster that this sweep will have seen. */
  begin(cluster: string): string {
    this.executed += 1;
    return this.#world.versionOf(cluster);
  }

  end(
    cluster: string,
    version: string,
    { unreachable, targets }: SweepResult,
    { startedAt, asked }: Invocation,
  ): void {
    const { timeline } = this.#world;
    this.#clean.delete(cluster);
    if (unreachable !== undefined) return;
    this.looked.set(cluster, timeline.now);
    // What waits for its time would be seen too late.
    const isSettled = Object.values(targets).every(
      ({ sync, health }) => (sync === 'Synced' || sync === 'Drifted') && health !== 'Progressing',
    );
    const isIdle = (['sqs standard', 'events', 's3 delete'] as const).every((kind) => !asked.has(kind));
    // What was written while it looked, it may not have seen.
    if (!isSettled || !isIdle || version !== this.#world.versionOf(cluster)) return;
    const milliseconds = timeline.now - startedAt;
    this.#clean.set(cluster, { at: timeline.now, version, counts: new Map(asked), milliseconds });
  }
}
