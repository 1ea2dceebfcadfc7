import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { rolesIn } from './role-rights.ts';
import { flatten, ofType, sample, synthesize } from './synthesized.ts';

/** Every right of every role is in `docs/reference/permissions.md`; here are the rules that they keep. */

const stack = synthesize();
after(() => stack[Symbol.dispose]());
const roles = rolesIn(stack);

function rightsOf(name: string): readonly string[] {
  const rights = roles.get(`<Functions${name}Role>`) ?? [];
  return rights.map(({ action, resource }) => `${action} ${resource}`);
}

test('no action is a wildcard, and a resource is one only where the service knows no narrower one', () => {
  const wide = [...roles].flatMap(([role, rights]) =>
    rights
      .filter(({ action, resource }) => action.includes('*') || resource === '*')
      .map(({ action, condition }) => `${role} ${action} ${condition}`),
  );
  const metrics = 'cloudwatch:PutMetricData StringEquals cloudwatch:namespace TrueUp';
  // Of one narrower than all, CloudWatch leaves composite alarms out.
  const alarms = 'cloudwatch:DescribeAlarms';
  for (const line of wide) assert.ok(line.endsWith(metrics) || line.trim().endsWith(alarms), line);
});

test('the function that the internet reaches reads nothing that others sent, and enters no cluster', () => {
  const rights = rightsOf('Webhook');
  assert.deepEqual(
    rights.filter((right) => right.startsWith('s3:GetObject')),
    ['s3:GetObject <StorageBucket>/deliveries/*', 's3:GetObject the stack configuration'],
  );
  assert.ok(!rights.some((right) => /^(eks|sts|kms|sqs):/.test(right)));
});

test('what renders enters no cluster, and what enters clusters reads no repository', () => {
  assert.ok(!rightsOf('Snapshot').some((right) => /^(eks|sts):/.test(right)));
  for (const name of ['Reconcile', 'Sweep']) {
    assert.ok(!rightsOf(name).some((right) => right.includes('platform-token')), name);
  }
});

test('what checks never writes what was applied, nor a lease, a run or a pointer', () => {
  for (const folder of ['inventory', 'leases', 'runs', 'desired', 'snapshots']) {
    assert.ok(!rightsOf('Sweep').includes(`s3:PutObject <StorageBucket>/${folder}/*`), folder);
  }
});

test('no function deletes a record or a version of one', () => {
  const deletes = [...roles.values()].flat().filter(({ action }) => action.startsWith('s3:Delete'));
  assert.ok(deletes.length > 0);
  for (const { action, resource } of deletes) {
    assert.equal(action, 's3:DeleteObject');
    assert.doesNotMatch(resource, /\/(runs|drift|desired|inventory|snapshots)\//);
  }
});

test('every role belongs to one function, a schedule or the rule, and none has a managed policy', () => {
  const used = ofType(stack.resources, 'AWS::Lambda::Function').map(([, { Properties }]) =>
    flatten(Properties['Role']),
  );
  assert.equal(new Set(used).size, used.length, 'one role a function');
  assert.equal(roles.size, used.length + 3);
  for (const [id, { Properties }] of ofType(stack.resources, 'AWS::IAM::Role')) {
    assert.equal(Properties['ManagedPolicyArns'], undefined, id);
  }
});

test('records under a lock may be given their retention by those who write them, and by nobody else', () => {
  const recordLock = { mode: 'governance', days: 500 } as const;
  using locked = synthesize({ ...sample, recordLock });
  const retention = [...rolesIn(locked)].flatMap(([role, rights]) =>
    rights
      .filter(({ action }) => action === 's3:PutObjectRetention')
      .map(({ resource }) => `${role} ${resource}`),
  );
  assert.deepEqual(retention, [
    '<FunctionsReconcileRole> <StorageBucket>/drift/*',
    '<FunctionsReconcileRole> <StorageBucket>/runs/*',
    '<FunctionsSweepRole> <StorageBucket>/drift/*',
  ]);
});

test('a changed configuration is granted under a new policy, so that functions with the old key still start', () => {
  using other = synthesize({
    repositories: [{ name: 'a', url: 'https://git.example/a.git' }],
    clusters: [{ name: 'c', access: { type: 'eks', name: 'c' } }],
  });
  const policies = (of: typeof stack) =>
    ofType(of.resources, 'AWS::IAM::Policy')
      .map(([id]) => id)
      .filter((id) => id.startsWith('TrueUpConfigRead'));
  assert.equal(policies(stack).length, 1);
  assert.notDeepEqual(policies(stack), policies(other));
});
