import { azureDevOpsRoutes } from '../../host-apis/azure-devops-api.ts';
import { hostSuite } from '../../host-apis/host-suite.ts';

hostSuite('azure-devops', {
  prefix: '/acme',
  routes: azureDevOpsRoutes,
  path: '/acme/Platform%20Team/_git/fleet',
  provider: 'azure-devops',
  longestComment: 150_000,
  hasLabels: true,
  statuses: { succeeded: 'success', failed: 'failure' },
});
