import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { rolesIn } from './role-rights.ts';
import { flatten, ofType, sample, synthesize } from './synthesized.ts';

const stack = synthesize({
  ...sample,
  repositories: [
    {
      name: 'platform',
      url: 'https://github.com/acme/platform.git',
      tokenSecret: 'acme/read',
      host: { tokenSecret: 'acme/statuses' },
      status: {},
    },
    { name: 'apps', url: 'https://github.com/acme/apps.git', tokenSecret: 'acme/apps' },
  ],
});
after(() => stack[Symbol.dispose]());

test('who tells of commits reads what is said of them, and nothing of clusters, snapshots or other repositories', () => {
  const rights = rolesIn(stack).get('<ReportFunctionRole>') ?? [];
  const on = (action: string) =>
    rights
      .filter((right) => right.action === action)
      .map(({ resource }) => resource.replace(/^.*[/:]([\w-]+)\/([\w-]+-\?+|\*)$/, '$1/$2'))
      .toSorted();
  assert.deepEqual(on('secretsmanager:GetSecretValue'), ['acme/statuses-??????']);
  const said = ['checks', 'clusters', 'desired', 'holds', 'inventory', 'reports', 'repositories'];
  assert.deepEqual(on('s3:GetObject'), [...said.map((folder) => `${folder}/*`), 'the stack configuration']);
  assert.deepEqual(on('s3:PutObject'), ['reports/*']);
  const others = rights.filter(({ action }) => /^(?:eks|kms|sts|events|s3:Delete)/.test(action));
  assert.deepEqual(others, []);
});

test('it has its queue, its schedule and its alarms', () => {
  const own = (type: string) =>
    ofType(stack.resources, type).filter(([id]) => flatten({ Ref: id }).startsWith('<Report')).length;
  const types = ['AWS::Lambda::Function', 'AWS::SQS::Queue', 'AWS::Events::Rule', 'AWS::Scheduler::Schedule'];
  assert.deepEqual(types.map(own), [1, 2, 1, 1]);
  const names = ofType(stack.resources, 'AWS::CloudWatch::Alarm').map(
    ([, { Properties }]) => Properties['AlarmName'],
  );
  for (const name of ['dead-letters-report', 'backlog-report'])
    assert.ok(names.includes(`trueup-acme-${name}`), names.join(' '));
});
