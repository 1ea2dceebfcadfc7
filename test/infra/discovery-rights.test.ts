import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AwsSolutionsChecks } from 'cdk-nag';
import type { StackConfigInput } from '../../core/contract/config.ts';
import { rolesIn } from './role-rights.ts';
import { synthesize } from './synthesized.ts';

const roleArn = 'arn:aws:iam::222222222222:role/trueup';
const config: StackConfigInput = {
  fleet: 'acme',
  repositories: [{ name: 'platform', url: 'https://github.com/acme/platform.git' }],
};
const own = { tags: { trueup: 'yes' }, region: 'eu-west-1' };
const other = { tags: { trueup: 'yes' }, region: 'eu-west-1', roleArn, externalId: 'acme-1' };

/** What a function may do to find and enter clusters. */
function rightsOf(input: Partial<StackConfigInput>): Readonly<Record<string, readonly string[]>> {
  using stack = synthesize({ ...config, ...input });
  const roles = rolesIn(stack);
  const of = (name: string): readonly string[] =>
    (roles.get(`<Functions${name}Role>`) ?? [])
      .filter(({ action }) => /^(eks|sts):/.test(action))
      .map(({ action, resource }) => `${action} ${resource}`);
  return { reconcile: of('Reconcile'), sweep: of('Sweep'), snapshot: of('Snapshot') };
}

const describe = 'eks:DescribeCluster arn:<Partition>:eks:eu-west-1:<AccountId>:cluster/*';
const assume = `sts:AssumeRole ${roleArn}`;

test('where clusters are looked for, only the sweep lists, and both describe what is found', () => {
  assert.deepEqual(rightsOf({ discovery: [own] }), {
    reconcile: [describe],
    sweep: [describe, 'eks:ListClusters *'],
    snapshot: [],
  });
});

test('another account is entered by exactly the role that is named, found or declared', () => {
  const found = { reconcile: [assume], sweep: [assume], snapshot: [] };
  assert.deepEqual(rightsOf({ discovery: [other] }), found);
  const access = { type: 'eks' as const, name: 'shop', roleArn };
  assert.deepEqual(rightsOf({ clusters: [{ name: 'shop', access }] }), found);
});

test('a cluster that is declared by its ARN is described, and no other', () => {
  const arn = 'arn:aws:eks:eu-west-1:111111111111:cluster/shop';
  const { sweep } = rightsOf({ clusters: [{ name: 'shop', access: { type: 'eks', arn } }] });
  assert.deepEqual(sweep, ['eks:DescribeCluster arn:<Partition>:eks:eu-west-1:111111111111:cluster/shop']);
});

test('cdk-nag has no finding without a reason', () => {
  using stack = synthesize({ ...config, discovery: [own, { tags: own.tags }, other] });
  const { violations } = new AwsSolutionsChecks(stack.app).validateScope(stack.app);
  assert.deepEqual(violations, []);
});

test('who has repositories looked at again for clusters that changed may read which were ever rendered', () => {
  for (const discovery of [[], [own]]) {
    const clusters = [{ name: 'edge', access: { type: 'kubeconfig' as const, secret: 'acme/edge' } }];
    using stack = synthesize({ ...config, clusters, discovery });
    const sweep = rolesIn(stack).get('<FunctionsSweepRole>') ?? [];
    const reads = sweep.filter(({ action }) => action === 's3:GetObject').map(({ resource }) => resource);
    assert.ok(reads.includes('<StorageBucket>/repositories/*'), reads.join('\n'));
    // Of one that never was: without this AWS says that it is forbidden, and not that it is not there.
    assert.ok(
      sweep.some(({ action, condition }) => action === 's3:ListBucket' && /repositories/.test(condition)),
    );
  }
});
