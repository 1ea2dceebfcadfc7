import {
  DescribeAccessEntryCommand,
  DescribeClusterCommand,
  EKSClient,
  ResourceNotFoundException,
} from '@aws-sdk/client-eks';
import { awsClient } from './aws-client.ts';
import { awsFault } from './aws-fault.ts';

/** How an EKS cluster may be entered. */
export interface EksState {
  readonly status: string;
  /** Such as 1.36. */
  readonly version: string | undefined;
  readonly isPublic: boolean;
  readonly cidrs: readonly string[];
  readonly authentication: string;
  /** Of the roles that were asked about, those without an access entry. */
  readonly shutOut: readonly string[];
}

/** Throws Blocked where that may not be asked, and for a cluster that is not there. */
export async function eksState(
  name: string,
  region: string | undefined,
  roles: readonly string[],
): Promise<EksState> {
  const client = new EKSClient({ ...awsClient, ...(region !== undefined && { region }) });
  try {
    const { cluster } = await client.send(new DescribeClusterCommand({ name }));
    const { endpointPublicAccess = true, publicAccessCidrs = ['0.0.0.0/0'] } =
      cluster?.resourcesVpcConfig ?? {};
    const authentication = cluster?.accessConfig?.authenticationMode ?? 'CONFIG_MAP';
    const shutOut: string[] = [];
    for (const role of authentication === 'CONFIG_MAP' ? [] : roles) {
      if (!(await hasEntry(client, name, role))) shutOut.push(role);
    }
    const status = cluster?.status ?? 'unknown';
    const version = cluster?.version;
    return {
      status,
      version,
      isPublic: endpointPublicAccess,
      cidrs: publicAccessCidrs,
      authentication,
      shutOut,
    };
  } catch (error) {
    throw awsFault({ subject: `EKS cluster ${name}`, permission: 'eks:DescribeCluster' }, error);
  }
}

async function hasEntry(client: EKSClient, clusterName: string, principalArn: string): Promise<boolean> {
  try {
    await client.send(new DescribeAccessEntryCommand({ clusterName, principalArn }));
    return true;
  } catch (error) {
    if (error instanceof ResourceNotFoundException) return false;
    throw awsFault({ subject: `EKS cluster ${clusterName}`, permission: 'eks:DescribeAccessEntry' }, error);
  }
}
