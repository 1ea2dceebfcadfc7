import {
  DescribeClusterCommand,
  ResourceNotFoundException,
  type Cluster as Description,
  type EKSClient,
} from '@aws-sdk/client-eks';
import { Blocked, Retry } from '../core/errors.ts';
import type { Clock } from '../core/ports.ts';
import type { ApiAccess } from './api-client.ts';
import { awsFault } from './aws-fault.ts';
import { eksTokens } from './eks-token.ts';

/** Which EKS cluster is meant, and by which client: its region, and the credentials of its account. */
export interface EksTarget {
  /** In trueup. */
  readonly cluster: string;
  readonly name: string;
  /** Where it is known: whoever answers with another is not it. */
  readonly arn?: string | undefined;
  readonly client: EKSClient;
}

/** How to reach an EKS cluster: endpoint and CA from DescribeCluster, a token by the client's IAM role. */
export async function eksAccess(target: EksTarget, clock: Pick<Clock, 'now'>): Promise<ApiAccess> {
  const { cluster, name, client } = target;
  const region = await client.config.region();
  const subject = `EKS cluster ${name} in ${region}`;
  const described = await describeCluster(name, client, subject);
  const { endpoint, certificateAuthority, status = 'unknown' } = described;
  if (target.arn !== undefined && described.arn !== target.arn) {
    const message = `is ${described.arn ?? 'another'} in the account that was entered, and not ${target.arn}; give the role of its own account as roleArn`;
    throw new Blocked({ subject, message });
  }
  const ca = certificateAuthority?.data;
  if (endpoint === undefined || endpoint === '' || ca === undefined || ca === '') {
    const message = `has no endpoint or no CA ${status === 'FAILED' ? 'and was never made' : 'yet'} (status ${status}); ${remedyOf(status)}`;
    throw new Blocked({ subject, message });
  }
  const { credentials, sha256 } = client.config;
  const token = eksTokens({ clusterName: name, region, credentials, sha256, clock });
  return {
    cluster,
    server: endpoint.replace(/\/$/, ''),
    ca: Buffer.from(ca, 'base64').toString('utf8'),
    authorization: async (fresh) => `Bearer ${await token(fresh)}`,
    ...circumstances(described),
    entry: `see that the cluster has an access entry for the role that trueup has there${described.accessConfig?.authenticationMode === 'CONFIG_MAP' ? ', and let it take access entries: its authentication mode is CONFIG_MAP' : ''}`,
  };
}

/** Throws Blocked for a cluster that is not there, Retry and Blocked where AWS does not say. */
export async function describeCluster(
  name: string,
  client: EKSClient,
  subject: string,
): Promise<Description> {
  try {
    const { cluster } = await client.send(new DescribeClusterCommand({ name }));
    return cluster ?? {};
  } catch (error) {
    if (error instanceof ResourceNotFoundException) {
      const message =
        'does not exist; correct its name, account or region in the stack configuration, or take it out there when it was deleted';
      throw new Blocked({ subject, message, cause: error });
    }
    // Of the role that was to be taken on.
    if (error instanceof Blocked || error instanceof Retry) throw error;
    throw awsFault({ subject, permission: 'eks:DescribeCluster' }, error);
  }
}

function remedyOf(status: string): string {
  return status === 'FAILED' || status === 'DELETING'
    ? 'take it out of the stack configuration, or make it anew'
    : 'wait until it is ACTIVE';
}

/** What may explain that nobody answers, as far as EKS knows it. */
function circumstances({ status, resourcesVpcConfig: vpc }: Description): Pick<ApiAccess, 'circumstances'> {
  const told: string[] = [];
  if (status === 'UPDATING') told.push('EKS is updating it at the moment: it is looked at again');
  else if (status !== undefined && status !== 'ACTIVE')
    told.push(`EKS says that it is ${status}: ${remedyOf(status)}`);
  const admitted = vpc?.publicAccessCidrs ?? [];
  if (vpc?.endpointPublicAccess === false) {
    told.push(
      'its endpoint is private: it is reached from its VPC alone, so declare the cluster with a `network`',
    );
  } else if (vpc?.endpointPublicAccess === true && !admitted.includes('0.0.0.0/0') && admitted.length > 0) {
    const some = admitted.slice(0, 5).join(', ');
    told.push(
      `its public endpoint admits ${some}${admitted.length > 5 ? ' and others' : ''} alone: declare the cluster with a network whose address is among them`,
    );
  }
  return told.length === 0 ? {} : { circumstances: told.join('; ') };
}
