import { codeCommitAction, codeCommitRoutes } from '../../host-apis/codecommit-api.ts';
import { hostSuite } from '../../host-apis/host-suite.ts';

hostSuite('codecommit', {
  prefix: '',
  routes: codeCommitRoutes,
  operationOf: codeCommitAction,
  path: 'https://git-codecommit.eu-central-1.amazonaws.com/v1/repos/fleet',
  provider: 'codecommit',
  longestComment: 10_240,
});
