import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { CreateAccessEntryCommand, DeleteClusterCommand, EKSClient } from '@aws-sdk/client-eks';
import { CreateRoleCommand, IAMClient, PutRolePolicyCommand } from '@aws-sdk/client-iam';
import { clientConfig } from '../aws/deploy.ts';
import { putEksCluster, tokenReviewUrl } from '../aws/emulator.ts';
import type { LocalAws } from '../aws/local-aws.ts';
import { clusterClient } from '../cluster/cluster-client.ts';
import { startControlPlane, type ControlPlane } from '../cluster/control-plane.ts';

/** An EKS cluster of the local AWS with a control plane of its own, which lets in whom its access entries name. */
export class EksMember {
  readonly name: string;
  readonly account: string;
  readonly region: string;
  readonly plane: ControlPlane;
  readonly #aws: LocalAws;
  readonly #authToken: string;

  private constructor(
    aws: LocalAws,
    { name, account, region }: EksMemberOptions,
    plane: ControlPlane,
    authToken: string,
  ) {
    this.#aws = aws;
    this.name = name;
    this.account = account;
    this.region = region;
    this.plane = plane;
    this.#authToken = authToken;
  }

  /** Starts the control plane; EKS knows nothing of it yet. */
  static async start(aws: LocalAws, options: EksMemberOptions): Promise<EksMember> {
    const authToken = randomBytes(16).toString('hex');
    const url = tokenReviewUrl(aws, { ...options, authToken });
    const { name, progress } = options;
    const plane = await startControlPlane({ name, nodes: 0, tokenWebhook: { url }, progress });
    return new EksMember(aws, options, plane, authToken);
  }

  get arn(): string {
    return `arn:aws:eks:${this.region}:${this.account}:cluster/${this.name}`;
  }

  /** As `aws eks create-cluster` and `tag-resource`; `caFile`: an authority that its certificate is not of. */
  async appear(tags: Record<string, string>, caFile = this.plane.caFile): Promise<void> {
    const { name, account, region } = this;
    const certificateAuthority = await readFile(caFile, 'utf8');
    const place = { account, region, authToken: this.#authToken };
    await putEksCluster(this.#aws, name, {
      endpoint: this.plane.server,
      certificateAuthority,
      tags,
      ...place,
    });
  }

  /** Lets a role in, and lets its group do what trueup does here. */
  async admit(...roles: readonly string[]): Promise<void> {
    const { name: clusterName } = this;
    for (const principalArn of roles) {
      const kubernetesGroups = ['trueup'];
      await this.#eks.send(new CreateAccessEntryCommand({ clusterName, principalArn, kubernetesGroups }));
    }
    const admin = await clusterClient(this.plane.kubeconfig);
    await admin.create('/apis/rbac.authorization.k8s.io/v1/clusterrolebindings', {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRoleBinding',
      metadata: { name: 'trueup' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' },
      subjects: [{ kind: 'Group', name: 'trueup', apiGroup: 'rbac.authorization.k8s.io' }],
    });
    await admin.close();
  }

  async delete(): Promise<void> {
    await this.#eks.send(new DeleteClusterCommand({ name: this.name }));
  }

  get #eks(): EKSClient {
    return new EKSClient(accountConfig(this.#aws, this.account, this.region));
  }
}

export interface EksMemberOptions {
  readonly name: string;
  readonly account: string;
  readonly region: string;
  readonly progress: (line: string) => void;
}

/** For the root of any account of the emulator. */
function accountConfig(aws: LocalAws, account: string, region: string) {
  const config = clientConfig(aws);
  return { ...config, region, credentials: { ...config.credentials, accessKeyId: account } };
}

/** A role that another account makes for trueup: who knows the external id may list and describe its clusters. */
export async function makeClusterRole(
  aws: LocalAws,
  {
    account,
    trusts,
    externalId,
  }: { readonly account: string; readonly trusts: string; readonly externalId: string },
): Promise<string> {
  const client = new IAMClient(accountConfig(aws, account, aws.region));
  const RoleName = 'trueup-clusters';
  const trust = {
    Effect: 'Allow',
    Principal: { AWS: `arn:aws:iam::${trusts}:root` },
    Action: 'sts:AssumeRole',
    Condition: { StringEquals: { 'sts:ExternalId': externalId } },
  };
  const rights = { Effect: 'Allow', Action: ['eks:ListClusters', 'eks:DescribeCluster'], Resource: '*' };
  const policyOf = (Statement: object) => JSON.stringify({ Version: '2012-10-17', Statement: [Statement] });
  const { Role } = await client.send(
    new CreateRoleCommand({ RoleName, AssumeRolePolicyDocument: policyOf(trust) }),
  );
  await client.send(
    new PutRolePolicyCommand({ RoleName, PolicyName: 'eks', PolicyDocument: policyOf(rights) }),
  );
  return Role?.Arn ?? '';
}
