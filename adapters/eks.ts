import { DescribeClusterCommand, ResourceNotFoundException, type EKSClient } from '@aws-sdk/client-eks';
import { Blocked } from '../core/errors.ts';
import type { Clock } from '../core/ports.ts';
import type { ApiAccess } from './api-client.ts';
import { awsFault } from './aws-fault.ts';
import { eksTokens } from './eks-token.ts';

/** How to reach an EKS cluster: endpoint and CA from DescribeCluster, a token by our own IAM role. */
export async function eksAccess(
  cluster: string,
  clusterName: string,
  client: EKSClient,
  clock: Pick<Clock, 'now'>,
): Promise<ApiAccess> {
  const region = await client.config.region();
  const subject = `EKS cluster ${clusterName} in ${region}`;
  const { endpoint, certificateAuthority, status } = await describe(clusterName, client, subject);
  const ca = certificateAuthority?.data;
  if (endpoint === undefined || ca === undefined || ca === '') {
    const message = `has no endpoint or no CA yet (status ${status ?? 'unknown'}); wait until it is ACTIVE`;
    throw new Blocked({ subject, message });
  }
  const { credentials, sha256 } = client.config;
  const token = eksTokens({ clusterName, region, credentials, sha256, clock });
  return {
    cluster,
    server: endpoint.replace(/\/$/, ''),
    ca: Buffer.from(ca, 'base64').toString('utf8'),
    authorization: async (fresh) => `Bearer ${await token(fresh)}`,
  };
}

async function describe(name: string, client: EKSClient, subject: string) {
  try {
    const { cluster } = await client.send(new DescribeClusterCommand({ name }));
    return cluster ?? {};
  } catch (error) {
    if (error instanceof ResourceNotFoundException) {
      const message = 'does not exist; correct its name or region in the stack configuration';
      throw new Blocked({ subject, message, cause: error });
    }
    throw awsFault({ subject, permission: 'eks:DescribeCluster' }, error);
  }
}
