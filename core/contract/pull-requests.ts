import type { RepositoryConfig } from './repository.ts';

/** Whether anything is done about pull requests of a repository, so that their events are wanted. */
export function followsPullRequests({ preview, environments, images }: RepositoryConfig): boolean {
  return (preview ?? environments ?? images?.pullRequest) !== undefined;
}
