import type { RepositoryConfig } from './repository.ts';

/** Whether anything is done about pull requests of a repository, so that their events are wanted. */
export function followsPullRequests(repository: RepositoryConfig): boolean {
  const { preview, environments, images, promotion } = repository;
  const isNamed = (preview ?? environments ?? images?.pullRequest) !== undefined;
  return isNamed || promotion?.by === 'pullRequest';
}
