import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ofType, rightsIn, sample, synthesize } from './synthesized.ts';

const written = {
  ...sample,
  repositories: [
    {
      name: 'platform',
      url: 'https://github.com/acme/platform.git',
      tokenSecret: 'acme/read',
      host: { tokenSecret: 'acme/host' },
      reverts: { tokenSecret: 'acme/write' },
    },
    { name: 'apps', url: 'https://github.com/acme/apps.git', tokenSecret: 'acme/apps' },
  ],
};

test('who takes changes back may push there, and reads of the records where targets point and nothing else', () => {
  const rights = rightsIn(written).filter((right) => right.startsWith('Revert '));
  const short = rights.map((right) => right.replace(/arn:<Partition>:\w+:<Region>:<AccountId>:secret:/, ''));
  const secrets = short.filter((right) => right.includes('secretsmanager'));
  assert.deepEqual([...new Set(secrets)].toSorted(), [
    'Revert secretsmanager:GetSecretValue acme/host-??????',
    'Revert secretsmanager:GetSecretValue acme/write-??????',
  ]);
  const objects = short.filter(
    (right) => /s3:(?:Get|Put|Delete)Object/.test(right) && right.includes('Bucket'),
  );
  assert.deepEqual(objects.map((right) => right.replace(/^\S+ (\S+) .*\/(\w+\/\*)$/, '$1 $2')).toSorted(), [
    's3:GetObject desired/*',
    's3:GetObject repositories/*',
  ]);
  assert.ok(!rights.some((right) => /eks|kms|sts|sqs:Send|PutEvents/.test(right)), rights.join('\n'));
});

test('rollbacks reach it only where they ask for a pull request, and the function of pointers hears of failed revisions', () => {
  using made = synthesize(written);
  const patterns = ofType(made.resources, 'AWS::Events::Rule').map(([, { Properties }]) =>
    JSON.stringify(Properties['EventPattern']),
  );
  assert.ok(
    patterns.some(
      (pattern) => pattern.includes('RolledBack') && pattern.includes('"revertPullRequest":[true]'),
    ),
    patterns.join('\n'),
  );
  assert.ok(patterns.some((pattern) => pattern.includes('["PushReceived","RevisionFailed"]')));
  const names = ofType(made.resources, 'AWS::CloudWatch::Alarm').map(
    ([, { Properties }]) => Properties['AlarmName'],
  );
  assert.ok(names.includes('trueup-acme-dead-letters-revert'), names.join(' '));
});
