import type { RepositoryConfig } from '../../core/contract/config.ts';
import { trackedRef, type ResolvedRef } from '../../core/contract/tracked-ref.ts';
import type { Git, Worktree } from '../../core/ports.ts';
import { MemoryWorktree, commitOf, type Files } from './memory-worktree.ts';

/** A Git host in memory: one branch, commits of files. `onHead` lets a test act just after the head was told. */
export class MemoryGit implements Git {
  readonly #commits = new Map<string, Files>();
  /** Every worktree handed out, so that a test can see that it was wiped. */
  readonly worktrees: MemoryWorktree[] = [];
  current: string | undefined;
  /** Under which the head is found; undefined: the branch. */
  tag: string | undefined;
  onHead: () => Promise<void> = async () => undefined;

  /** A commit that becomes the head; its SHA repeats the digit. */
  push(digit: string, files: Files): string {
    const sha = digit.repeat(40);
    this.#commits.set(sha, files);
    this.current = sha;
    return sha;
  }

  async head(): Promise<string | undefined> {
    const head = this.current;
    await this.onHead();
    return head;
  }

  async heads(repositories: readonly RepositoryConfig[]): Promise<ReadonlyMap<string, ResolvedRef>> {
    const sha = await this.head();
    if (sha === undefined) return new Map();
    const ref = (one: RepositoryConfig) =>
      this.tag === undefined ? trackedRef(one) : `refs/tags/${this.tag}`;
    return new Map(repositories.map((one) => [one.name, { sha, ref: ref(one) }]));
  }

  async checkout({ name }: RepositoryConfig, sha: string): Promise<Worktree | undefined> {
    const files = this.#commits.get(sha);
    if (files === undefined) return undefined;
    const commit = commitOf(sha, name);
    const ref = this.tag === undefined ? commit.ref : `refs/tags/${this.tag}`;
    const worktree = new MemoryWorktree(files, { ...commit, ref });
    this.worktrees.push(worktree);
    return worktree;
  }

  /** The host no longer has the commit. */
  drop(sha: string): void {
    this.#commits.delete(sha);
  }
}
