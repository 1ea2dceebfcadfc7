import { gitHubRoutes } from '../../host-apis/github-api.ts';
import { hostSuite } from '../../host-apis/host-suite.ts';
import { OpenApi } from '../../host-apis/openapi.ts';

const api = new OpenApi('github');

hostSuite('github', {
  api,
  prefix: '/api/v3',
  routes: (world) => gitHubRoutes(world, api),
  path: '/acme/fleet.git',
  provider: 'github',
  longestComment: 65_536,
  hasLabels: true,
  statuses: {},
  deployments: { success: 'success' },
});
