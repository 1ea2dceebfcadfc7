import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { AwsSolutionsChecks } from 'cdk-nag';
import { rolesIn } from './role-rights.ts';
import { flatten, ofType, sample, synthesize } from './synthesized.ts';

const stack = synthesize({
  ...sample,
  repositories: [
    {
      name: 'platform',
      url: 'https://github.com/acme/platform.git',
      tokenSecret: 'acme/read',
      host: { tokenSecret: 'acme/comments' },
      preview: {},
    },
    { name: 'apps', url: 'https://github.com/acme/apps.git', tokenSecret: 'acme/apps' },
  ],
});
after(() => stack[Symbol.dispose]());

const rightsOf = (role: string) =>
  (rolesIn(stack).get(role) ?? []).map(({ action, resource }) => `${action} ${resource}`);

test('who reads pull requests may not write desired state, enter a cluster or open what is sealed', () => {
  const rights = rightsOf('<PreviewFunctionRole>');
  assert.ok(rights.length > 0);
  const written = rights.filter((right) => right.startsWith('s3:PutObject '));
  assert.equal(written.length, 1);
  assert.match(written[0] ?? '', /\/previews\/\*$/);
  assert.deepEqual(
    rights.filter((right) => /^(?:eks|sts|events|ssm|cloudwatch):|^kms:Decrypt|DeleteObject/.test(right)),
    [],
  );
  for (const secret of ['read', 'comments', 'apps'])
    assert.ok(
      rights.some((right) => new RegExp(`GetSecretValue .*acme/${secret}-`).test(right)),
      secret,
    );
  assert.ok(rights.some((right) => right.startsWith('sqs:SendMessage <QueuesQuestions')));
  assert.ok(!rights.some((right) => right.startsWith('sqs:SendMessage <QueuesSweeps')));
});

test('who checks clusters answers what previews ask, and nobody else may write there', () => {
  const roles = [...rolesIn(stack).keys()].filter((role) =>
    rightsOf(role).some((right) => /^s3:PutObject .*\/previews\//.test(right)),
  );
  assert.deepEqual(roles.toSorted(), ['<FunctionsSweepRole>', '<PreviewFunctionRole>']);
});

test('what it asks of clusters waits in a queue of its own, and takes no place of a sweep', () => {
  const mapped = ofType(stack.resources, 'AWS::Lambda::EventSourceMapping').map(([, { Properties }]) => {
    const { EventSourceArn, FunctionName, ScalingConfig } = Properties;
    return `${flatten(EventSourceArn)} ${flatten(FunctionName)} ${JSON.stringify(ScalingConfig)}`;
  });
  assert.ok(
    mapped.includes('<QueuesQuestionsQueue> <FunctionsSweepFunction> {"MaximumConcurrency":2}'),
    mapped.join('; '),
  );
});

test('it hears of the repositories that asked for it, and is there only then', () => {
  using without = synthesize(sample);
  const count = (type: string) =>
    ofType(stack.resources, type).length - ofType(without.resources, type).length;
  assert.deepEqual(['AWS::Lambda::Function', 'AWS::SQS::Queue', 'AWS::Events::Rule'].map(count), [1, 4, 1]);
  const patterns = ofType(stack.resources, 'AWS::Events::Rule').map(([, { Properties }]) =>
    JSON.stringify(Properties['EventPattern']),
  );
  const own = patterns.filter((pattern) => pattern.includes('PullRequestChanged'));
  assert.equal(own.length, 1);
  assert.match(own[0] ?? '', /"repository":\["platform"\]/);
  const { violations } = new AwsSolutionsChecks(stack.app).validateScope(stack.app);
  assert.deepEqual(violations, []);
});
