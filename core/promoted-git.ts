import type { RepositoryConfig } from './contract/repository.ts';
import {
  isPromotedByPointer,
  trackedRef,
  withoutPromotion,
  type ResolvedRef,
} from './contract/tracked-ref.ts';
import { keys } from './contract/keys.ts';
import { readDocument } from './documents.ts';
import { promotedSchema } from './model/promoted.ts';
import type { Git, Store, Worktree } from './ports.ts';

/**
 * Git as environments see it: where commits are promoted to, the head is the commit that was promoted last (rule 2), whatever
 * the branch has. There is none before the first promotion, which is as if the branch were not there: nothing is changed.
 */
export class PromotedGit implements Git {
  readonly #git: Git;
  readonly #store: Store;

  constructor(git: Git, store: Store) {
    this.#git = git;
    this.#store = store;
  }

  async head(repository: RepositoryConfig): Promise<string | undefined> {
    return (await this.heads([repository])).get(repository.name)?.sha;
  }

  async heads(repositories: readonly RepositoryConfig[]): Promise<ReadonlyMap<string, ResolvedRef>> {
    const followed = repositories.filter((one) => !isPromotedByPointer(one));
    const heads = new Map(followed.length === 0 ? [] : await this.#git.heads(followed));
    for (const repository of repositories.filter(isPromotedByPointer)) {
      const promoted = await readDocument(this.#store, keys.promoted(repository.name), promotedSchema);
      const sha = promoted?.value.commit?.sha;
      if (sha !== undefined) heads.set(repository.name, { sha, ref: trackedRef(repository) });
    }
    return heads;
  }

  checkout(repository: RepositoryConfig, sha: string, ref?: string): Promise<Worktree | undefined> {
    if (!isPromotedByPointer(repository)) return this.#git.checkout(repository, sha, ref);
    // The commit lies on the branch that it was promoted from.
    const branch = withoutPromotion(repository);
    return this.#git.checkout(branch, sha, ref === trackedRef(repository) ? undefined : ref);
  }
}
