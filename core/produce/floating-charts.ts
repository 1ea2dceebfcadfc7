import { digestOf } from '../model/digest.ts';
import type { FollowedChart } from '../model/helm.ts';
import type { RenderRecord } from '../model/render-record.ts';
import type { ChartIndex, NewestChart } from '../ports.ts';

/** Each chart once, whichever applications follow it. */
export function followedIn(renders: RenderRecord['renders']): readonly FollowedChart[] {
  const all = Object.values(renders).flatMap((each) => each.flatMap(({ charts = [] }) => charts));
  return eachOnce(all);
}

function eachOnce(charts: readonly FollowedChart[]): readonly FollowedChart[] {
  return [...new Map(charts.map((one) => [digestOf(one), one])).values()];
}

/** Ranges of versions of one look at a commit: where they lead is asked once, for all renders together. */
export class FloatingCharts {
  readonly #index: ChartIndex;
  readonly #followed: readonly FollowedChart[];
  #newest: Promise<ReadonlyMap<string, NewestChart>> | undefined;
  /** By the digest of the reference. */
  readonly #tried = new Map<string, string>();

  constructor(index: ChartIndex, renders: RenderRecord['renders']) {
    this.#index = index;
    this.#followed = followedIn(renders);
  }

  /** Whether all of them lead where they did. Where that cannot be told they count as they were: the poll asks again. */
  async hold(charts: readonly FollowedChart[]): Promise<boolean> {
    if (charts.length === 0) return true;
    const newest = await this.#ask();
    return charts.every(({ chart, version }) => {
      // What no earlier render followed was fetched a moment ago, for another cluster.
      const now = leadsTo(newest.get(digestOf(chart)));
      return now === undefined || now === version;
    });
  }

  /** Notes that what follows these was rendered in vain: a poll that had it rendered again would not mend it. */
  async noteTried(charts: readonly FollowedChart[]): Promise<void> {
    if (charts.length === 0) return;
    const newest = await this.#ask();
    for (const { chart } of charts) {
      const key = digestOf(chart);
      const now = leadsTo(newest.get(key));
      if (now !== undefined) this.#tried.set(key, now);
    }
  }

  /** What these renders follow, with the versions that this look led to, whether they rendered or not. */
  lookedAt(renders: RenderRecord['renders']): readonly FollowedChart[] {
    const versionOf = ({ chart, version }: FollowedChart) => this.#tried.get(digestOf(chart)) ?? version;
    return eachOnce(followedIn(renders).map((one) => ({ chart: one.chart, version: versionOf(one) })));
  }

  #ask(): Promise<ReadonlyMap<string, NewestChart>> {
    return (this.#newest ??= newestOf(this.#index, this.#followed));
  }
}

/** A version, or `?` where none fits; undefined where that cannot be told. */
export function leadsTo(newest: NewestChart | undefined): string | undefined {
  if (newest === undefined || newest.kind === 'unknown') return undefined;
  return newest.kind === 'version' ? newest.version : '?';
}

/** By the digest of the reference. */
export async function newestOf(
  index: ChartIndex,
  followed: readonly FollowedChart[],
): Promise<ReadonlyMap<string, NewestChart>> {
  const asked = new Map(followed.map(({ chart }) => [digestOf(chart), chart]));
  const found = await index.newest([...asked.values()]);
  return new Map(
    [...asked.keys()].flatMap((key, place) => {
      const one = found[place];
      return one === undefined ? [] : [[key, one] as const];
    }),
  );
}
