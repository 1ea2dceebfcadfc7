import type { StackConfig } from './contract/config.ts';
import { digestOf } from './model/digest.ts';
import type { ChartReference } from './model/helm.ts';
import { publishMissed, stateOf } from './poll.ts';
import type { ChartIndex } from './ports.ts';
import { leadsTo, newestOf } from './produce/floating-charts.ts';
import type { DeliverDeps } from './receive/deliver.ts';

export interface ChartPollDeps extends DeliverDeps {
  readonly charts: ChartIndex;
  readonly config: Pick<StackConfig, 'repositories'>;
}

/**
 * Asks each chart repository once which versions it has, for all applications that follow a range, and has those
 * repositories looked at of which one leads elsewhere than at their last look: the look renders what it concerns, and
 * nothing else. Returns what came of it. One that does not answer is left alone until the next poll; a version that does
 * not render is looked at once, and then with each push.
 */
export async function pollCharts(deps: ChartPollDeps): Promise<string> {
  const states = await Promise.all(
    deps.config.repositories.map(async (repository) => ({
      repository,
      state: await stateOf(repository, deps),
    })),
  );
  const followed = states.flatMap(({ state }) => state?.charts ?? []);
  if (followed.length === 0) return 'no application follows a range of versions';
  const newest = await newestOf(deps.charts, followed);
  const moved: string[] = [];
  for (const { repository, state } of states) {
    const news = (state?.charts ?? []).flatMap(({ chart, version }) => {
      const now = leadsTo(newest.get(digestOf(chart)));
      return now === undefined || now === version ? [] : [`${nameOf(chart)} ${version}..${now}`];
    });
    if (state === undefined || news.length === 0) continue;
    const { sha } = state.head;
    await publishMissed(repository, { before: sha, after: sha }, deps);
    moved.push(
      `${repository.name} (${news.slice(0, mostNames).join(', ')}${news.length > mostNames ? ', …' : ''})`,
    );
  }
  return moved.length === 0 ? 'no newer chart' : `newer charts: ${moved.join(', ')}`;
}

const mostNames = 3;

function nameOf(chart: ChartReference): string {
  return 'oci' in chart ? chart.oci : chart.name;
}
