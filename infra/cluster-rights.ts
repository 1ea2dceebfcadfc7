import { Stack, Validations } from 'aws-cdk-lib/core';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { placeOf } from '../core/contract/cluster-access.ts';
import type { ClusterConfig, StackConfig } from '../core/contract/config.ts';
import { flattened } from './flattened.ts';
import type { Secrets } from './secrets.ts';
import type { TrueUpFunction } from './trueup-function.ts';

/** Clusters of one account and region that a role names one by one. A role has room for few hundred names. */
const namedApart = 25;

/**
 * To find and enter one cluster; what may be done there, the cluster itself says. `before`: clusters that the same function
 * was let into until now. Of many in one place it may describe all that are there: nothing but their addresses.
 */
export function allowCluster(
  to: TrueUpFunction,
  { access }: ClusterConfig,
  { secrets, before }: { readonly secrets: Secrets; readonly before: readonly ClusterConfig[] },
): void {
  if (access.type === 'kubeconfig') {
    secrets.grantKubeconfig(to, access.secret);
    return;
  }
  if (access.roleArn !== undefined) {
    // What that role may do there, the other account says.
    allowAssume(to, access.roleArn);
    return;
  }
  const arn = clusterArn(to, access);
  const place = placeText(access);
  const sameHere = before.filter((one) => one.access.type === 'eks' && placeText(one.access) === place);
  if (sameHere.length > namedApart) return;
  if (sameHere.length < namedApart) return allowDescribing(to, [arn]);
  allowAny(to, [clusterArn(to, access, '*')], 'They are too many for a role to name each.');
}

type EksAccess = Extract<ClusterConfig['access'], { type: 'eks' }>;

function clusterArn(to: TrueUpFunction, access: EksAccess, name = placeOf(access).name): string {
  const { region, account } = placeOf(access);
  const where = { ...(region !== undefined && { region }), ...(account !== undefined && { account }) };
  const arn = { service: 'eks', resource: 'cluster', resourceName: name };
  return Stack.of(to).formatArn({ ...arn, ...where });
}

/** The same of two clusters that are entered in the same account and region, as far as the configuration tells. */
function placeText(access: EksAccess): string {
  const { region = '', account = '' } = placeOf(access);
  return [access.roleArn ?? '', account, region].join(' ');
}

function allowDescribing(to: TrueUpFunction, resources: string[]): void {
  to.allow(new PolicyStatement({ actions: ['eks:DescribeCluster'], resources }));
}

/** `arns` end with `*`. */
function allowAny(to: TrueUpFunction, arns: string[], reason: string): void {
  allowDescribing(to, arns);
  for (const arn of arns) {
    const resource = flattened(Stack.of(to).resolve(arn));
    Validations.of(to).acknowledge({ id: `AwsSolutions-IAM5[Resource::${resource}]`, reason });
  }
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
  allowAny(to, clusters, 'Which clusters carry the tags is known only when each is described.');
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
