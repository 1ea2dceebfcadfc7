import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ofType, rightsIn, sample, synthesize } from './synthesized.ts';

const url = 'https://github.com/acme/platform.git';
const line = {
  ...sample,
  repositories: [
    { name: 'staging', url, tokenSecret: 'acme/read' },
    { name: 'prod', url, tokenSecret: 'acme/read', promotion: { by: 'pointer' as const, from: 'staging' } },
  ],
};

test('who promotes reads records and alarms, moves its own pointers, and enters neither Git nor a cluster', () => {
  const rights = rightsIn(line).filter((right) => right.startsWith('Promotion '));
  const objects = rights.filter(
    (right) => /s3:(?:Get|Put|Delete)Object/.test(right) && right.includes('Bucket'),
  );
  assert.deepEqual(objects.map((right) => right.replace(/^\S+ (\S+) .*\/(\w+\/\*)$/, '$1 $2')).toSorted(), [
    's3:GetObject checks/*',
    's3:GetObject desired/*',
    's3:GetObject holds/*',
    's3:GetObject inventory/*',
    's3:GetObject promoted/*',
    's3:GetObject repositories/*',
    's3:PutObject promoted/*',
  ]);
  assert.ok(rights.some((right) => right.includes('cloudwatch:DescribeAlarms')));
  assert.ok(!rights.some((right) => /eks|kms|sts|secretsmanager|codecommit/.test(right)), rights.join('\n'));
  // Who follows what was promoted reads it, and only where anything is.
  const follows = (input: typeof sample) =>
    rightsIn(input).filter((right) => right.startsWith('Snapshot ') && right.includes('promoted/*'));
  assert.equal(follows(line).length, 1);
  assert.equal(follows(sample).length, 0);
});

test('it hears what becomes of environments and looks each minute; it is there only where there are any', () => {
  using made = synthesize(line);
  const schedules = ofType(made.resources, 'AWS::Scheduler::Schedule').map(
    ([, { Properties }]) => Properties,
  );
  const own = schedules.find((one) => JSON.stringify(one['Target']).includes('\\"promotion\\":\\"look\\"'));
  assert.equal(own?.['ScheduleExpression'], 'rate(1 minute)');
  const patterns = ofType(made.resources, 'AWS::Events::Rule').map(([, { Properties }]) =>
    JSON.stringify(Properties['EventPattern']),
  );
  assert.ok(
    patterns.some((pattern) => pattern.includes('"PromotionApproved"')),
    patterns.join('\n'),
  );
  const names = ofType(made.resources, 'AWS::CloudWatch::Alarm').map(
    ([, { Properties }]) => Properties['AlarmName'],
  );
  assert.ok(names.includes('trueup-acme-dead-letters-promotion'), names.join(' '));
  using without = synthesize();
  const functions = ofType(without.resources, 'AWS::Lambda::Function').map(([id]) => id);
  assert.ok(!functions.some((id) => id.includes('Promotion')), functions.join(' '));
});

test('by pull request it gets the token that may push, the API of the host, and Git', () => {
  const promotion = { by: 'pullRequest' as const, from: 'staging', tokenSecret: 'acme/write' };
  const prod = { name: 'prod', url, branch: 'env/prod', host: { tokenSecret: 'acme/host' }, promotion };
  const proposing = { ...sample, repositories: [{ name: 'staging', url, tokenSecret: 'acme/read' }, prod] };
  const rights = rightsIn(proposing).filter((right) => right.startsWith('Promotion '));
  const secrets = rights.filter((right) => right.includes('secretsmanager'));
  assert.deepEqual([...new Set(secrets)].map((right) => right.replace(/.*:secret:/, '')).toSorted(), [
    'acme/host-??????',
    'acme/write-??????',
  ]);
  using made = synthesize(proposing);
  const patterns = ofType(made.resources, 'AWS::Events::Rule').map(([, { Properties }]) =>
    JSON.stringify(Properties['EventPattern']),
  );
  const heard = patterns.filter((pattern) => pattern.includes('"PullRequestChanged"'));
  assert.ok(
    heard.some((pattern) => pattern.includes('"repository":["prod"]')),
    'a merge is seen at once',
  );
});
