import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import type { RepositoryConfig } from '../core/contract/config.ts';
import { codeCommitOf } from '../core/contract/repository.ts';
import { Blocked } from '../core/errors.ts';
import type { Clock, Secrets } from '../core/ports.ts';
import { codeCommitCredentials, type CodeCommitSigning } from './codecommit.ts';
import type { GitRemote } from './git-command.ts';
import { GithubAppTokens } from './github-app.ts';

export interface GitAccessOptions {
  readonly secrets: Secrets;
  /** Existing folder; a private key lies there only while git runs. */
  readonly scratch: string;
  readonly clock: Pick<Clock, 'now'>;
  /** Signs for CodeCommit; absent where no repository is there. */
  readonly codeCommit?: Omit<CodeCommitSigning, 'clock'> | undefined;
}

/** Access to one repository for one run of git; wiped at the end. */
export type GitAccess = GitRemote & AsyncDisposable;

export const sshKeyPrefix = 'trueup-ssh-';

const sshSecretSchema = z.object({ identity: z.string().min(1), known_hosts: z.string().min(1) });

/** What git needs to read a repository: a token, a signature of our role, or a key. Nothing of it is ever logged. */
export class GitAccesses {
  readonly #options: GitAccessOptions;
  readonly #apps: GithubAppTokens;

  constructor(options: GitAccessOptions) {
    this.#options = options;
    this.#apps = new GithubAppTokens(options.secrets, options.clock);
  }

  async open(repository: RepositoryConfig): Promise<GitAccess> {
    const origin = { 'remote.origin.url': repository.url };
    if (repository.ssh !== undefined) return this.#ssh(repository, repository.ssh.secret, origin);
    const authorization = await this.authorization(repository);
    // Bound to the host's address, so that it goes nowhere else. (With DEBUG=simple-git, simple-git prints it.)
    const key = `http.${new URL(repository.url).origin}/.extraHeader`;
    const header = authorization === undefined ? {} : { [key]: `Authorization: ${authorization}` };
    return {
      config: { ...origin, ...header },
      protocols: 'https:http',
      [Symbol.asyncDispose]: async () => undefined,
    };
  }

  /** The host refused what it was shown: next time a new one is asked for, where one can be. */
  forget({ githubApp }: RepositoryConfig): void {
    if (githubApp !== undefined) this.#apps.forget(githubApp);
  }

  /** Value of the Authorization header for a repository over HTTPS; undefined for a public one. */
  async authorization(repository: RepositoryConfig): Promise<string | undefined> {
    const credentials = await this.#credentials(repository);
    return credentials === undefined ? undefined : `Basic ${Buffer.from(credentials).toString('base64')}`;
  }

  async #credentials({ name, url, tokenSecret, githubApp }: RepositoryConfig): Promise<string | undefined> {
    const { secrets, clock, codeCommit } = this.#options;
    const place = codeCommitOf(url);
    if (place !== undefined && codeCommit !== undefined) {
      return codeCommitCredentials(url, place.region, { ...codeCommit, clock });
    }
    if (githubApp !== undefined) {
      return `x-access-token:${await this.#apps.get(`repository ${name}`, githubApp)}`;
    }
    if (tokenSecret === undefined) return undefined;
    const token = (await secrets.get(tokenSecret)).current.trim();
    // GitHub takes any user name with a token; other hosts want a certain one, written before a colon.
    return token.includes(':') ? token : `x-access-token:${token}`;
  }

  async #ssh(
    { name }: RepositoryConfig,
    secret: string,
    config: Readonly<Record<string, string>>,
  ): Promise<GitAccess> {
    const { identity, known_hosts } = sshSecretOf(
      name,
      secret,
      (await this.#options.secrets.get(secret)).current,
    );
    const folder = await mkdtemp(join(this.#options.scratch, sshKeyPrefix));
    const wipe = () => rm(folder, { recursive: true, force: true });
    try {
      const files = { identity, known_hosts, config: sshConfig(folder) };
      for (const [file, text] of Object.entries(files)) {
        await writeFile(join(folder, file), `${text.trim()}\n`, { mode: 0o600 });
      }
    } catch (error) {
      await wipe();
      throw error;
    }
    return {
      // The command goes through a shell.
      sshCommand: `ssh -F '${join(folder, 'config').replaceAll("'", "'\\''")}'`,
      config: { ...config, 'ssh.variant': 'ssh' },
      protocols: 'ssh',
      [Symbol.asyncDispose]: wipe,
    };
  }
}

/** Nothing but the given key opens the given hosts: no agent, no other file, no command, no question. */
function sshConfig(folder: string): string {
  return [
    'Host *',
    `  IdentityFile "${join(folder, 'identity')}"`,
    `  UserKnownHostsFile "${join(folder, 'known_hosts')}"`,
    '  GlobalKnownHostsFile /dev/null',
    '  StrictHostKeyChecking yes',
    '  UpdateHostKeys no',
    '  BatchMode yes',
    '  IdentitiesOnly yes',
    '  IdentityAgent none',
    '  PreferredAuthentications publickey',
    '  ForwardAgent no',
    '  ClearAllForwardings yes',
    '  PermitLocalCommand no',
    '  ProxyCommand none',
    '  ControlPath none',
    '  ConnectTimeout 15',
    '  ServerAliveInterval 15',
    '  ServerAliveCountMax 2',
  ].join('\n');
}

function sshSecretOf(repository: string, secret: string, text: string): z.infer<typeof sshSecretSchema> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    value = undefined;
  }
  const parsed = sshSecretSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const message = `secret ${secret} must be JSON with the texts \`identity\` (a private key without passphrase) and \`known_hosts\` (from ssh-keyscan, compared with what the host publishes)`;
  throw new Blocked({ subject: `repository ${repository}`, message });
}
