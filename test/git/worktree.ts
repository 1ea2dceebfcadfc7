import { mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fixtureAuthor, git, gitEnvironment } from './git-command.ts';

// What a person does to a repository, done with the real git; for fixtures.

/** Clones a repository, the token being in the URL, into a folder that must not exist yet. */
export async function cloneWorktree(urlWithToken: string, folder: string): Promise<void> {
  await git('/', ['clone', '--quiet', urlWithToken, folder]);
}

/** Writes the files (null removes one), commits all of them and gives the SHA. */
export async function commitFiles(
  worktree: string,
  files: Readonly<Record<string, string | null>>,
  message: string,
  author: { name: string; email: string } = fixtureAuthor,
): Promise<string> {
  for (const [name, content] of Object.entries(files)) {
    const path = join(worktree, name);
    await mkdir(dirname(path), { recursive: true });
    await (content === null ? rm(path, { recursive: true }) : writeFile(path, content));
  }
  await git(worktree, ['add', '--all']);
  await git(worktree, ['commit', '--quiet', '--allow-empty', '--message', message], gitEnvironment(author));
  return git(worktree, ['rev-parse', 'HEAD']);
}

/** Pushes HEAD to a branch of origin; `force` as `git push --force`. */
export async function push(
  worktree: string,
  branch = 'main',
  options: { force?: boolean } = {},
): Promise<void> {
  const force = options.force === true ? ['--force'] : [];
  await git(worktree, ['push', '--quiet', ...force, 'origin', `HEAD:refs/heads/${branch}`]);
}

/** Deletes a branch of origin. */
export async function deleteBranch(worktree: string, branch: string): Promise<void> {
  await git(worktree, ['push', '--quiet', 'origin', `:refs/heads/${branch}`]);
}
