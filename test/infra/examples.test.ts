import assert from 'node:assert/strict';
import { test } from 'node:test';
import { temporaryFolder } from '../../infra/temporary-folder.ts';
import { synthesise } from './synthesise-example.ts';

test('the minimal app: one installation', async () => {
  using folder = temporaryFolder();
  const { types } = await synthesise('minimal-app', folder.path, []);
  assert.ok(types.includes('AWS::Lambda::Function'));
});

test('the full app: functions inside a VPC with endpoints, and access entries for both networks', async () => {
  using folder = temporaryFolder();
  const { types } = await synthesise('full-app', folder.path, []);
  const count = (type: string) => types.filter((each) => each === type).length;
  assert.equal(count('AWS::EKS::AccessEntry'), 4);
  assert.ok(count('AWS::EC2::VPCEndpoint') >= 8);
  // A cluster's security group lets in its nodes alone.
  assert.equal(count('AWS::EC2::SecurityGroupIngress'), 1);
  assert.equal(count('AWS::SNS::Subscription'), 1);
});
