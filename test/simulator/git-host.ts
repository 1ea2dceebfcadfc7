import type { RepositoryConfig } from '../../core/contract/config.ts';
import { trackedRef, type ResolvedRef } from '../../core/contract/tracked-ref.ts';
import type { Worktree } from '../../core/ports.ts';
import { MemoryWorktree, commitOf, type Files } from '../fakes/memory-worktree.ts';

interface Repository {
  readonly commits: Map<string, Files>;
  /** Of pull requests. */
  readonly proposed: Map<string, Files>;
  head: string;
  pushedAt: number;
  /** What a replica that lags shows instead, and until when. */
  lagging: { readonly head: string; readonly until: number } | undefined;
}

/** So many commits are kept: what is force-pushed away is soon gone. */
const commitsKept = 6;

/** A Git host with one branch for each repository, whose replicas may lag behind a push. */
export class GitHost {
  readonly #repositories = new Map<string, Repository>();
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
  }

  push(name: string, sha: string, files: Files, lagMs: number): void {
    const before = this.#repositories.get(name);
    const commits = before?.commits ?? new Map<string, Files>();
    commits.set(sha, files);
    for (const old of [...commits.keys()].slice(0, -commitsKept)) commits.delete(old);
    const proposed = before?.proposed ?? new Map<string, Files>();
    const lagging = before === undefined ? undefined : { head: before.head, until: this.#now() + lagMs };
    this.#repositories.set(name, { commits, proposed, head: sha, pushedAt: this.#now(), lagging });
  }

  /** A commit that no tracked branch has. */
  propose(name: string, sha: string, files: Files): void {
    this.#repositories.get(name)?.proposed.set(sha, files);
  }

  headOf(name: string): string {
    return this.#repositories.get(name)?.head ?? '0'.repeat(40);
  }

  /** In virtual milliseconds. */
  pushedAt(name: string): number {
    return this.#repositories.get(name)?.pushedAt ?? Number.POSITIVE_INFINITY;
  }

  heads(repositories: readonly RepositoryConfig[]): ReadonlyMap<string, ResolvedRef> {
    return new Map(
      repositories.flatMap((config) => {
        const repository = this.#repositories.get(config.name);
        if (repository === undefined) return [];
        const { lagging, head } = repository;
        const sha = lagging !== undefined && this.#now() < lagging.until ? lagging.head : head;
        return [[config.name, { sha, ref: trackedRef(config) }] as const];
      }),
    );
  }

  checkout({ name }: RepositoryConfig, sha: string): Worktree | undefined {
    const repository = this.#repositories.get(name);
    const files = repository?.commits.get(sha) ?? repository?.proposed.get(sha);
    return files === undefined ? undefined : new MemoryWorktree(files, commitOf(sha, name));
  }
}
