import { bitbucketDataCenterRoutes } from '../../host-apis/bitbucket-data-center-api.ts';
import { hostSuite } from '../../host-apis/host-suite.ts';

hostSuite('bitbucket-data-center', {
  prefix: '/bitbucket/rest/api/1.0',
  routes: bitbucketDataCenterRoutes,
  path: '/bitbucket/scm/ACME/fleet.git',
  apiPath: '/bitbucket/rest/api/1.0',
  provider: 'bitbucket-data-center',
  longestComment: 32_768,
  statuses: { SUCCESSFUL: 'success', FAILED: 'failure' },
});
