import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ofType, rightsIn, sample, synthesize } from './synthesized.ts';

const environments = { clusters: ['staging'] };
const running = {
  ...sample,
  repositories: [
    {
      name: 'platform',
      url: 'https://github.com/acme/platform.git',
      tokenSecret: 'acme/read',
      host: { tokenSecret: 'acme/pulls' },
      environments,
    },
    { name: 'apps', url: 'https://github.com/acme/apps.git', host: { tokenSecret: 'acme/other' } },
    {
      name: 'legacy',
      url: 'https://git-codecommit.eu-west-1.amazonaws.com/v1/repos/legacy',
      provider: 'codecommit' as const,
      environments,
    },
  ],
};

test('pull requests of the repositories that run them reach the snapshot function, which may ask and comment', () => {
  using made = synthesize(running);
  const patterns = ofType(made.resources, 'AWS::Events::Rule').map(([, { Properties }]) =>
    JSON.stringify(Properties['EventPattern']),
  );
  const [pattern, ...more] = patterns.filter((one) => one.includes('"PullRequestChanged"'));
  assert.deepEqual(more, []);
  assert.match(pattern ?? '', /"repository":\["platform","legacy"\]/);
  const rights = rightsIn(running).filter((right) => right.startsWith('Snapshot '));
  const secrets = rights.flatMap((right) => /secret:(acme\/\w+)/.exec(right)?.[1] ?? []);
  assert.deepEqual([...new Set(secrets)].toSorted(), ['acme/pulls', 'acme/read']);
  const actions = rights.flatMap((right) => right.match(/codecommit:[A-Z]\w+/g) ?? []);
  assert.deepEqual([...new Set(actions)].toSorted(), [
    'codecommit:GetCommentsForPullRequest',
    'codecommit:GetPullRequest',
    'codecommit:GitPull',
    'codecommit:ListPullRequests',
    'codecommit:PostCommentForPullRequest',
    'codecommit:UpdateComment',
  ]);
});

test('nobody is told of pull requests where none is run', () => {
  using without = synthesize(sample);
  assert.doesNotMatch(JSON.stringify(without.resources), /PullRequestChanged/);
});
