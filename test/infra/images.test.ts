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
      images: { tokenSecret: 'acme/write', signingKeySecret: 'acme/signing' },
    },
    { name: 'apps', url: 'https://github.com/acme/apps.git', tokenSecret: 'acme/apps' },
  ],
};

test('who writes images may push to these repositories, and reads nothing of clusters or snapshots', () => {
  const rights = rightsIn(written).filter((right) => right.startsWith('Images '));
  const short = rights.map((right) => right.replace(/arn:<Partition>:\w+:<Region>:<AccountId>:secret:/, ''));
  const secrets = short.filter((right) => right.includes('secretsmanager'));
  assert.deepEqual(secrets.toSorted(), [
    'Images secretsmanager:GetSecretValue acme/signing-??????',
    'Images secretsmanager:GetSecretValue acme/write-??????',
  ]);
  const objects = short.filter(
    (right) => /s3:(?:Get|Put|Delete)Object/.test(right) && right.includes('Bucket'),
  );
  assert.ok(objects.length > 0 && objects.every((right) => right.endsWith('/images/*')), objects.join('\n'));
  assert.ok(!rights.some((right) => /eks|kms|sts/.test(right)));
});

test('it is there only where a repository wants it, with its queue, its dead letters and their alarm', () => {
  using without = synthesize(sample);
  using made = synthesize(written);
  const count = (type: string) =>
    ofType(made.resources, type).length - ofType(without.resources, type).length;
  assert.deepEqual(
    ['AWS::Lambda::Function', 'AWS::SQS::Queue', 'AWS::Events::Rule', 'AWS::Lambda::EventSourceMapping'].map(
      count,
    ),
    [1, 2, 1, 1],
  );
  const names = ofType(made.resources, 'AWS::CloudWatch::Alarm').map(
    ([, { Properties }]) => Properties['AlarmName'],
  );
  assert.ok(names.includes('trueup-acme-dead-letters-images'), names.join(' '));
});
