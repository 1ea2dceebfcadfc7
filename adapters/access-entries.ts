import {
  CreateAccessEntryCommand,
  EKSClient,
  ResourceInUseException,
  UpdateAccessEntryCommand,
} from '@aws-sdk/client-eks';
import { awsClient } from './aws-client.ts';
import { awsFault } from './aws-fault.ts';

/** Lets an IAM role into an EKS cluster, as a member of one Kubernetes group, or corrects its entry. */
export async function putAccessEntry(
  { name, region }: { readonly name: string; readonly region: string | undefined },
  principalArn: string,
  group: string,
): Promise<'created' | 'updated'> {
  const client = new EKSClient({ ...awsClient, ...(region !== undefined && { region }) });
  const entry = { clusterName: name, principalArn, kubernetesGroups: [group] };
  const subject = `EKS cluster ${name}`;
  try {
    await client.send(new CreateAccessEntryCommand(entry));
    return 'created';
  } catch (error) {
    if (!(error instanceof ResourceInUseException)) {
      throw awsFault({ subject, permission: 'eks:CreateAccessEntry' }, error);
    }
  }
  try {
    await client.send(new UpdateAccessEntryCommand(entry));
    return 'updated';
  } catch (error) {
    throw awsFault({ subject, permission: 'eks:UpdateAccessEntry' }, error);
  } finally {
    client.destroy();
  }
}
