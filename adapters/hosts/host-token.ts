import type { RepositoryConfig } from '../../core/contract/repository.ts';
import { Blocked } from '../../core/errors.ts';
import type { Clock, Secrets } from '../../core/ports.ts';
import { GithubAppTokens, type AppPermissions } from '../github-app.ts';

/** What an API is asked with; never logged. */
export interface HostToken {
  /** Before a colon in the secret: hosts that want Basic authentication. */
  readonly user?: string;
  readonly text: string;
  /** Who must mend it, for texts: `the token in secret git/token`. */
  readonly from: string;
}

/** Tokens that may write pull requests, comments and statuses. */
export class HostTokens {
  readonly #secrets: Secrets;
  readonly #apps: GithubAppTokens;

  constructor(secrets: Secrets, clock: Pick<Clock, 'now'>) {
    this.#secrets = secrets;
    this.#apps = new GithubAppTokens(secrets, clock);
  }

  /** `permissions`: of a GitHub App, no more than the call at hand needs. Throws Blocked where no token is configured. */
  async get(
    { name, host, githubApp, tokenSecret }: RepositoryConfig,
    permissions: AppPermissions,
  ): Promise<HostToken> {
    const subject = `repository ${name}`;
    const secret = host?.tokenSecret ?? (githubApp === undefined ? tokenSecret : undefined);
    if (secret !== undefined) {
      const [, user, text = ''] =
        /^(?:([^:]*):)?(.*)$/s.exec((await this.#secrets.get(secret)).current.trim()) ?? [];
      return { ...(user !== undefined && { user }), text, from: `the token in secret ${secret}` };
    }
    if (githubApp !== undefined) {
      const text = await this.#apps.get(subject, githubApp, permissions);
      return { text, from: `GitHub App ${githubApp.appId}` };
    }
    const message =
      'names no token for the API of its host; put one into a secret and name it as host.tokenSecret';
    throw new Blocked({ subject, message });
  }

  /** The host refused it: the next call asks for a new one, where one can be. */
  forget({ githubApp }: RepositoryConfig, permissions: AppPermissions): void {
    if (githubApp !== undefined) this.#apps.forget(githubApp, permissions);
  }
}
