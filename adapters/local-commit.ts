import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Commit } from '../core/model/commit.ts';
import { localRepository } from '../core/model/sync-command.ts';
import { isoTime } from '../core/model/time.ts';

const run = promisify(execFile);

/** Who is at this machine. */
export interface LocalPerson {
  readonly name: string;
  readonly host: string;
}

/**
 * What Git says of a folder: the commit that is checked out, and whether there is more than that in the folder. Files
 * that are in no repository get a commit of zeros. `root` is that of the repository.
 */
export async function localCommit(
  folder: string,
  { person, now }: { readonly person: LocalPerson; readonly now: number },
): Promise<{ readonly root: string | undefined; readonly commit: Commit }> {
  const git = async (...args: readonly string[]): Promise<string | undefined> => {
    try {
      const { stdout } = await run('git', ['-C', folder, ...args], { maxBuffer: 64 * 1024 * 1024 });
      return stdout.trimEnd();
    } catch {
      // No git, no repository, no commit yet: all the same here.
      return undefined;
    }
  };
  const root = await git('rev-parse', '--show-toplevel');
  const shown = root === undefined ? undefined : await git('log', '-1', `--format=${format}`);
  if (shown === undefined) return { root, commit: withoutCommit(person, now) };
  const [
    sha = '',
    authorName = '',
    authorEmail = '',
    authorAt = '',
    name = '',
    email = '',
    at = '',
    subject = '',
  ] = shown.split('\0');
  const ref = (await git('symbolic-ref', 'HEAD')) ?? sha;
  const isDirty = (await git('status', '--porcelain', '--', '.')) !== '';
  const commit = {
    repository: localRepository,
    ref,
    sha,
    author: { name: authorName, email: authorEmail, at: isoTime(Date.parse(authorAt)) },
    committer: { name, email, at: isoTime(Date.parse(at)) },
    subject: isDirty ? `${subject} (with changes not committed)` : subject,
  };
  return { root, commit };
}

const format = ['%H', '%an', '%ae', '%aI', '%cn', '%ce', '%cI', '%s'].join('%x00');

function withoutCommit({ name, host }: LocalPerson, now: number): Commit {
  const person = { name, email: `${name}@${host}`, at: isoTime(now) };
  return {
    repository: localRepository,
    ref: 'refs/heads/local',
    sha: '0'.repeat(40),
    author: person,
    committer: person,
    subject: 'local files',
  };
}
