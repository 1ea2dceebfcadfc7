import { keys } from '../../core/contract/keys.ts';
import type { SweepResult } from '../../core/sweep.ts';
import type { Invocation } from './invocation.ts';
import type { RequestKind } from './requests.ts';
import type { Surroundings } from './surroundings.ts';

/** A sweep that found nothing to do, and what it cost. */
interface CleanSweep {
  readonly at: number;
  readonly version: string;
  /** Of the cheapest one since the cluster was last written to: exact checks that fall due are made by those executed. */
  readonly counts: ReadonlyMap<RequestKind, number>;
  readonly milliseconds: number;
  /** How many in a row. */
  readonly times: number;
}

/** The first one after a change may do what the next need not. */
const enoughTimes = 2;

/**
 * Quiet time. A sweep of a cluster of which nothing was written since a sweep that found nothing to do, neither records
 * nor objects, would do what that one did: it is counted and not executed, until none was executed for `sampleMs`.
 */
export class QuietTime {
  readonly #world: Surroundings;
  readonly #sampleMs: number;
  readonly #clean = new Map<string, CleanSweep>();
  executed = 0;
  skipped = 0;

  constructor(world: Surroundings, sampleMs: number) {
    this.#world = world;
    this.#sampleMs = sampleMs;
  }

  isSame(cluster: string): boolean {
    const clean = this.#clean.get(cluster);
    const { timeline, chaos } = this.#world;
    if (clean === undefined || clean.times < enoughTimes || timeline.now - clean.at >= this.#sampleMs)
      return false;
    if (chaos.isAway('s3') || chaos.isAway(`cluster ${cluster}`)) return false;
    return clean.version === this.#world.versionOf(cluster);
  }

  skip(cluster: string): void {
    const clean = this.#clean.get(cluster);
    const { requests, timeline } = this.#world;
    this.skipped += 1;
    this.#world.looked.set(cluster, timeline.now);
    if (clean === undefined) return;
    for (const [kind, count] of clean.counts) requests.add(kind, count);
    // The invocation itself is counted by whoever began it.
    requests.addInvocation('sweep', clean.milliseconds, 0);
    void this.#renewCheck(cluster);
  }

  /** The document of the sweep that was not executed: the last one's, with the time of now. */
  async #renewCheck(cluster: string): Promise<void> {
    const { store, timeline } = this.#world;
    const key = keys.check(cluster);
    const stored = await store.get(key);
    if (stored === undefined) return;
    const at = new Date(Math.floor(timeline.now)).toISOString();
    // As text: there are many of them, and nothing else of theirs is new.
    const text = stored.text.replaceAll(/"(at|oldestAt)":"[^"]*"/g, `"$1":"${at}"`);
    await store.put(key, text, { etag: stored.etag });
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
    const before = this.#clean.get(cluster);
    this.#clean.delete(cluster);
    if (unreachable !== undefined) return;
    this.#world.looked.set(cluster, timeline.now);
    // What waits for its time would be seen too late.
    const isSettled = Object.values(targets).every(
      ({ sync, health }) => (sync === 'Synced' || sync === 'Drifted') && health !== 'Progressing',
    );
    const isIdle = (['sqs standard', 'events', 's3 delete'] as const).every((kind) => !asked.has(kind));
    // What was written while it looked, it may not have seen.
    if (!isSettled || !isIdle || version !== this.#world.versionOf(cluster)) return;
    const seen = { at: timeline.now, version, times: 1 };
    const cost = { counts: new Map(asked), milliseconds: timeline.now - startedAt };
    const again = before?.version === version ? { ...before, ...seen, times: before.times + 1 } : undefined;
    const isCheaper = again === undefined || sumOf(cost.counts) < sumOf(again.counts);
    this.#clean.set(cluster, { ...seen, ...cost, ...again, ...(isCheaper && cost) });
  }
}

function sumOf(counts: ReadonlyMap<RequestKind, number>): number {
  return [...counts.values()].reduce((sum, count) => sum + count, 0);
}
