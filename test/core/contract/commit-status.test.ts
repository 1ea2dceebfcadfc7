import assert from 'node:assert/strict';
import { test } from 'node:test';
import { commitStatusSchema, contextOf, filledLink } from '../../../core/contract/commit-status.ts';
import { repositorySchema } from '../../../core/contract/repository.ts';

test('links are filled in and escaped; one that names what is not known is left out', () => {
  const template = 'https://example.com/{cluster}?key={run}';
  assert.equal(
    filledLink(template, { cluster: 'prod', run: 'runs/date=1/a b' }),
    'https://example.com/prod?key=runs%2Fdate%3D1%2Fa%20b',
  );
  assert.equal(filledLink(template, { cluster: 'prod' }), undefined);
  assert.equal(filledLink(undefined, {}), undefined);
});

test('a cluster never takes a name that is ours', () => {
  const names = ['prod', 'render', 'clusters'].map((cluster) =>
    contextOf({ context: 'trueup' }, { cluster }),
  );
  assert.deepEqual(names, ['trueup/prod', 'trueup/cluster/render', 'trueup/cluster/clusters']);
  assert.equal(contextOf({ context: 'x/y' }, 'render'), 'x/y/render');
});

const fleet = { name: 'fleet', url: 'https://git.example/fleet.git', tokenSecret: 'git' };
const faults = [
  {
    why: 'a host without statuses',
    repository: { ...fleet, provider: 'generic', status: {} },
    path: 'status',
  },
  {
    why: 'CodeCommit',
    repository: {
      name: 'fleet',
      provider: 'codecommit',
      url: 'https://git-codecommit.eu-west-1.amazonaws.com/v1/repos/fleet',
      status: {},
    },
    path: 'status',
  },
  {
    why: 'no token for the API',
    repository: { name: 'fleet', url: fleet.url, status: {} },
    path: 'status',
  },
  {
    why: 'a link without TLS',
    repository: { ...fleet, status: { url: 'http://x.example' } },
    path: 'status.url',
  },
  {
    why: 'a link that names what there is not',
    repository: { ...fleet, status: { runUrl: 'https://x.example/{token}' } },
    path: 'status.runUrl',
  },
  {
    why: 'a name with spaces',
    repository: { ...fleet, status: { context: 'our own' } },
    path: 'status.context',
  },
];

for (const { why, repository, path } of faults) {
  test(`refused: ${why}`, () => {
    const parsed = repositorySchema.safeParse(repository);
    assert.equal(parsed.success, false);
    assert.deepEqual([...new Set(parsed.error.issues.map((issue) => issue.path.join('.')))], [path]);
  });
}

test('nothing need be said but that statuses are wanted', () => {
  const { status } = repositorySchema.parse({ ...fleet, status: {} });
  assert.deepEqual(status, commitStatusSchema.parse({}));
  assert.deepEqual(status, { context: 'trueup', perCluster: true, deployments: false });
});
