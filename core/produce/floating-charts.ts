import { digestOf } from '../model/digest.ts';
import type { FollowedChart } from '../model/helm.ts';
import type { RenderRecord } from '../model/render-record.ts';
import type { ChartIndex, NewestChart } from '../ports.ts';

/** Each chart once, whichever applications follow it. */
export function followedIn(renders: RenderRecord['renders']): readonly FollowedChart[] {
  const all = Object.values(renders).flatMap((each) => each.flatMap(({ charts = [] }) => charts));
  return [...new Map(all.map((one) => [digestOf(one), one])).values()];
}

/** Ranges of versions of one look at a commit: where they lead is asked once, for all renders together. */
export class FloatingCharts {
  readonly #index: ChartIndex;
  readonly #followed: readonly FollowedChart[];
  #newest: Promise<ReadonlyMap<string, NewestChart>> | undefined;

  constructor(index: ChartIndex, renders: RenderRecord['renders']) {
    this.#index = index;
    this.#followed = followedIn(renders);
  }

  /** Whether all of them lead where they did. Where that cannot be told they count as they were: the poll asks again. */
  async hold(charts: readonly FollowedChart[]): Promise<boolean> {
    if (charts.length === 0) return true;
    const newest = await (this.#newest ??= newestOf(this.#index, this.#followed));
    return charts.every(({ chart, version }) => {
      const now = newest.get(digestOf(chart));
      // What no earlier render followed was fetched a moment ago, for another cluster.
      return (
        now === undefined || now.kind === 'unknown' || (now.kind === 'version' && now.version === version)
      );
    });
  }
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
