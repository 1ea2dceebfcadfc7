import type { StackConfig } from '../contract/config.ts';
import type { Application } from '../model/application.ts';
import { membershipOf, whyOutside } from '../project.ts';

/** What an Application names beyond its project, and which clusters its project has. */
export interface ProjectBounds {
  readonly faults: readonly { readonly path: readonly PropertyKey[]; readonly message: string }[];
  /** A selector chooses among these; a cluster that is named outside of them is a fault. */
  readonly hasCluster: (cluster: string) => boolean;
}

/** Holds an Application against the project that it is in; its objects are not known yet. */
export function projectBounds(
  { spec }: Application,
  repository: string,
  { projects = [], repositories = [] }: Partial<Pick<StackConfig, 'projects' | 'repositories'>>,
): ProjectBounds {
  const membership = membershipOf(spec.project, repository, { projects, repositories });
  if (membership.kind === 'refused') {
    const path = spec.project === undefined ? ['spec'] : ['spec', 'project'];
    return { faults: [{ path, message: membership.why }], hasCluster: () => true };
  }
  const { rules } = membership;
  if (rules === undefined) return { faults: [], hasCluster: () => true };
  const { names = [] } = spec.clusters;
  const own = spec.source.repository;
  const asked = [
    ...(own === undefined ? [] : [['repositories', own, ['spec', 'source', 'repository']] as const]),
    ...(spec.sources ?? []).map(
      (one, index) => ['repositories', one.repository, ['spec', 'sources', index, 'repository']] as const,
    ),
    ...names.map((name, index) => ['clusters', name, ['spec', 'clusters', 'names', index]] as const),
    ['namespaces', spec.namespace, ['spec', 'namespace']] as const,
  ];
  const faults = asked.flatMap(([rule, name, path]) => {
    const message = whyOutside(rules, rule, name);
    return message === undefined ? [] : [{ path, message }];
  });
  return { faults, hasCluster: (cluster) => whyOutside(rules, 'clusters', cluster) === undefined };
}
