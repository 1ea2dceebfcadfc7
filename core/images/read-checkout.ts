import type { RepositoryConfig } from '../contract/repository.ts';
import type { Fault } from '../errors.ts';
import type { Worktree } from '../ports.ts';
import type { FollowersInput } from './followers.ts';
import { followingApplications } from './read-applications.ts';

/** What of a commit may name images, or say which are followed. */
export interface ImageCheckout extends FollowersInput {
  readonly faults: readonly Fault[];
}

/**
 * Reads what applications that follow a wanted image may name it in. Where none does, nothing but the Application files
 * (and the folders of Flux's policies) is fetched.
 */
export async function readImageCheckout(
  worktree: Worktree,
  { applications: folder, images }: RepositoryConfig,
  isWanted: (image: string) => boolean,
): Promise<ImageCheckout> {
  const own = await yamlBelow(worktree, [folder]);
  const { applications: all, faults } = followingApplications(own);
  const applications = all.filter(({ application }) =>
    application.spec.images.some(({ image }) => isWanted(image)),
  );
  const folders = [
    ...applications.map(({ application }) => application.spec.source.path),
    ...(images?.paths ?? []),
  ];
  return { files: new Map([...own, ...(await yamlBelow(worktree, folders))]), applications, faults };
}

/** What is hidden is nobody's manifest. */
async function yamlBelow(
  worktree: Worktree,
  folders: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const texts = new Map<string, string>();
  const found = await Promise.all(folders.map(async (folder) => worktree.files(folder)));
  // Only plain files of the commit itself can be written: no symlinks, nothing of a submodule.
  const names = [...new Set(found.flat())].filter(
    (path) =>
      /(?:\.ya?ml|(?:^|\/)Kustomization)$/.test(path) &&
      !/(?:^|\/)\./.test(path) &&
      worktree.ids.get(path)?.startsWith('100') === true,
  );
  await worktree.prepare(names);
  for (const name of names) texts.set(name, await worktree.text(name));
  return texts;
}
