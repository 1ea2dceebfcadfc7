import { posix } from 'node:path';
import { Stop } from '../../core/errors.ts';
import type { Commit } from '../../core/model/commit.ts';
import type { Worktree } from '../../core/ports.ts';

export type Files = Readonly<Record<string, string>>;

/** A commit of a fixture person. */
export function commitOf(sha: string, repository = 'fleet'): Commit {
  const person = { name: 'Ada Park', email: 'ada@example.com', at: '2026-11-23T11:59:00+00:00' };
  return { repository, ref: 'refs/heads/main', sha, author: person, committer: person, subject: 'Change' };
}

/** Files by path, as a checked-out commit; knows no symlinks and no limits. */
export class MemoryWorktree implements Worktree {
  readonly directory = '/nowhere';
  readonly commit: Commit;
  readonly #files: Files;
  isDisposed = false;

  constructor(files: Files, commit = commitOf('1'.repeat(40))) {
    this.#files = files;
    this.commit = commit;
  }

  async files(folder: string): Promise<readonly string[]> {
    const path = posix.normalize(folder);
    return Object.keys(this.#files)
      .filter((file) => path === '.' || file.startsWith(`${path}/`))
      .sort();
  }

  async text(path: string): Promise<string> {
    const text = this.#files[path];
    if (text === undefined) throw new Stop({ subject: path, message: 'is not in this commit' });
    return text;
  }

  async read(path: string): Promise<Uint8Array> {
    return new TextEncoder().encode(await this.text(path));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.isDisposed = true;
  }
}
