import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { simpleGit } from 'simple-git';

/** One run of git. */
export interface GitCommand {
  readonly directory: string;
  readonly args: readonly string[];
  readonly input?: string;
  /** Configuration of this run alone. May hold a token: it is passed where neither argv nor disk shows it. */
  readonly config: Readonly<Record<string, string>>;
  /** PATH to find git on. */
  readonly path: string;
  readonly limits: { readonly bytes: number; readonly seconds: number };
}

/** `limit`: it was stopped by us. `failed`: it ended by itself, and these are its words on standard error. */
export type GitResult =
  | { readonly kind: 'done'; readonly output: string }
  | { readonly kind: 'failed'; readonly stderr: string }
  | { readonly kind: 'limit'; readonly limit: 'bytes' | 'seconds' };

const watchMilliseconds = 200;

/** A repository says nothing that git obeys: no hooks, no helpers, no other protocol, no housekeeping behind us. */
const safeConfig = {
  'core.hooksPath': '/dev/null',
  'http.followRedirects': 'false',
  'http.lowSpeedLimit': '1000',
  'http.lowSpeedTime': '20',
  'fetch.unpackLimit': '1',
  'maintenance.auto': 'false',
  'gc.auto': '0',
};

/** Runs git with nothing of our own environment: no credentials, no home, no prompt. Throws when there is no git. */
export async function runGit(command: GitCommand): Promise<GitResult> {
  const environment = environmentOf(command);
  const stop = new AbortController();
  let limit: 'bytes' | 'seconds' | undefined;
  const abort = (reached: 'bytes' | 'seconds') => {
    limit ??= reached;
    stop.abort();
  };
  const timer = setTimeout(() => abort('seconds'), command.limits.seconds * 1000);
  const watch = setInterval(() => {
    packedBytes(command.directory).then(
      (bytes) => bytes > command.limits.bytes && abort('bytes'),
      () => undefined,
    );
  }, watchMilliseconds);
  let failure: string | undefined;
  const git = simpleGit({
    baseDir: command.directory,
    abort: stop.signal,
    allowEnvironment: Object.keys(environment),
    unsafe: { allowUnsafeConfigEnvCount: true, allowUnsafeHooksPath: true },
    errors: (error, { exitCode, stdErr }) => {
      if (exitCode === 0) return error;
      failure = Buffer.concat(stdErr).toString();
      return error ?? new Error(`git ended with status ${exitCode}`);
    },
    ...(command.input === undefined ? {} : { input: () => command.input }),
  }).env(environment);
  try {
    return { kind: 'done', output: await git.raw([...command.args]) };
  } catch (error) {
    if (limit !== undefined) return { kind: 'limit', limit };
    if (failure === undefined) throw error;
    return { kind: 'failed', stderr: failure };
  } finally {
    clearTimeout(timer);
    clearInterval(watch);
  }
}

function environmentOf({ config, path, directory }: GitCommand): Record<string, string> {
  const entries = Object.entries({ ...safeConfig, ...config });
  const pairs = entries.flatMap(([key, value], index) => [
    [`GIT_CONFIG_KEY_${index}`, key],
    [`GIT_CONFIG_VALUE_${index}`, value],
  ]);
  return {
    PATH: path,
    // Messages are read by program, and no ~/.gitconfig or ~/.netrc is.
    LC_ALL: 'C',
    HOME: '/nonexistent',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CEILING_DIRECTORIES: join(directory, '..'),
    GIT_TERMINAL_PROMPT: '0',
    GIT_ALLOW_PROTOCOL: 'https:http',
    GIT_LITERAL_PATHSPECS: '1',
    GIT_CONFIG_COUNT: String(entries.length),
    ...Object.fromEntries(pairs),
  };
}

/** What a fetch has written so far; `fetch.unpackLimit` makes it one file. */
async function packedBytes(directory: string): Promise<number> {
  const folder = join(directory, '.git', 'objects', 'pack');
  const names = await readdir(folder);
  const sizes = await Promise.all(names.map(async (name) => (await stat(join(folder, name))).size));
  return sizes.reduce((sum, size) => sum + size, 0);
}
