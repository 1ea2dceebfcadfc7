import { Stack, Validations } from 'aws-cdk-lib/core';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { placeOf } from '../core/contract/cluster-access.ts';
import type { ClusterConfig, StackConfig } from '../core/contract/config.ts';
import type { Secrets } from './secrets.ts';
import type { TrueUpFunction } from './trueup-function.ts';

/** To find and enter one cluster; what may be done there, the cluster itself says. */
export function allowCluster(to: TrueUpFunction, { access }: ClusterConfig, secrets: Secrets): void {
  if (access.type === 'kubeconfig') {
    secrets.grantKubeconfig(to, access.secret);
    return;
  }
  if (access.roleArn !== undefined) {
    // What that role may do there, the other account says.
    allowAssume(to, access.roleArn);
    return;
  }
  const { name, region, account } = placeOf(access);
  const arn = { service: 'eks', resource: 'cluster', resourceName: name };
  const where = { ...(region !== undefined && { region }), ...(account !== undefined && { account }) };
  to.allow(
    new PolicyStatement({
      actions: ['eks:DescribeCluster'],
      resources: [Stack.of(to).formatArn({ ...arn, ...where })],
    }),
  );
}

/** To enter whatever is found by its tags. */
export function allowFound(to: TrueUpFunction, { discovery }: StackConfig): void {
  for (const { roleArn } of discovery) if (roleArn !== undefined) allowAssume(to, roleArn);
  const own = discovery.filter(({ roleArn }) => roleArn === undefined);
  const regions = new Set(own.map(({ region }) => region ?? Stack.of(to).region));
  const clusters = [...regions].map((region) =>
    Stack.of(to).formatArn({ service: 'eks', region, resource: 'cluster', resourceName: '*' }),
  );
  if (clusters.length === 0) return;
  to.allow(new PolicyStatement({ actions: ['eks:DescribeCluster'], resources: clusters }));
  for (const { region } of own) {
    const resource = `arn:<AWS::Partition>:eks:${region ?? '<AWS::Region>'}:<AWS::AccountId>:cluster/*`;
    const reason = 'Which clusters carry the tags is known only when each is described.';
    Validations.of(to).acknowledge({ id: `AwsSolutions-IAM5[Resource::${resource}]`, reason });
  }
}

/** To look for clusters in the account of the stack. Other accounts are listed with their own roles. */
export function allowListing(to: TrueUpFunction, { discovery }: StackConfig): void {
  if (discovery.every(({ roleArn }) => roleArn !== undefined)) return;
  to.allow(new PolicyStatement({ actions: ['eks:ListClusters'], resources: ['*'] }));
  const reason = 'ListClusters knows no resources.';
  Validations.of(to).acknowledge({ id: 'AwsSolutions-IAM5[Resource::*]', reason });
}

function allowAssume(to: TrueUpFunction, roleArn: string): void {
  to.allow(new PolicyStatement({ actions: ['sts:AssumeRole'], resources: [roleArn] }));
}
