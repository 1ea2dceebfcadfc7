import { CloudWatchClient, paginateDescribeAlarms } from '@aws-sdk/client-cloudwatch';
import { paginateListSubscriptionsByTopic, SNSClient } from '@aws-sdk/client-sns';
import { awsClient } from './aws-client.ts';
import { awsFault } from './aws-fault.ts';

export interface AlarmState {
  readonly name: string;
  readonly state: string;
  readonly description: string;
}

/** Alarms whose names begin so. Throws Blocked where that may not be asked. */
export async function alarmStates(prefix: string): Promise<readonly AlarmState[]> {
  const client = new CloudWatchClient(awsClient);
  const found: AlarmState[] = [];
  try {
    for await (const { MetricAlarms = [] } of paginateDescribeAlarms(
      { client },
      { AlarmNamePrefix: prefix },
    )) {
      for (const {
        AlarmName: name = '',
        StateValue: state = '',
        AlarmDescription: description = '',
      } of MetricAlarms)
        found.push({ name, state, description });
    }
    return found;
  } catch (error) {
    throw awsFault({ subject: `alarms ${prefix}*`, permission: 'cloudwatch:DescribeAlarms' }, error);
  }
}

/** Who hears a topic: confirmed, and asked but never confirmed. Throws Blocked where that may not be asked. */
export async function subscriptionsOf(
  topic: string,
): Promise<{ readonly confirmed: number; readonly pending: number }> {
  const client = new SNSClient(awsClient);
  let [confirmed, pending] = [0, 0];
  try {
    for await (const { Subscriptions = [] } of paginateListSubscriptionsByTopic(
      { client },
      { TopicArn: topic },
    )) {
      for (const { SubscriptionArn = '' } of Subscriptions) {
        if (SubscriptionArn.startsWith('arn:')) confirmed += 1;
        else pending += 1;
      }
    }
    return { confirmed, pending };
  } catch (error) {
    throw awsFault({ subject: `topic ${topic}`, permission: 'sns:ListSubscriptionsByTopic' }, error);
  }
}
