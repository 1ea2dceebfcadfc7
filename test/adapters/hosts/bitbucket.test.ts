import { bitbucketRoutes } from '../../host-apis/bitbucket-api.ts';
import { hostSuite } from '../../host-apis/host-suite.ts';

const traits = {
  prefix: '/2.0',
  path: '/acme/fleet.git',
  provider: 'bitbucket',
  longestComment: 32_768,
  statuses: { SUCCESSFUL: 'success', FAILED: 'failure' },
};

hostSuite('bitbucket, token of an account', {
  ...traits,
  routes: (world) => bitbucketRoutes(world),
  user: 'trueup@example.com',
});
hostSuite('bitbucket, token of a repository', {
  ...traits,
  routes: (world) => bitbucketRoutes(world, false),
  user: 'x-token-auth',
});
