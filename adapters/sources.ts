import { kindOf } from '../core/contract/artifact.ts';
import type { RepositoryConfig } from '../core/contract/config.ts';
import type { ResolvedRef } from '../core/contract/tracked-ref.ts';
import type { Git, Worktree } from '../core/ports.ts';

/** Who reads repositories of each kind. */
export type SourceReaders = Readonly<Record<ReturnType<typeof kindOf>, Git>>;

/** Repositories of every kind behind one port, told apart by their url. */
export class Sources implements Git {
  readonly #readers: SourceReaders;

  constructor(readers: SourceReaders) {
    this.#readers = readers;
  }

  head(repository: RepositoryConfig): Promise<string | undefined> {
    return this.#of(repository).head(repository);
  }

  async heads(repositories: readonly RepositoryConfig[]): Promise<ReadonlyMap<string, ResolvedRef>> {
    const [repository] = repositories;
    return repository === undefined ? new Map() : this.#of(repository).heads(repositories);
  }

  checkout(repository: RepositoryConfig, sha: string, ref?: string): Promise<Worktree | undefined> {
    return this.#of(repository).checkout(repository, sha, ref);
  }

  #of({ url }: RepositoryConfig): Git {
    return this.#readers[kindOf(url)];
  }
}
