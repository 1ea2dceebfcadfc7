import type { RepositoryConfig } from '../contract/repository.ts';
import type { PullRequest } from '../host-ports.ts';

type Provider = NonNullable<RepositoryConfig['provider']>;

/** Where hosts keep the heads of pull requests that come from forks. */
const forkRefs: { readonly [P in Provider]?: (id: string) => string } = {
  github: (id) => `refs/pull/${id}/head`,
  gitea: (id) => `refs/pull/${id}/head`,
  forgejo: (id) => `refs/pull/${id}/head`,
  gitlab: (id) => `refs/merge-requests/${id}/head`,
  'bitbucket-data-center': (id) => `refs/pull-requests/${id}/from`,
};

/**
 * The ref of the repository itself that leads to the head of a pull request; undefined where the host keeps none for
 * those of forks.
 */
export function pullRef(
  { provider }: RepositoryConfig,
  { id, head }: Pick<PullRequest, 'id' | 'head'>,
): string | undefined {
  if (!head.isFork) return `refs/heads/${head.branch}`;
  return provider === undefined ? undefined : forkRefs[provider]?.(id);
}
