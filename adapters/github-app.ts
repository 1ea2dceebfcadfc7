import * as z from 'zod';
import type { RepositoryConfig } from '../core/contract/config.ts';
import { Blocked, Retry } from '../core/errors.ts';
import type { Clock, Secrets } from '../core/ports.ts';
import { signAppJwt } from './github-app-jwt.ts';

type App = NonNullable<RepositoryConfig['githubApp']>;

const publicApi = 'https://api.github.com';
/** A token is not used in its last minutes: a fetch may take some of them. */
const spareMilliseconds = 5 * 60_000;
const timeoutMilliseconds = 10_000;

const answerSchema = z.object({ token: z.string().min(1), expires_at: z.iso.datetime() });

/** Rights of an installation token by GitHub's names; what is not named it has not. */
export type AppPermissions = Readonly<
  Partial<Record<'contents' | 'pull_requests' | 'statuses' | 'deployments', 'read' | 'write'>>
>;

const readsContents: AppPermissions = { contents: 'read' };

interface Token {
  readonly text: string;
  readonly until: number;
}

/**
 * Installation tokens of GitHub Apps, for what a call needs and nothing else (by default, to read the contents of
 * repositories); kept in memory until 5 minutes before they expire. Throws Blocked where GitHub or the key refuses, Retry where it is out of reach.
 */
export class GithubAppTokens {
  readonly #secrets: Secrets;
  readonly #clock: Pick<Clock, 'now'>;
  readonly #tokens = new Map<string, Promise<Token>>();

  constructor(secrets: Secrets, clock: Pick<Clock, 'now'>) {
    this.#secrets = secrets;
    this.#clock = clock;
  }

  async get(subject: string, app: App, permissions: AppPermissions = readsContents): Promise<string> {
    const key = keyOf(app, permissions);
    const cached = await this.#tokens.get(key);
    if (cached !== undefined && this.#clock.now() < cached.until) return cached.text;
    const asked = this.#ask(subject, app, permissions);
    this.#tokens.set(key, asked);
    try {
      return (await asked).text;
    } catch (error) {
      if (this.#tokens.get(key) === asked) this.#tokens.delete(key);
      throw error;
    }
  }

  /** A token may be revoked before its time, as when the App is installed anew. */
  forget(app: App, permissions: AppPermissions = readsContents): void {
    this.#tokens.delete(keyOf(app, permissions));
  }

  async #ask(subject: string, app: App, permissions: AppPermissions): Promise<Token> {
    const url = `${app.apiUrl ?? publicApi}/app/installations/${app.installationId}/access_tokens`;
    const named = `GitHub App ${app.appId}, installation ${app.installationId}`;
    const response = await this.#post(
      subject,
      url,
      await signAppJwt(subject, app, { secrets: this.#secrets, clock: this.#clock }),
      permissions,
    );
    if (response.status === 201) {
      const answer = answerSchema.safeParse(await response.json().catch(() => undefined));
      if (answer.success) {
        return { text: answer.data.token, until: Date.parse(answer.data.expires_at) - spareMilliseconds };
      }
    }
    await response.body?.cancel();
    if ([401, 403, 404, 422].includes(response.status)) {
      const message = `${new URL(url).host} refused ${named} (${response.status}); compare its id, installation and private key in secret ${app.privateKeySecret}, and its rights: ${rightsIn(permissions)}`;
      throw new Blocked({ subject, message });
    }
    const message = `${new URL(url).host} gave no token to ${named} (${response.status}); it is asked again`;
    throw new Retry({ subject, message });
  }

  async #post(subject: string, url: string, jwt: string, permissions: AppPermissions): Promise<Response> {
    try {
      return await fetch(url, {
        method: 'POST',
        // A redirect would carry the JWT elsewhere.
        redirect: 'error',
        signal: AbortSignal.timeout(timeoutMilliseconds),
        headers: {
          accept: 'application/vnd.github+json',
          authorization: `Bearer ${jwt}`,
          'content-type': 'application/json',
          'user-agent': 'trueup',
          'x-github-api-version': '2022-11-28',
        },
        body: JSON.stringify({ permissions }),
      });
    } catch (cause) {
      const message = `${new URL(url).host} does not answer; it is asked again for a token`;
      throw new Retry({ subject, message, cause });
    }
  }
}

function keyOf({ apiUrl, appId, installationId }: App, permissions: AppPermissions): string {
  return JSON.stringify([apiUrl, appId, installationId, permissions]);
}

function rightsIn(permissions: AppPermissions): string {
  const rights = Object.entries(permissions);
  return rights.map(([what, level]) => `${what.replace('_', ' ')}: ${level}`).join(', ');
}
