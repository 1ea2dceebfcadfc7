import { CloudFormationClient, paginateListStackResources } from '@aws-sdk/client-cloudformation';
import { awsClient } from './aws-client.ts';
import { awsFault } from './aws-fault.ts';

/** One resource of a stack, as CloudFormation knows it. */
export interface StackResource {
  readonly type: string;
  /** From the place of its construct in the tree, with a digest at its end. */
  readonly logicalId: string;
  /** Name, ARN or URL, by its type. */
  readonly physicalId: string;
}

/** What a stack consists of. Throws Blocked where that may not be asked. */
export async function stackResources(
  stack: string,
  client: CloudFormationClient = new CloudFormationClient(awsClient),
): Promise<readonly StackResource[]> {
  const found: StackResource[] = [];
  try {
    for await (const page of paginateListStackResources({ client }, { StackName: stack })) {
      for (const {
        ResourceType: type = '',
        LogicalResourceId: logicalId = '',
        PhysicalResourceId: physicalId = '',
      } of page.StackResourceSummaries ?? [])
        found.push({ type, logicalId, physicalId });
    }
    return found;
  } catch (error) {
    throw awsFault({ subject: `stack ${stack}`, permission: 'cloudformation:ListStackResources' }, error);
  }
}
