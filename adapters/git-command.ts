import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { simpleGit } from 'simple-git';

/** One run of git. */
export interface GitCommand {
  /** Where git runs: our own scratch space. */
  readonly directory: string;
  /** The repository that it works on, and where that one's files are; none for `ls-remote`. */
  readonly repository?: { readonly gitDirectory: string; readonly workTree: string };
  readonly args: readonly string[];
  readonly input?: string;
  /** Absent: git reaches no host. */
  readonly remote?: GitRemote;
  /** PATH to find git on. */
  readonly path: string;
  readonly limits: GitRunLimits;
}

export interface GitRunLimits {
  /** Of the packs of the repository, when all is fetched. */
  readonly bytes: number;
  readonly seconds: number;
  /** Of standard output. */
  readonly outputBytes: number;
}

/** How git reaches a host in one run. */
export interface GitRemote {
  /** May hold a token: it is passed where neither argv nor disk shows it. */
  readonly config: Readonly<Record<string, string>>;
  /** The only transports that git may use, joined by colons. */
  readonly protocols: 'https:http' | 'ssh';
  readonly sshCommand?: string;
}

/** `limit`: it was stopped by us. `failed`: it ended by itself, and these are its words on standard error. */
export type GitResult =
  | { readonly kind: 'done'; readonly output: string }
  | { readonly kind: 'failed'; readonly stderr: string }
  | { readonly kind: 'limit'; readonly limit: 'bytes' | 'seconds' | 'output' };

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
  'submodule.recurse': 'false',
};

/** Runs git with nothing of our own environment: no credentials, no home, no prompt. Throws when there is no git. */
export async function runGit(command: GitCommand): Promise<GitResult> {
  const environment = environmentOf(command);
  const stop = new AbortController();
  let limit: 'bytes' | 'seconds' | 'output' | undefined;
  const abort = (reached: 'bytes' | 'seconds' | 'output') => {
    limit ??= reached;
    stop.abort();
  };
  const timer = setTimeout(() => abort('seconds'), command.limits.seconds * 1000);
  const unwatch = watchPacks(command, () => abort('bytes'));
  let failure: string | undefined;
  const git = simpleGit({
    baseDir: command.directory,
    abort: stop.signal,
    allowEnvironment: Object.keys(environment),
    unsafe: { allowUnsafeConfigEnvCount: true, allowUnsafeHooksPath: true, allowUnsafeSshCommand: true },
    errors: (error, { exitCode, stdErr }) => {
      if (exitCode === 0) return error;
      failure = Buffer.concat(stdErr).toString();
      return error ?? new Error(`git ended with status ${exitCode}`);
    },
    // As bytes: simple-git takes an empty string for no input, leaves the pipe open, and git waits for its end.
    ...(command.input === undefined ? {} : { input: () => Buffer.from(command.input ?? '') }),
  }).env(environment);
  let printed = 0;
  git.outputHandler((_command, stdout) => {
    stdout.on('data', (chunk: Buffer) => {
      printed += chunk.length;
      if (printed > command.limits.outputBytes) abort('output');
    });
  });
  try {
    return { kind: 'done', output: await git.raw([...command.args]) };
  } catch (error) {
    if (limit !== undefined) return { kind: 'limit', limit };
    if (failure === undefined) throw error;
    return { kind: 'failed', stderr: failure };
  } finally {
    clearTimeout(timer);
    unwatch();
  }
}

function environmentOf({ remote, repository, path, directory }: GitCommand): Record<string, string> {
  const entries = Object.entries({ ...safeConfig, ...remote?.config });
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
    // Git knows no transport of that name: what is missing here is an error and not fetched behind our back.
    GIT_ALLOW_PROTOCOL: remote?.protocols ?? 'none',
    GIT_LITERAL_PATHSPECS: '1',
    GIT_CONFIG_COUNT: String(entries.length),
    ...Object.fromEntries(pairs),
    ...(remote?.sshCommand === undefined ? {} : { GIT_SSH_COMMAND: remote.sshCommand }),
    ...(repository === undefined
      ? {}
      : { GIT_DIR: repository.gitDirectory, GIT_WORK_TREE: repository.workTree }),
  };
}

/** Calls back when the packs of a repository have grown by more than the limit; `fetch.unpackLimit` makes each fetch one. */
function watchPacks({ repository, remote, limits }: GitCommand, tooMuch: () => void): () => void {
  if (repository === undefined || remote === undefined) return () => undefined;
  const watch = setInterval(() => {
    packedBytes(repository.gitDirectory).then(
      (bytes) => bytes > limits.bytes && tooMuch(),
      () => undefined,
    );
  }, watchMilliseconds);
  return () => clearInterval(watch);
}

/** Bytes in packs, those being written included. */
export async function packedBytes(gitDirectory: string): Promise<number> {
  const folder = join(gitDirectory, 'objects', 'pack');
  const names = await readdir(folder);
  const sizes = await Promise.all(names.map(async (name) => (await stat(join(folder, name))).size));
  return sizes.reduce((sum, size) => sum + size, 0);
}
