import { giteaRoutes } from '../../host-apis/gitea-api.ts';
import { hostSuite } from '../../host-apis/host-suite.ts';
import { OpenApi } from '../../host-apis/openapi.ts';

hostSuite('gitea', {
  api: new OpenApi('gitea'),
  // Below a folder of its domain, as `ROOT_URL` may have it.
  prefix: '/git/api/v1',
  routes: giteaRoutes,
  path: '/git/acme/fleet.git',
  apiPath: '/git/api/v1',
  provider: 'gitea',
  longestComment: 65_536,
  hasLabels: true,
  statuses: {},
});
