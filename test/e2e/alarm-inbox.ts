import { CloudWatchClient, DescribeAlarmsCommand } from '@aws-sdk/client-cloudwatch';
import { SNSClient, SubscribeCommand } from '@aws-sdk/client-sns';
import {
  CreateQueueCommand,
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  SetQueueAttributesCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import * as z from 'zod';
import type { Installation } from './installation.ts';
import { until } from './until.ts';

const noticeSchema = z.object({ Message: z.string() });
const alarmSchema = z.object({
  AlarmName: z.string(),
  NewStateValue: z.string(),
  NewStateReason: z.string(),
  AlarmDescription: z.string().nullish(),
});
export type AlarmNotice = z.infer<typeof alarmSchema>;

/** What the people on call would get: the alarm topic's messages, and the alarms' states. */
export interface AlarmInbox {
  /** The next notice of this alarm and state, however many others come before it. */
  notice(alarm: string, state: 'ALARM' | 'OK', seconds: number): Promise<AlarmNotice>;
  state(alarm: string): Promise<string | undefined>;
}

/** Subscribes a queue to the alarm topic of an installation. */
export async function openAlarmInbox({ clients, output, fleet }: Installation): Promise<AlarmInbox> {
  const sqs = new SQSClient(clients);
  const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName: `${fleet}-on-call` }));
  const { Attributes } = await sqs.send(
    new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['QueueArn'] }),
  );
  const endpoint = Attributes?.['QueueArn'];
  // SNS may send to a queue only where the queue's own policy says so.
  const allow = {
    Effect: 'Allow',
    Principal: { Service: 'sns.amazonaws.com' },
    Action: 'sqs:SendMessage',
    Resource: endpoint,
  };
  const Policy = JSON.stringify({ Version: '2012-10-17', Statement: [allow] });
  await sqs.send(new SetQueueAttributesCommand({ QueueUrl, Attributes: { Policy } }));
  await new SNSClient(clients).send(
    new SubscribeCommand({ TopicArn: output('alarmTopic'), Protocol: 'sqs', Endpoint: endpoint }),
  );
  const cloudWatch = new CloudWatchClient(clients);
  const received: AlarmNotice[] = [];

  async function receive(): Promise<void> {
    const { Messages = [] } = await sqs.send(
      new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10 }),
    );
    for (const { Body = '', ReceiptHandle } of Messages) {
      const notice = noticeSchema.parse(JSON.parse(Body));
      received.push(alarmSchema.parse(JSON.parse(notice.Message)));
      await sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }));
    }
  }

  return {
    notice: (alarm, state, seconds) =>
      until(
        `the notice that ${alarm} is ${state}`,
        async () => {
          await receive();
          const index = received.findIndex((one) => one.AlarmName === alarm && one.NewStateValue === state);
          return index < 0 ? undefined : received.splice(index, 1)[0];
        },
        { seconds, hint: async () => `notices so far: ${JSON.stringify(received)}` },
      ),
    state: async (alarm) => {
      const { MetricAlarms } = await cloudWatch.send(new DescribeAlarmsCommand({ AlarmNames: [alarm] }));
      return MetricAlarms?.[0]?.StateValue;
    },
  };
}
