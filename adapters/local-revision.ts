import { execFile } from 'node:child_process';
import { mkdir, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Stop } from '../core/errors.ts';
import { localCommit, type LocalPerson } from './local-commit.ts';
import { LocalWorktree } from './local-worktree.ts';

const run = promisify(execFile);
const maxBuffer = 64 * 1024 * 1024;

export interface RevisionOptions {
  /** Any folder of the repository. */
  readonly folder: string;
  /** Branch, tag or commit, as a person names it. */
  readonly revision: string;
  /** Existing empty folder for the files; it is ours to wipe. */
  readonly into: string;
  readonly person: LocalPerson;
  readonly now: number;
}

/**
 * The files of a commit of a person's repository, in a folder of their own: what is checked out there, what is staged and
 * what is changed stays as it is. Throws Stop where there is no such commit.
 */
export async function openLocalRevision(options: RevisionOptions): Promise<LocalWorktree> {
  const { folder, revision, into, person, now } = options;
  const env = { ...process.env, GIT_INDEX_FILE: join(into, 'index') };
  const git = async (...args: readonly string[]) =>
    (await run('git', ['-C', folder, ...args], { env, maxBuffer })).stdout.trimEnd();
  const sha = await git('rev-parse', '--verify', '--quiet', '--end-of-options', `${revision}^{commit}`).catch(
    (cause: unknown) => {
      const message = 'is no commit of this repository; fetch it, or name another branch, tag or commit';
      throw new Stop({ subject: revision, message, cause });
    },
  );
  const directory = join(await realpath(into), 'tree');
  await mkdir(directory);
  const root = await git('rev-parse', '--show-toplevel');
  const inRoot = async (...args: readonly string[]) => run('git', ['-C', root, ...args], { env, maxBuffer });
  await inRoot('read-tree', sha);
  await inRoot('checkout-index', '--all', '--quiet', `--prefix=${directory}/`);
  const { commit } = await localCommit(folder, { person, now });
  return new LocalWorktree({ directory, commit: { ...commit, sha, ref: revision } });
}
