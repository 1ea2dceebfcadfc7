import type { StackConfig } from '../contract/config.ts';
import type { EnvironmentsConfig } from '../contract/environments.ts';
import type { Fleet } from '../fleet.ts';
import { choosesCluster, type ClusterSelector } from '../model/cluster-selector.ts';
import { matchesWildcard } from '../model/wildcard.ts';
import type { RepositoryConfig } from '../contract/repository.ts';
import type { Source } from '../source.ts';
import { projectBounds } from '../source/project-bounds.ts';
import type { Definition } from './decide.ts';

/** What the Applications of a commit say of preview environments. One that cannot be read is `unknown`: it ends none. */
export function definitionsOf(
  { applications, faults }: Source,
  { name, environments }: Pick<RepositoryConfig, 'name'> & { readonly environments: EnvironmentsConfig },
  { fleet: { clusters, isComplete }, config }: { readonly fleet: Fleet; readonly config: StackConfig },
): { readonly definitions: readonly Definition[]; readonly isWhole: boolean } {
  const unreadable = faults.flatMap(({ application, message }): Definition[] =>
    application === undefined ? [] : [{ kind: 'unknown', application, why: message }],
  );
  const wished = applications.flatMap(({ application }): Definition[] => {
    const { previewEnvironments: wish, clusters: own } = application.spec;
    if (wish === undefined) return [];
    const selector: ClusterSelector = wish.clusters ?? own;
    const { hasCluster } = projectBounds(application, name, config);
    const chosen = clusters
      .filter((cluster) => choosesCluster(selector, cluster))
      .map((cluster) => cluster.name)
      .filter((one) => hasCluster(one) && environments.clusters.some((each) => matchesWildcard(one, each)));
    if (chosen.length === 0 && !isComplete) {
      const why = 'not every cluster is known yet';
      return [{ kind: 'unknown', application: application.metadata.name, why }];
    }
    return [{ kind: 'wished', application, wish, clusters: chosen }];
  });
  return { definitions: [...wished, ...unreadable], isWhole: faults.length === 0 };
}
