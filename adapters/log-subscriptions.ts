import { CloudWatchLogsClient, DescribeSubscriptionFiltersCommand } from '@aws-sdk/client-cloudwatch-logs';
import { awsClient } from './aws-client.ts';
import { awsFault } from './aws-fault.ts';

/** Who hears of the lines of a log group; undefined where there is no such group. Throws Blocked where that may not be asked. */
export async function logSubscriptions(
  logGroupName: string,
  client: CloudWatchLogsClient = new CloudWatchLogsClient(awsClient),
): Promise<
  readonly { readonly name: string; readonly pattern: string; readonly destination: string }[] | undefined
> {
  try {
    const { subscriptionFilters = [] } = await client.send(
      new DescribeSubscriptionFiltersCommand({ logGroupName }),
    );
    return subscriptionFilters.map(({ filterName = '', filterPattern = '', destinationArn = '' }) => ({
      name: filterName,
      pattern: filterPattern,
      destination: destinationArn,
    }));
  } catch (error) {
    if (error instanceof Error && error.name === 'ResourceNotFoundException') return undefined;
    throw awsFault(
      { subject: `log group ${logGroupName}`, permission: 'logs:DescribeSubscriptionFilters' },
      error,
    );
  }
}
