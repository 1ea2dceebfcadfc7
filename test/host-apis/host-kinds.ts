import { azureDevOpsRoutes } from './azure-devops-api.ts';
import { bitbucketRoutes } from './bitbucket-api.ts';
import { bitbucketDataCenterRoutes } from './bitbucket-data-center-api.ts';
import { codeCommitAction, codeCommitRoutes } from './codecommit-api.ts';
import { gitHubRoutes } from './github-api.ts';
import { giteaRoutes } from './gitea-api.ts';
import { gitLabRoutes } from './gitlab-api.ts';
import type { HostKind } from './host-starter.ts';
import { OpenApi } from './openapi.ts';

const gitHub = new OpenApi('github');
const bitbucket = {
  prefix: '/2.0',
  path: '/acme/fleet.git',
  provider: 'bitbucket',
  longestComment: 32_768,
  statuses: { SUCCESSFUL: 'success', FAILED: 'failure', STOPPED: 'overtaken' },
};

/** Every host that an adapter is for, with what it can do. */
export const hostKinds: Readonly<Record<string, HostKind>> = {
  github: {
    api: gitHub,
    prefix: '/api/v3',
    routes: (world) => gitHubRoutes(world, gitHub),
    path: '/acme/fleet.git',
    provider: 'github',
    longestComment: 65_536,
    hasLabels: true,
    statuses: { error: 'overtaken' },
    deployments: { success: 'success' },
  },
  gitea: {
    api: new OpenApi('gitea'),
    // Below a folder of its domain, as `ROOT_URL` may have it.
    prefix: '/git/api/v1',
    routes: giteaRoutes,
    path: '/git/acme/fleet.git',
    apiPath: '/git/api/v1',
    provider: 'gitea',
    longestComment: 65_536,
    hasLabels: true,
    statuses: { error: 'overtaken' },
  },
  gitlab: {
    prefix: '/api/v4',
    routes: gitLabRoutes,
    path: '/acme/teams/fleet.git',
    provider: 'gitlab',
    user: 'oauth2',
    longestComment: 1_000_000,
    hasLabels: true,
    statuses: { failed: 'failure', canceled: 'overtaken' },
    deployments: { success: 'success' },
  },
  'bitbucket, token of an account': {
    ...bitbucket,
    routes: (world) => bitbucketRoutes(world),
    user: 'trueup@example.com',
  },
  'bitbucket, token of a repository': {
    ...bitbucket,
    routes: (world) => bitbucketRoutes(world, false),
    user: 'x-token-auth',
  },
  'bitbucket-data-center': {
    prefix: '/bitbucket/rest/api/1.0',
    routes: bitbucketDataCenterRoutes,
    path: '/bitbucket/scm/ACME/fleet.git',
    apiPath: '/bitbucket/rest/api/1.0',
    provider: 'bitbucket-data-center',
    longestComment: 32_768,
    statuses: { SUCCESSFUL: 'success', FAILED: 'failure' },
  },
  'azure-devops': {
    prefix: '/acme',
    routes: azureDevOpsRoutes,
    path: '/acme/Platform%20Team/_git/fleet',
    provider: 'azure-devops',
    longestComment: 150_000,
    hasLabels: true,
    statuses: { succeeded: 'success', failed: 'failure', error: 'overtaken' },
  },
  codecommit: {
    prefix: '',
    routes: codeCommitRoutes,
    operationOf: codeCommitAction,
    path: 'https://git-codecommit.eu-central-1.amazonaws.com/v1/repos/fleet',
    provider: 'codecommit',
    hasForks: false,
    longestComment: 10_240,
  },
};
