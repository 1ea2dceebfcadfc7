import type { CodeCommitClientConfig } from '@aws-sdk/client-codecommit';
import type { RepositoryConfig } from '../../core/contract/repository.ts';
import { Blocked } from '../../core/errors.ts';
import type { Clock } from '../../core/ports.ts';
import type { HostApi } from './host-api.ts';
import type { HostToken, HostTokens } from './host-token.ts';

export interface OpenHostOptions {
  readonly tokens: HostTokens;
  readonly clock: Pick<Clock, 'now'>;
  /** Settings beside the role and the repository's region, such as another endpoint. */
  readonly codeCommit?: CodeCommitClientConfig;
}

/** What every host's API is opened with. */
export interface HostContext {
  readonly repository: RepositoryConfig;
  readonly token: HostToken;
  readonly clock: Pick<Clock, 'now'>;
  /** Whatever is cached of the token is not to be used again. */
  readonly forgetToken: () => void;
}

/** A GitHub App's token gets the one right that the call needs. */
const appPermissions = {
  pulls: { contents: 'read', pull_requests: 'write' },
  statuses: { statuses: 'write' },
  deployments: { deployments: 'write' },
} as const;

/** The API of the host that a repository is on. Hosts that nobody uses are not loaded. Throws Blocked where there is none. */
export async function openHost(
  repository: RepositoryConfig,
  what: keyof typeof appPermissions,
  { tokens, clock, codeCommit }: OpenHostOptions,
): Promise<HostApi> {
  const { provider, name } = repository;
  const context = async (): Promise<HostContext> => {
    const permissions = appPermissions[what];
    const token = await tokens.get(repository, permissions);
    return { repository, token, clock, forgetToken: () => tokens.forget(repository, permissions) };
  };
  if (provider === undefined || provider === 'generic') throw noHost(name, provider);
  const open: Readonly<Record<typeof provider, () => Promise<HostApi>>> = {
    github: async () => new (await import('./github.ts')).GitHubApi(await context()),
    gitlab: async () => new (await import('./gitlab.ts')).GitLabApi(await context()),
    gitea: async () => new (await import('./gitea.ts')).GiteaApi(await context()),
    forgejo: async () => new (await import('./gitea.ts')).GiteaApi(await context()),
    bitbucket: async () => new (await import('./bitbucket.ts')).BitbucketApi(await context()),
    'bitbucket-data-center': async () => {
      return new (await import('./bitbucket-data-center.ts')).BitbucketDataCenterApi(await context());
    },
    'azure-devops': async () => new (await import('./azure-devops.ts')).AzureDevOpsApi(await context()),
    codecommit: async () => new (await import('./codecommit.ts')).CodeCommitApi(repository, codeCommit),
  };
  return open[provider]();
}

function noHost(name: string, provider = 'of artifacts'): Blocked {
  const message = `has no pull requests that trueup can ask for (provider ${provider}); name the provider of its host in the stack configuration`;
  return new Blocked({ subject: `repository ${name}`, message });
}
