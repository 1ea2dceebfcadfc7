import { execFile } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** A person's clone of the config repository, driven by the real git. */
export interface PersonsClone {
  readonly dir: string;
  /** Replaces text in one file; throws when the text is not there, since the story would go on without its edit. */
  edit(path: string, from: string, to: string): Promise<void>;
  write(path: string, text: string): Promise<void>;
  remove(path: string): Promise<void>;
  /** Commits everything and pushes it; gives the SHA. */
  push(message: string): Promise<string>;
  git(...args: readonly string[]): Promise<string>;
}

const person = { GIT_AUTHOR_NAME: 'Ada Park', GIT_AUTHOR_EMAIL: 'ada@example.com' };

/** Clones with the token in the URL, as a person would be asked for it. */
export async function personsClone(cloneUrl: string, token: string, dir: string): Promise<PersonsClone> {
  const url = cloneUrl.replace('://', `://ada:${token}@`);
  const env = {
    ...process.env,
    ...person,
    GIT_COMMITTER_NAME: person.GIT_AUTHOR_NAME,
    GIT_COMMITTER_EMAIL: person.GIT_AUTHOR_EMAIL,
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_TERMINAL_PROMPT: '0',
  };
  await run('git', ['clone', '--quiet', url, dir], { env });
  const git = async (...args: readonly string[]) =>
    (await run('git', ['-C', dir, ...args], { env })).stdout.trim();
  return {
    dir,
    git,
    edit: async (path, from, to) => {
      const file = join(dir, path);
      const text = await readFile(file, 'utf8');
      if (!text.includes(from)) throw new Error(`${path} has no "${from}" to edit`);
      await writeFile(file, text.replace(from, to));
    },
    write: async (path, text) => {
      await mkdir(dirname(join(dir, path)), { recursive: true });
      await writeFile(join(dir, path), text);
    },
    remove: async (path) => {
      await git('rm', '-r', '--quiet', path);
    },
    push: async (message) => {
      await git('add', '--all');
      await git('commit', '--quiet', '--message', message);
      await git('push', '--quiet', 'origin', 'HEAD:main');
      return git('rev-parse', 'HEAD');
    },
  };
}
