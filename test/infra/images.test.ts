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

test('where it proposes, it may ask the Git host and the declared registries, and is told of its pull requests', () => {
  const proposing = {
    ...written,
    repositories: [
      {
        name: 'platform',
        url: 'https://github.com/acme/platform.git',
        tokenSecret: 'acme/read',
        host: { tokenSecret: 'acme/pulls' },
        images: { tokenSecret: 'acme/write', pullRequest: {} },
      },
      {
        name: 'legacy',
        url: 'https://git-codecommit.eu-west-1.amazonaws.com/v1/repos/legacy',
        provider: 'codecommit' as const,
        images: { pullRequest: {} },
      },
    ],
    sources: {
      images: [
        { url: 'oci://ghcr.io/acme', secret: 'acme/ghcr' },
        { url: 'oci://123456789012.dkr.ecr.eu-west-1.amazonaws.com/shop' },
      ],
    },
  };
  const rights = rightsIn(proposing).filter((right) => right.startsWith('Images '));
  const has = (pattern: RegExp) =>
    assert.ok(
      rights.some((right) => pattern.test(right)),
      String(pattern),
    );
  for (const secret of ['write', 'pulls', 'ghcr']) has(new RegExp(`GetSecretValue .*acme/${secret}-`));
  for (const name of ['shop', 'shop/\\*']) has(new RegExp(`ecr:ListImages .*repository/${name}$`));
  has(/codecommit:CreatePullRequest,.*:legacy$/);
  assert.ok(!rights.some((right) => /codecommit:(?:Merge|\*)/.test(right)));
  using made = synthesize(proposing);
  const patterns = ofType(made.resources, 'AWS::Events::Rule').map(([, { Properties }]) =>
    JSON.stringify(Properties['EventPattern']),
  );
  assert.ok(patterns.some((pattern) => pattern.includes('"prefix":"trueup/images/"')));
  const polls = ofType(made.resources, 'AWS::Scheduler::Schedule').filter(([, { Properties }]) =>
    JSON.stringify(Properties['Target']).includes('\\"images\\"'),
  );
  assert.equal(polls.length, 1);
});
