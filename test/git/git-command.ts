import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** The person that fixtures commit as, unless a test names another. */
export const fixtureAuthor = { name: 'Ada Park', email: 'ada@example.com' } as const;

/** An environment in which git asks nothing and reads nothing of the configuration of who runs the tests. */
export function gitEnvironment(author: { name: string; email: string } = fixtureAuthor): NodeJS.ProcessEnv {
  return {
    PATH: process.env['PATH'],
    LANG: 'C.UTF-8',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_TERMINAL_PROMPT: '0',
    GIT_AUTHOR_NAME: author.name,
    GIT_AUTHOR_EMAIL: author.email,
    GIT_COMMITTER_NAME: author.name,
    GIT_COMMITTER_EMAIL: author.email,
  };
}

/** Runs git in a folder and gives what it printed, trimmed at the end; throws with what it said on its standard error. */
export async function git(cwd: string, args: readonly string[], env = gitEnvironment()): Promise<string> {
  const { stdout } = await run('git', [...args], { cwd, env, maxBuffer: 64 * 1024 * 1024 });
  return stdout.trimEnd();
}
