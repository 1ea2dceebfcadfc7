import { execFile } from 'node:child_process';
import { createInterface } from 'node:readline/promises';
import { promisify } from 'node:util';
import { parseStackConfig, type StackConfigInput } from '../core/contract/config.ts';
import { messageOf } from '../core/errors.ts';
import { nameSchema } from '../core/model/target.ts';
import { CliError } from './cli-error.ts';

export interface InitOptions {
  /** Address that the repository is going to be fetched from. */
  readonly repository?: string;
  /** Name of an EKS cluster in the account and region of the stack. */
  readonly cluster?: string;
}

/** What `trueup init` was told, and the stack configuration that follows from it. */
export interface InitAnswers {
  readonly cluster: string;
  readonly config: StackConfigInput;
}

const example = 'https://github.com/example/platform-config.git';

/**
 * Asks at a terminal for what no option says; without one, examples stand for it, to be changed in the file. Throws
 * CliError for answers that no stack configuration may hold.
 */
export async function initAnswers(folder: string, options: InitOptions): Promise<InitAnswers> {
  const repository = (await originOf(folder)) ?? example;
  const { repository: told = repository, cluster = 'production' } = await asked(options, repository);
  const url = withScheme(told);
  const config = configOf(url, cluster);
  try {
    parseStackConfig(config);
  } catch (error) {
    throw new CliError(`--repository ${withoutCredentials(url)}, --cluster ${cluster}: ${messageOf(error)}`, {
      cause: error,
    });
  }
  return { cluster, config };
}

function configOf(url: string, cluster: string): StackConfigInput {
  const last =
    url
      .replace(/\/+$/, '')
      .replace(/\.git$/, '')
      .split(/[/:]/)
      .at(-1) ?? '';
  const name = nameSchema.safeParse(last.toLowerCase()).data ?? 'config';
  return {
    repositories: [{ name, url, ...(url.startsWith('ssh://') && { ssh: { secret: `trueup/${name}-ssh` } }) }],
    clusters: [
      { name: cluster, labels: { environment: 'production' }, access: { type: 'eks', name: cluster } },
    ],
  };
}

/** Git's short spelling of an SSH address, which every host offers to copy: `git@host:path`. */
function withScheme(address: string): string {
  return address.replace(/^([^@/\s]+@[^:/\s]+):(?!\/)/, 'ssh://$1/');
}

/** Where the folder is a clone already, nobody has to say of what. */
async function originOf(folder: string): Promise<string | undefined> {
  const args = ['-C', folder, 'config', '--local', '--get', 'remote.origin.url'];
  const { stdout } = await promisify(execFile)('git', args).catch(() => ({ stdout: '' }));
  return stdout.trim() === '' ? undefined : withoutCredentials(stdout.trim());
}

/** Clones of CI systems bear a token in their address, which belongs in no prompt, file or fault. */
function withoutCredentials(address: string): string {
  return address.replace(/^(https?:\/\/)[^/@]*@/i, '$1');
}

async function asked(options: InitOptions, repository: string): Promise<InitOptions> {
  const { stdin, stdout } = process;
  if (!stdin.isTTY || !stdout.isTTY) return options;
  const terminal = createInterface({ input: stdin, output: process.stderr });
  const ask = async (question: string, standard: string): Promise<string> =>
    (await terminal.question(`${question} [${standard}]: `)).trim() || standard;
  try {
    return {
      repository: options.repository ?? (await ask('Address of the configuration repository', repository)),
      cluster: options.cluster ?? (await ask('Name of the EKS cluster', 'production')),
    };
  } finally {
    terminal.close();
  }
}
