import { createHash } from 'node:crypto';
import type { RepositoryConfig } from '../../core/contract/config.ts';
import { trackedRef, type ResolvedRef } from '../../core/contract/tracked-ref.ts';
import type { Git, Worktree } from '../../core/ports.ts';
import type { GitWriter, NewCommit, PushOutcome } from '../../core/write-ports.ts';
import { MemoryWorktree, commitOf, type Files } from './memory-worktree.ts';

interface Kept {
  readonly files: Files;
  readonly message: string;
  readonly email: string;
  /** ISO 8601. */
  readonly at?: string;
}

/** A repository in memory with branches that people and we commit to. */
export class MemoryRepository implements Git, GitWriter {
  readonly #commits = new Map<string, Kept>();
  readonly branches = new Map<string, string>();
  /** Acts just before a push arrives. */
  onPush: (branch: string) => Promise<void> = async () => undefined;
  /** Commits that we pushed. */
  pushes = 0;

  /** A person commits to a branch: these files over those that are there. */
  edit(branch: string, files: Files, from = branch): string {
    const below = this.filesOn(from);
    return this.#put(branch, { files: { ...below, ...files }, message: 'Edit', email: 'ada@example.com' });
  }

  /** A person merges a branch into another. */
  merge(branch: string, into: string): void {
    this.branches.set(into, this.branches.get(branch) ?? '');
  }

  filesOn(branch: string): Files {
    return this.#commits.get(this.branches.get(branch) ?? '')?.files ?? {};
  }

  messageOn(branch: string): string {
    return this.#commits.get(this.branches.get(branch) ?? '')?.message ?? '';
  }

  async head(repository: RepositoryConfig): Promise<string | undefined> {
    return (await this.heads([repository])).get(repository.name)?.sha;
  }

  async heads(repositories: readonly RepositoryConfig[]): Promise<ReadonlyMap<string, ResolvedRef>> {
    return new Map(
      repositories.flatMap((one) => {
        const ref = trackedRef(one);
        const sha = this.branches.get(ref.replace('refs/heads/', ''));
        return sha === undefined ? [] : [[one.name, { sha, ref }] as const];
      }),
    );
  }

  async checkout({ name }: RepositoryConfig, sha: string): Promise<Worktree | undefined> {
    const kept = this.#commits.get(sha);
    if (kept === undefined) return undefined;
    const commit = commitOf(sha, name);
    return new MemoryWorktree(kept.files, {
      ...commit,
      committer: { ...commit.committer, email: kept.email, ...(kept.at !== undefined && { at: kept.at }) },
    });
  }

  async commit(
    _: RepositoryConfig,
    { parent, files, message, author, at: time }: NewCommit,
    { name, replaces, expected }: Parameters<GitWriter['commit']>[2],
  ): Promise<PushOutcome> {
    await this.onPush(name);
    const at = this.branches.get(name) ?? null;
    const wanted = replaces ? expected : parent;
    if (wanted !== undefined && at !== wanted) return { kind: 'moved' };
    const below = this.#commits.get(parent)?.files;
    if (below === undefined) return { kind: 'moved' };
    this.pushes += 1;
    const kept = {
      files: { ...below, ...Object.fromEntries(files) },
      message,
      email: author.email,
      at: new Date(time).toISOString(),
    };
    return { kind: 'pushed', sha: this.#put(name, kept) };
  }

  #put(branch: string, kept: Kept): string {
    const sha = createHash('sha1').update(`${this.#commits.size} ${kept.message}`).digest('hex');
    this.#commits.set(sha, kept);
    this.branches.set(branch, sha);
    return sha;
  }
}
