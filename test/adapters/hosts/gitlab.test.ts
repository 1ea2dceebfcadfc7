import { gitLabRoutes } from '../../host-apis/gitlab-api.ts';
import { hostSuite } from '../../host-apis/host-suite.ts';

hostSuite('gitlab', {
  prefix: '/api/v4',
  routes: gitLabRoutes,
  path: '/acme/teams/fleet.git',
  provider: 'gitlab',
  user: 'oauth2',
  longestComment: 1_000_000,
  hasLabels: true,
  statuses: { failed: 'failure' },
  deployments: { success: 'success' },
});
